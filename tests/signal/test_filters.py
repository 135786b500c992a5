from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.methods.adaptive_wavelets import AdaptiveWavelets
from limbeck.signal.filters import (
    band_names,
    check_levels,
    filter_of,
    filters_of,
    usual_levels,
)
from limbeck.students.wavelet.wavelet import WaveletStudent

pywt = pytest.importorskip("pywt")


def test_a_filter_is_a_name_or_numbers() -> None:
    np.testing.assert_array_equal(filter_of("db2"), pywt.Wavelet("db2").rec_lo)
    for bad in ("db77", "bior1.3", [1.0], [1.0, np.nan], np.ones((2, 2))):
        with pytest.raises(InvalidInput):
            filter_of(bad)


def test_every_wavelet_that_is_listed_can_be_used() -> None:
    pytest.importorskip("torch")
    from limbeck.signal.wavelets.angles import angles_from_filter

    with pytest.raises(InvalidInput, match="haar, db1 to db38, sym2 to sym20 or coif1 to coif17"):
        filter_of("nonsense of any kind")
    listed = ["haar"]
    for family, first, last in (("db", 1, 38), ("sym", 2, 20), ("coif", 1, 17)):
        listed += [f"{family}{n}" for n in range(first, last + 1)]
    assert {n for n in pywt.wavelist(kind="discrete") if pywt.Wavelet(n).orthogonal} == {
        *listed, "dmey",
    }  # fmt: skip
    for name in listed:
        assert len(angles_from_filter(filter_of(name))) == len(filter_of(name)) // 2


@pytest.mark.parametrize("name", ["morl", "mexh", "bior2.2", "rbio3.1", "cmor", "dmey", "Db5"])
def test_what_is_refused_is_not_suggested(name: str) -> None:
    with pytest.raises(InvalidInput, match="is not among the orthogonal wavelets") as caught:
        filter_of(name)
    for suggested in re.findall(r"Did you mean '(.*)'", str(caught.value)):
        assert len(filter_of(suggested)) > 1


def trim_transform(**settings: Any) -> None:
    pytest.importorskip("torch")
    from limbeck.signal.transforms import Wavelet

    given = {"wavelet": "haar", **settings}
    Wavelet(**given).fit(np.ones((2, 16)))


def student(**settings: Any) -> None:
    given = {"low": "haar", "levels": 2, **settings}
    given["low"] = given.pop("wavelet", given["low"])
    WaveletStudent(**given).fit(np.random.default_rng(0).normal(size=(20, 16)), np.arange(20.0))


def method(**settings: Any) -> None:
    X = np.ones((2, 16))
    AdaptiveWavelets(**{"wavelet": "haar", **settings})._transform(Features.of(X).rows(X))


@pytest.mark.parametrize("reader", [trim_transform, student, method])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"wavelet": "db55"}, "'db55' is not among the orthogonal wavelets"),
        ({"wavelet": "dmey"}, "'dmey' is not among the orthogonal wavelets"),
        ({"wavelet": [1.0, 2.0, 3.0]}, r"The low-pass filter has shape \(3,\)"),
        ({"wavelet": [1.0, np.inf]}, "or a number that is not finite"),
        ({"boundary": "mirror"}, "boundary is 'mirror'. Known: 'periodic', 'symmetric', 'zero'"),
        ({"boundary": "Periodic"}, "boundary is 'Periodic'. Did you mean 'periodic'"),
        ({"levels": 5}, "levels is 5, and signals of 16 points have at most 4. Give a number from"),
        ({"levels": True}, "levels is True"),
        ({"levels": 1.5}, "levels is 1.5"),
        ({"levels": -1}, "levels is -1"),
    ],
)
def test_all_that_take_wavelets_read_the_settings_alike(
    reader: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        reader(**settings)


def test_the_high_pass_filter_is_that_of_pywavelets() -> None:
    for name in ("haar", "db5", "sym8", "coif2"):
        np.testing.assert_array_equal(filters_of(filter_of(name)).high, pywt.Wavelet(name).rec_hi)


def test_a_filter_is_copied_from_numbers_and_tensors() -> None:
    torch = pytest.importorskip("torch")
    taps = np.array([0.6, 0.8])
    mine = filter_of(taps)
    taps[0] = 5.0
    np.testing.assert_array_equal(mine, [0.6, 0.8])
    learned = torch.tensor([0.6, 0.8], dtype=torch.float64, requires_grad=True)
    np.testing.assert_array_equal(filter_of(learned), [0.6, 0.8])
    with pytest.raises(InvalidInput, match="name of an orthogonal wavelet"):
        filter_of([1.0, "b"])


def test_usual_levels_leave_four_points_and_are_at_most_four() -> None:
    assert [usual_levels((n,)) for n in (1, 2, 3, 8, 16, 64, 1024)] == [0, 1, 1, 1, 2, 4, 4]
    assert usual_levels((3, 100, 16)) == 2  # channels are no side


def test_most_levels_are_log2_of_the_shortest_side() -> None:
    check_levels(4, (3, 16, 31))
    with pytest.raises(InvalidInput, match="16 x 31 points have at most 4"):
        check_levels(5, (3, 16, 31))
    with pytest.raises(InvalidInput, match="Give longer signals"):
        check_levels(1, (1,))


def test_names_of_bands() -> None:
    assert band_names(1, 2) == ("approximation 1", "horizontal 1", "vertical 1", "diagonal 1")
    assert band_names(3) == ("approximation 3", "detail 3", "detail 2", "detail 1")


def test_names_need_pywavelets_and_numbers_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pywt", None)
    assert filter_of([0.6, 0.8]).tolist() == [0.6, 0.8]
    with pytest.raises(MissingExtra, match=r"limbeck\[wavelets\]"):
        filter_of("haar")

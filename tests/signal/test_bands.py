from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.signal.bands import Decomposition
from limbeck.signal.filters import filter_of

pywt = pytest.importorskip("pywt")

MODES = {"periodic": "periodization", "symmetric": "symmetric", "zero": "zero"}


def signals(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.parametrize("boundary", list(MODES))
@pytest.mark.parametrize("name", ["haar", "db5", "coif1"])
@pytest.mark.parametrize("shape", [(40,), (37,), (2, 33), (1, 16, 20), (2, 17, 11), (1, 40, 41)])
def test_the_numbers_of_pywavelets_and_back(
    shape: tuple[int, ...], name: str, boundary: str
) -> None:
    X = signals(3, *shape)
    transform = Decomposition(filter_of(name), 3, boundary, shape)  # type: ignore[arg-type]
    S = transform.forward(X.reshape(3, -1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # short signals: all is near the ends
        if len(shape) < 3:
            parts = pywt.wavedec(X, name, MODES[boundary], 3, axis=-1)
        else:
            first, *rest = pywt.wavedec2(X, name, MODES[boundary], 3, axes=(-2, -1))
            parts = [first, *(p for level in rest for p in level)]
    for band, part in zip(transform.bands, parts, strict=True):
        np.testing.assert_allclose(
            S[:, band.start : band.stop], part.reshape(3, -1), atol=1e-12, err_msg=band.name
        )
        assert band.shape[-1] == part.shape[-1]
    np.testing.assert_allclose(transform.inverse(S), X.reshape(3, -1), atol=1e-12)


def test_names_of_the_bands() -> None:
    one = Decomposition(filter_of("haar"), 2, "periodic", (8,))
    assert [b.name for b in one.bands] == ["approximation 2", "detail 2", "detail 1"]
    two = Decomposition(filter_of("haar"), 1, "periodic", (3, 4, 6))
    assert [b.name for b in two.bands] == [
        "approximation 1", "horizontal 1", "vertical 1", "diagonal 1",
    ]  # fmt: skip
    assert two.bands[1].shape == (3, 2, 3)
    none = Decomposition(filter_of("haar"), 0, "periodic", (8,))
    X = signals(2, 8)
    np.testing.assert_array_equal(none.forward(X), X)


def test_long_signals_need_no_matrix_and_give_the_same() -> None:
    long = Decomposition(filter_of("db3"), 2, "periodic", (2000,))
    assert long.matrix is None
    short = Decomposition(filter_of("db3"), 2, "periodic", (1000,))
    assert short.matrix is not None
    X = signals(2, 1000)
    np.testing.assert_allclose(short.forward(X), short._cascade(X), atol=1e-12)
    np.testing.assert_allclose(short.matrix.T @ short.matrix, np.eye(1000), atol=1e-10)


def test_too_many_levels_are_named_with_the_most_that_fit() -> None:
    with pytest.raises(InvalidInput, match="13 points have at most 3"):
        Decomposition(filter_of("haar"), 4, "periodic", (2, 13))
    with pytest.raises(InvalidInput, match="1 points have at most 0"):
        Decomposition(filter_of("haar"), 1, "periodic", (1,))
    with pytest.raises(InvalidInput, match="shape of a signal"):
        Decomposition(filter_of("haar"), 1, "periodic", (1, 2, 3, 4))


def test_without_pywavelets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pywt", None)
    with pytest.raises(MissingExtra, match=r"limbeck\[wavelets\]"):
        Decomposition(np.ones(2), 1, "periodic", (8,))

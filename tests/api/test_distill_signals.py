"""Signals and images: rows inside, the user's own shapes outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.students.wavelet.wavelet import WaveletStudent

torch = pytest.importorskip("torch")
pywt = pytest.importorskip("pywt")
QUICK: dict[str, Any] = {
    "starts": 1, "trim": 1.0, "wavelet": "db2", "levels": 2, "sampler": "signal_mix",
    "queries": 30, "epsilon": 0.2,
}  # fmt: skip


def signals(n: int = 120, shape: tuple[int, ...] = (16,)) -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(n, *shape)).cumsum(axis=-1)
    return X.astype(np.float32)


class Reader(torch.nn.Module):
    """Reads one Haar coefficient of the first channel."""

    def forward(self, x: Any) -> Any:
        flat = x.flatten(1)
        return (flat[:, 4] - flat[:, 5]) / 2**0.5


@pytest.mark.parametrize(
    ("shape", "tensor"),
    [((16,), False), ((2, 16), True), pytest.param((1, 8, 8), False, marks=pytest.mark.slow)],
)
def test_signals_of_every_shape(shape: tuple[int, ...], tensor: bool, tmp_path: Any) -> None:
    X = signals(shape=shape)
    given = torch.from_numpy(X) if tensor else X
    y = (X.reshape(len(X), -1)[:, 0] > 0).astype(float) + 0.5
    result = limbeck.distill(Reader(), given, y, into="wavelet", regression=True, **QUICK)
    student = result.student
    assert isinstance(student, WaveletStudent)
    assert student.decomposition_.shape == shape
    assert student.reconstruct(given).shape == X.shape
    assert student.predict(given).shape == (len(X),)
    np.testing.assert_array_equal(student.predict(given), student.predict(X.reshape(len(X), -1)))
    low, high = student.filters
    assert abs((low**2).sum() - 1) < 1e-10
    assert abs((low * high).sum()) < 1e-10
    entries = {e.model: e for e in result.comparison.entries}
    assert entries["wavelet"].size.endswith("coefficients")
    assert "fixed db2 wavelets" in entries
    assert "greedy tree" not in entries
    assert [e.role for e in result.comparison.entries].count("control") == 1
    assert result.certificate.tolerance is not None
    folder = result.save(tmp_path / "run")
    again = limbeck.load(folder / "student.json")
    np.testing.assert_array_equal(again.predict(given), student.predict(given))


def test_a_network_of_one_coefficient_is_told_in_one_coefficient() -> None:
    X = signals(240)
    result = limbeck.distill(
        Reader(), X, into="wavelet", regression=True, holdout=0.3, starts=4, trim=3.0,
        wavelet="db2", levels=1,
    )  # fmt: skip
    agreement = next(e for e in result.comparison.entries if e.role == "student").agreement
    assert agreement.value > 0.999
    low = np.abs(result.student.filters.low)
    assert np.sort(low)[-2:] == pytest.approx([2**-0.5] * 2, abs=0.02)


def test_classes_of_images_with_rows_of_ones_own_for_the_certificate() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3)
    )
    X = signals(40, (1, 8, 8))
    own = signals(120, (1, 8, 8))[60:]
    result = limbeck.distill(net, X, into="wavelet", holdout=(own, None), **{**QUICK, "levels": 1})
    assert result.certificate.n == 60
    assert result.student.predict_proba(X).shape == (40, 3)
    assert result.student.task_.classes == (0, 1, 2)


def test_a_table_of_signals_keeps_its_names() -> None:
    frame = pd.DataFrame(signals(60), columns=[f"{i} [s]" for i in range(16)])
    result = limbeck.distill(Reader(), frame, into="wavelet", regression=True, **QUICK)
    assert result.student.feature_names_in_[3] == "3 [s]"
    assert result.student.decomposition_.shape == (16,)


def test_same_seed_same_student() -> None:
    few = signals(50)
    found = [
        limbeck.distill(Reader(), few, into="wavelet", regression=True, seed=3, **QUICK)
        for _ in range(2)
    ]
    assert found[0].student.fingerprint() == found[1].student.fingerprint()


def test_signals_are_refused_where_they_do_not_fit() -> None:
    with pytest.raises(InvalidInput, match="at most 4"):
        limbeck.distill(
            Reader(), signals(), into="wavelet", regression=True, **{**QUICK, "levels": 5}
        )
    gap = signals()
    gap[7, 3:6] = np.nan
    with pytest.raises((InvalidInput, limbeck.LimbeckError), match=r"NaN|not a finite"):
        limbeck.distill(Reader(), gap, into="wavelet", regression=True, **QUICK)
    with pytest.raises(InvalidInput, match="has no setting 'level'"):
        limbeck.distill(Reader(), signals(), into="wavelet", regression=True, level=2)

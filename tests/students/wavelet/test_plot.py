from __future__ import annotations

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


pytestmark = pytest.mark.usefixtures("closed_figures")


def test_a_wavelet_student_draws_filters_functions_and_bands() -> None:
    pytest.importorskip("pywt")
    from limbeck.students.wavelet.wavelet import WaveletStudent

    signals = np.random.default_rng(0).normal(size=(80, 16))
    student = WaveletStudent("db2", levels=2).fit(signals, signals[:, 0] + signals[:, 1])
    taps, curve, bands = student.plot()
    low, high = (line.get_ydata() for line in taps.lines[:2])
    np.testing.assert_allclose(low, student.filters.low)
    np.testing.assert_allclose(high, student.filters.high)
    assert [line.get_label() for line in curve.lines[:2]] == ["scaling function", "wavelet"]
    assert [t.get_text() for t in bands.get_yticklabels()] == [b.name for b in student.bands]
    shares = np.array([bar.get_width() for bar in bands.patches])
    assert shares.sum() == pytest.approx(100)
    found = student.importances()
    np.testing.assert_allclose(
        shares, [100 * found[b.name] / sum(found.values()) for b in student.bands]
    )

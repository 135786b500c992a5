"""Attributions by band and by time."""

from __future__ import annotations

import numpy as np
import pytest

pywt = pytest.importorskip("pywt")
pytest.importorskip("torch")

from limbeck.signal.transforms import importance as module  # noqa: E402
from limbeck.signal.transforms.importance import importance  # noqa: E402

RNG = np.random.default_rng(0)
HAAR = np.array(pywt.Wavelet("haar").rec_lo)


def test_by_pywavelets() -> None:
    x, g = RNG.normal(size=(2, 300, 2, 16))
    found = importance(x, g, HAAR, 2, "periodic", input_x_gradient=True)
    bands = [pywt.wavedec(a, "haar", mode="periodization", level=2) for a in (x, g)]
    means = [np.abs(a * b).sum((0, 1)) / 300 for a, b in zip(*bands, strict=True)]
    assert found["bands"] == ["approximation 2", "detail 2", "detail 1"]
    np.testing.assert_allclose(found["by_band"], [m.sum() for m in means])
    np.testing.assert_allclose(found["by_time"][0], np.repeat(means[0], 4) / 4)
    np.testing.assert_allclose(found["by_time"][2], np.repeat(means[2], 2) / 2)


def test_long_filters_lie_where_their_atoms_are() -> None:
    db5 = np.array(pywt.Wavelet("db5").rec_lo)
    zeros = [np.zeros(n) for n in (4, 4, 8, 16, 32)]
    zeros[0][2] = 1.0
    atom = pywt.waverec(zeros, "db5", mode="periodization")
    found = importance(np.zeros((3, 1, 64)), np.tile(atom, (3, 1, 1)), db5, 4, "periodic", False)
    np.testing.assert_allclose(found["by_time"][0], atom**2, atol=1e-10)
    assert found["by_band"][0] == pytest.approx(1.0)


def test_saliency_of_images() -> None:
    x, g = RNG.normal(size=(2, 5, 1, 8, 4))
    found = importance(x, g, HAAR, 1, "periodic", input_x_gradient=False)
    first, (across, *_) = pywt.wavedec2(g, "haar", mode="periodization", level=1)
    assert np.shape(found["by_time"]) == (4, 8, 4)
    np.testing.assert_allclose(
        found["by_time"][1], np.abs(across).mean((0, 1)).repeat(2, 0).repeat(2, 1) / 4
    )
    assert found["by_band"][0] == pytest.approx(np.abs(first).sum() / 5)


def test_a_large_picture_is_left_out(monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST", 40)
    x, g = RNG.normal(size=(2, 5, 1, 16))
    assert "by_time" not in importance(x, g, HAAR, 2, "zero", False)

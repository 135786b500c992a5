"""Both forms from one set of settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pywt = pytest.importorskip("pywt")
pytest.importorskip("torch")

from limbeck.core.progress import quiet  # noqa: E402
from limbeck.signal.wavelets.learning import Learning  # noqa: E402
from limbeck.signal.wavelets.penalty import orthogonality_error  # noqa: E402

X, G = np.random.default_rng(0).normal(size=(2, 8, 1, 16))
DB2 = np.array(pywt.Wavelet("db2").rec_lo)
ANGLES = Learning(2, "periodic", 1.0, (0.0, 1.0), False, starts=1, moments=1)


def lows(learning: Learning, gradients: np.ndarray = G) -> list[np.ndarray]:
    points = learning.run(X, gradients, DB2, np.random.default_rng(0), quiet)
    return [p.found.low for p in points]


def test_angles_stay_orthogonal_and_penalties_do_not() -> None:
    assert max(orthogonality_error(low) for low in lows(ANGLES)) < 1e-10
    leaking = replace(ANGLES, trim=100.0, epochs=10)
    assert orthogonality_error(lows(leaking)[0]) > 1e-6


def test_without_gradients_the_signals_alone_count() -> None:
    assert len(lows(ANGLES, 0 * G)) == 1
    assert lows(replace(ANGLES, sparsity=0.0, trim=1.0), 0 * G) == []


def test_moments_and_the_attribution_are_passed_on() -> None:
    (low,) = lows(replace(ANGLES, trim=0.0, moments=2))
    np.testing.assert_allclose(min(np.abs(low - DB2).max(), np.abs(low - DB2[::-1]).max()), 0,
                               atol=1e-6)  # fmt: skip
    read = replace(ANGLES, sparsity=0.0, trim=1.0)
    (point,) = read.run(X, G, DB2, np.random.default_rng(0), quiet)
    times = replace(read, input_x_gradient=True)
    (product,) = times.run(X, G, DB2, np.random.default_rng(0), quiet)
    assert point.attributions > 1
    assert product.attributions < 1  # the floor of products of unit rows is below 1

from __future__ import annotations

import numpy as np
import pytest
import torch

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms import Topics


def rows(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(1, 1, (40, 3)) @ rng.gamma(0.5, 4, (3, 12))).astype(float)


def test_coefficients_are_the_best_amounts():
    """The conditions of Karush, Kuhn and Tucker for non-negative least squares."""
    X = rows()
    transform = Topics(3).fit(X)
    s = transform.forward(torch.from_numpy(X)).numpy()
    H = transform.back.T  # (k, d)
    slope = (s @ H - X) @ H.T
    assert (s >= 0).all()
    scale = np.abs(X @ H.T).max()
    assert slope.min() > -1e-8 * scale
    np.testing.assert_allclose(slope * s, 0, atol=1e-8 * scale * s.max())


def test_mixtures_of_topics_come_back_and_others_do_not():
    X = rows()
    transform = Topics(3).fit(X)
    amounts = torch.rand(6, 3, dtype=torch.float64)
    mixture = transform.inverse(amounts)
    torch.testing.assert_close(transform.forward(mixture), amounts)
    x = torch.from_numpy(X)
    assert (transform.inverse(transform.forward(x)) - x).abs().max() > 0.1


def test_the_same_seed_gives_the_same_topics():
    a, b = (Topics(2, seed=3).fit(rows()).back for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_negative_values_and_too_many_topics_are_refused():
    with pytest.raises(InvalidInput, match=r"A value is -1.*amounts"):
        Topics(2).fit(rows() - 1)
    with pytest.raises(InvalidInput, match="Give 1 to 12"):
        Topics(13).fit(rows())

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import cho_solve
from scipy.special import expit
from sklearn.linear_model import LinearRegression, LogisticRegression

from limbeck.audits.refit import Design, Fit, refit


def test_refit_is_least_squares_and_maximum_likelihood() -> None:
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.integers(0, 4, 2000), rng.integers(0, 3, 2000)])
    design = Design.of(codes, (4, 3))
    hot = np.column_stack([codes[:, 0] == k for k in range(1, 4)]
                          + [codes[:, 1] == k for k in range(1, 3)]).astype(float)  # fmt: skip
    z = codes[:, 0] * 0.5 - (codes[:, 1] == 1)
    y = z + rng.normal(size=2000)
    ones, none = np.ones(2000), np.zeros(2000)
    start = rng.normal(0, 0.2, 7)
    o = (rng.random(2000) < expit(z)).astype(float)
    linear, logistic = refit(
        design,
        [Fit(y, ones, start, 0.0, none, False), Fit(o, ones, start, 0.0, none, True)],
    )
    peer = LinearRegression().fit(hot, y)
    assert np.diff(linear.theta[:4])[1:] == pytest.approx(np.diff(peer.coef_[:3]), abs=1e-3)
    assert linear.spread == pytest.approx(z.std(), rel=0.1)
    likely = LogisticRegression(C=1e6, max_iter=500).fit(hot, o)
    assert np.diff(logistic.theta[:4])[1:] == pytest.approx(np.diff(likely.coef_[0, :3]), abs=5e-3)


def test_cross_products_of_several_weightings_are_those_of_each_alone_bit_for_bit() -> None:
    rng = np.random.default_rng(2)
    codes = np.column_stack([rng.integers(0, k, 300) for k in (4, 3, 5)])
    design, w = Design.of(codes, (4, 3, 5)), rng.random((300, 6))
    hot = np.zeros((300, 12))
    hot[np.arange(300)[:, None], design.at] = 1.0
    together = design.grams(w)
    for i in range(6):
        exact = np.zeros((12, 12))
        for row, weight in zip(hot, w[:, i], strict=True):  # rows in their order
            exact += weight * np.outer(row, row)
        assert (np.triu(together[i]) == np.triu(exact)).all()
        assert (design.grams(w[:, i : i + 1])[0] == together[i]).all()


@pytest.mark.parametrize("classifies", [False, True])
def test_fits_are_the_same_alone_and_together_and_their_noise_is_the_trace(classifies) -> None:
    rng = np.random.default_rng(3)
    codes = np.column_stack([rng.integers(0, k, 400) for k in (4, 3)])
    design = Design.of(codes, (4, 3))
    target = (rng.random(400) < 0.5).astype(float)
    fits = [
        Fit(target, rng.poisson(1, 400) * 1.0, rng.normal(size=7), 0.1, np.zeros(400), classifies)
        for _ in range(3)
    ]
    for fit, found in zip(fits, refit(design, fits), strict=True):
        alone = refit(design, [fit])[0]
        assert (found.theta == alone.theta).all()
        assert found.spread == alone.spread
        plain = np.triu(design.grams(fit.weight[:, None])[0])
        plain = plain + np.triu(plain, 1).T
        means = design.sums(fit.weight)
        centred = plain - np.outer(means, means) / fit.weight.sum()
        solved = cho_solve(found.optimum.factor, centred)
        assert found.optimum.used == pytest.approx(np.trace(solved), rel=1e-9)


def test_noise_alone_has_no_spread() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 12, (1000, 3))
    design = Design.of(codes, (12, 12, 12))
    spreads = [
        f.spread
        for f in refit(
            design,
            [
                Fit(rng.normal(size=1000), np.ones(1000), np.zeros(36), 0.0, np.zeros(1000), False)
                for _ in range(20)
            ],
        )
    ]
    assert np.mean(spreads) < 0.08  # the raw spread is about sqrt(33 / 1000) = 0.18

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from limbeck.students.wavelet.choice import _PENALTIES, FOLDS, choose, gather
from limbeck.students.wavelet.strongest import Strongest


def data(n: int = 200, offset: float = 0.0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    S = rng.normal(size=(n, 6)) * [1, 2, 3, 4, 5, 6] + offset
    y = np.stack([S[:, 5] + rng.normal(size=n), S[:, 0] - S[:, 4]], axis=1)
    return S, y, rng.uniform(0.5, 2, n), rng.permutation(n) % FOLDS


KIND = Strongest((slice(0, 3), slice(3, 6)), "place", 3, np.arange(6.0))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_ridge_is_that_of_scikit_learn(offset: float) -> None:
    S, y, w, fold = data(offset=offset)
    (sums,) = gather([(S, y, w, fold)], [KIND])
    at = np.array([0, 1, 4])
    Z = S[:, KIND.places][:, at]
    for f in (0, 3):
        rest = fold != f
        own = type(sums[0])(
            sum(s.products for g, s in enumerate(sums) if g != f), sums[0].shift, sums[0].p
        )
        found = own.ridge(at, _PENALTIES[::5])
        errors = sums[f].missed(at, *found)
        for penalty, weights, error in zip(_PENALTIES[::5], found[0], errors, strict=True):
            scale = StandardScaler().fit(Z[rest], sample_weight=w[rest])
            peer = Ridge(penalty * w[rest].sum())
            peer.fit(scale.transform(Z[rest]), y[rest], sample_weight=w[rest])
            np.testing.assert_allclose(weights, (peer.coef_ / scale.scale_).T, atol=1e-7)
            told = peer.predict(scale.transform(Z[~rest]))
            missed = (w[~rest, None] * (y[~rest] - told) ** 2).sum()
            assert error == pytest.approx(missed, rel=1e-6)


def test_blocks_do_not_matter() -> None:
    S, y, w, fold = data()
    whole = choose(gather([(S, y, w, fold)], [KIND]), [KIND], [1, 2, 3])
    cut = [slice(0, 7), slice(7, 150), slice(150, 200)]
    parts = choose(gather([(S[c], y[c], w[c], fold[c]) for c in cut], [KIND]), [KIND], [1, 2, 3])
    np.testing.assert_allclose(parts.weights, whole.weights, rtol=1e-9, atol=1e-12)
    assert parts.strongest.largest == whole.strongest.largest


def test_the_fewest_that_are_nearly_as_good() -> None:
    rng = np.random.default_rng(1)
    S = rng.normal(size=(500, 6))
    w, fold = np.ones(500), np.arange(500) % FOLDS
    one = (S[:, 2] + S[:, 5])[:, None]  # the first place of each group, by KIND.spread
    found = choose(gather([(S, one, w, fold)], [KIND]), [KIND], [1, 2, 3])
    assert found.strongest.largest == 1
    assert found.score > 0.999
    both = one + 3 * S[:, [1]]
    found = choose(gather([(S, both, w, fold)], [KIND]), [KIND], [1, 2, 3])
    assert found.strongest.largest == 2
    assert [t["coefficients"] for t in found.tried] == [2, 4, 6]
    assert found.tried[0]["score"] < 0.5 < 0.99 < found.tried[1]["score"]


def test_the_score_is_that_of_rows_left_out() -> None:
    """Noise explains nothing of what was left out, however many features there are."""
    rng = np.random.default_rng(2)
    S, y = rng.normal(size=(40, 6)), rng.normal(size=(40, 1))
    found = choose(gather([(S, y, np.ones(40), np.arange(40) % FOLDS)], [KIND]), [KIND], [3])
    assert found.score < 0.1

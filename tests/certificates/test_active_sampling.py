from __future__ import annotations

import numpy as np
import pytest

from limbeck.certificates.active_sampling import probabilities


@pytest.mark.parametrize(("share", "least"), [(0.3, 0.2), (0.5, 0.1), (0.2, 0.2), (1.0, 0.5)])
def test_probabilities_are_in_proportion_to_the_root_within_their_limits(
    share: float, least: float
) -> None:
    doubt = np.random.default_rng(0).random(5000) ** 4
    found = probabilities(doubt, share, least)
    assert (found[:200] == share).all()
    assert found.min() >= least
    assert found.max() <= 1
    assert found[1000:].mean() == pytest.approx(share, rel=0.1)
    inside = np.flatnonzero((found > least) & (found < 1))
    block = inside[inside >= 3200]
    if len(block) > 1 and share not in (least, 1.0):
        ratio = found[block] / np.sqrt(doubt[block])
        assert np.ptp(ratio) == pytest.approx(0, abs=1e-9 * ratio.mean())


def test_a_probability_depends_on_the_row_and_earlier_rows_alone() -> None:
    doubt = np.random.default_rng(1).random(3000)
    found = probabilities(doubt, 0.3, 0.1)
    for n in (1, 200, 201, 700, 1999):
        np.testing.assert_array_equal(probabilities(doubt[:n], 0.3, 0.1), found[:n])
    later = doubt.copy()
    later[1500:] = 0.0
    np.testing.assert_array_equal(probabilities(later, 0.3, 0.1)[:1500], found[:1500])


def test_no_doubt_at_all_and_the_same_doubt() -> None:
    assert (probabilities(np.zeros(1000), 0.3, 0.2)[200:] == 0.2).all()
    np.testing.assert_allclose(probabilities(np.full(1000, 0.4), 0.3, 0.2), 0.3)

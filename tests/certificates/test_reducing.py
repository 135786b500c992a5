from __future__ import annotations

import numpy as np
import pytest

from limbeck.certificates.reducing import losses_by_draw


def test_copies_count_once_and_the_largest_loss_counts() -> None:
    losses, first = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 1, 1, 0])
    assert losses_by_draw(losses, first).tolist() == [1.0, 1.0]
    assert losses_by_draw(losses, np.arange(4)).tolist() == losses.tolist()


def test_a_case_has_the_mean_loss_of_its_different_rows() -> None:
    losses = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    cases = np.array(["b", "a", "b", "b", "a"])
    np.testing.assert_allclose(losses_by_draw(losses, np.arange(5), cases), [2 / 3, 0.0])
    copied = np.array([0, 1, 2, 0, 4])  # the fourth row copies the first
    np.testing.assert_allclose(losses_by_draw(losses, copied, cases), [1 / 2, 0.0])


def test_one_row_of_each_case_has_the_same_expectation() -> None:
    rng = np.random.default_rng(0)
    cases = np.repeat(np.arange(4_000), rng.integers(1, 9, 4_000))
    losses = rng.random(len(cases))
    drawn = losses_by_draw(losses, np.arange(len(cases)), cases, one=True)
    assert len(drawn) == 4_000
    assert set(drawn) <= set(losses)
    means = losses_by_draw(losses, np.arange(len(cases)), cases)
    assert drawn.mean() == pytest.approx(means.mean(), abs=4 * 0.3 / 4_000**0.5)
    again = losses_by_draw(losses, np.arange(len(cases)), cases, one=True)
    np.testing.assert_array_equal(drawn, again)
    # every row of a case may be the one
    last = np.flatnonzero(np.diff(cases, append=-1))
    assert 0.2 < np.isin(drawn, losses[last]).mean() < 0.6

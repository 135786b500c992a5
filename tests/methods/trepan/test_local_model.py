from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.methods.trepan.local_model import LocalModel, boxed, differs
from limbeck.students.m_of_n.count_tests import CountTest
from limbeck.students.rules.clause import Clause
from limbeck.students.tree.conditions import Condition

FEATURES = Features((
    Feature("x"), Feature("whole"), Feature("c", "categorical", levels=("u", "v", "w")),
))  # fmt: skip


def rows(n: int = 500, holes: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    values = np.column_stack([
        rng.normal(size=n), rng.integers(0, 5, n), rng.choice(3, n, p=[0.6, 0.3, 0.1]),
    ]).astype(float)  # fmt: skip
    values[rng.random(n) < holes, 0] = np.nan
    return values


def literal(j: int, **given) -> Clause:
    return Clause.of({j: Condition(FEATURES.columns[j], missing=False, **given)})


def test_draws_have_the_distribution_of_the_columns():
    values = rows(2000, holes=0.1)
    drawn = LocalModel(FEATURES, values).draw((), 4000, np.random.default_rng(1))
    assert drawn.shape == (4000, 3)
    there = ~np.isnan(drawn[:, 0])
    assert 1 - there.mean() == pytest.approx(0.1, abs=0.02)
    assert stats.ks_2samp(drawn[there, 0], values[~np.isnan(values[:, 0]), 0]).pvalue > 0.01
    assert set(np.unique(drawn[:, 1])) == set(range(5))
    assert np.bincount(drawn[:, 2].astype(int)) / 4000 == pytest.approx([0.6, 0.3, 0.1], abs=0.04)
    assert np.nanmin(drawn[:, 0]) >= np.nanmin(values[:, 0])


def test_the_kernel_is_as_wide_as_published():
    x = np.array([0.5, 10.5])
    features = Features((Feature("x"),))
    values = np.repeat([[0.5], [10.5], [5.3]], [50, 49, 1], axis=0)
    drawn = LocalModel(features, values).draw((), 20000, np.random.default_rng(0))[:, 0]
    near = drawn[(drawn < 3)] - x[0]
    # Half of a normal of standard deviation std / sqrt(n), since nothing is drawn below the range.
    width = values.std() / np.sqrt(100)
    assert near.mean() == pytest.approx(width * np.sqrt(2 / np.pi), rel=0.05)


@pytest.mark.parametrize("passed", [True, False])
def test_draws_keep_to_the_path(passed):
    single = CountTest(1, (literal(0, low=0.5),))
    level = CountTest(1, (literal(2, codes=frozenset({0.0})),))
    many = CountTest(2, (literal(0, high=1.5), literal(1, low=2.5),
                         literal(2, without=frozenset({1.0}))))  # fmt: skip
    path = ((single, passed), (level, passed), (many, passed))
    drawn = LocalModel(FEATURES, rows(holes=0.2)).draw(path, 300, np.random.default_rng(1))
    assert len(drawn) == 300
    for asked, held in path:
        assert (asked.holds(drawn) == held).all()


def test_what_a_path_settles():
    both = CountTest(2, (literal(0, low=0.5), literal(1, high=3.0)))
    box, rest = boxed(((both, True),))
    assert set(box) == {0, 1}
    assert not rest
    box, rest = boxed(((both, False),))
    assert not box
    assert rest == [(both, False)]


def test_impossible_paths_end():
    never = CountTest(
        2, (literal(0, low=99.0), literal(1, low=99.0), literal(2, codes=frozenset()))
    )
    assert (
        len(LocalModel(FEATURES, rows()).draw(((never, True),), 50, np.random.default_rng(0))) == 0
    )


def test_a_node_differs_only_where_a_column_does():
    values = rows(1500)
    rng = np.random.default_rng(3)
    some = values[rng.permutation(1500)[:300]]
    assert not differs(FEATURES, some, values, (), 0.1)
    shifted = some + np.array([0.5, 0, 0])
    assert differs(FEATURES, shifted, values, (), 0.1)
    other = np.where(rng.random((300, 1)) < 0.4, [[0, 0, 2.0]], some)
    assert differs(FEATURES, other, values, (), 0.1)
    # What the path cuts off is no difference: that is cut off from the ancestor as well.
    cut = CountTest(1, (literal(0, low=0.0),))
    assert not differs(FEATURES, some[some[:, 0] > 0], values, ((cut, True),), 0.1)
    assert differs(FEATURES, some[some[:, 0] > 0], values, (), 0.1)


def test_the_level_is_shared_by_the_columns():
    """Of nodes that are random parts at most a tenth are found to differ."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 8))
    features = Features.of(X)
    found = [differs(features, rng.normal(size=(100, 8)), X, (), 0.10) for _ in range(60)]
    assert np.mean(found) < 0.10 + 3 * np.sqrt(0.1 * 0.9 / 60)

from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.students.sparse_sum.crossfit import FoldJudge, pattern
from limbeck.students.sparse_sum.refit import refit
from limbeck.students.sparse_sum.sum_data import SumData, cross_entropy, row_losses

RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, 5)) * [1, 2, 3, 4, 5] + 1
FOLD = np.arange(300) // 60
WEIGHT = RNG.random(300) + 0.5


def data_of(classes: int) -> SumData:
    z = np.column_stack([0 * X[:, 0], 2 * X[:, 0], X[:, 1] - X[:, 2]])
    if not classes:
        soft = z[:, 1:2] + z[:, 2:]
    else:
        e = np.exp(z[:, :classes])
        soft = e / e.sum(axis=1, keepdims=True)
    return SumData(
        Features.of(X), X, soft, WEIGHT, FOLD, np.ones(300, dtype=bool), classes > 0
    )  # fmt: skip


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_a_sum_is_judged_on_the_fold_that_it_was_fitted_without(classes) -> None:
    """As refit does it from the start, whatever was judged before."""
    data = data_of(classes)
    away = X - X.mean(axis=0)
    judge = FoldJudge(data, (away / X.std(axis=0)).T.astype(np.float32), 2)
    outputs = [(0, 0), (1, 0)] if classes < 3 else [(0, 1), (1, 2), (2, 2)]
    rest, inside = np.flatnonzero(FOLD != 2), np.flatnonzero(FOLD == 2)
    for chosen in (outputs[:1], outputs, outputs[:1], outputs[::-1]):
        order = [m for m, _ in chosen]
        known = data.take(rest)
        used, levels = pattern(chosen, order, known)
        weights, level = refit(
            X[np.ix_(rest, order)], used, levels, known.soft, known.weight, data.classifies
        )
        total = X[np.ix_(inside, order)] @ weights + level
        hard, soft = judge.losses(chosen)
        assert hard == pytest.approx(row_losses(total, data, inside), abs=1e-2)
        if classes:
            assert soft == pytest.approx(cross_entropy(total, data.soft[inside]), abs=5e-3)


def test_no_term_is_the_most_frequent_class_alone() -> None:
    data = data_of(3)
    used, levels = pattern([], [], data)
    assert used.shape == (0, 3)
    assert levels.tolist() == [c == data.soft.mean(axis=0).argmax() for c in range(3)]

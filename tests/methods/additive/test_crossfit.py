from __future__ import annotations

import numpy as np

from limbeck.core.columns import Features, Rows
from limbeck.core.task import Task
from limbeck.data.splits import FOLDS
from limbeck.methods.additive.crossfit import CurveCrossFit, CurveSettings
from limbeck.students.additive.constraints import Constraints


def made(n: int = 300, q: int = 200, **given) -> CurveCrossFit:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n + q, 3))
    y = np.sin(2 * X[:, 0]) + (X[:, 1] > 0)
    features = Features.of(X)
    fold = rng.permutation(n) % FOLDS
    source = rng.integers(0, n, q)
    settings = CurveSettings(Constraints(**given), 16, 5, 0.05, 0.5)
    return CurveCrossFit(
        settings, Rows(features, X[:n]), Rows(features, X[n:]), y[:, None], y[:n], np.ones(n), None,
        fold, [fold[source] == at for at in range(FOLDS)], Task(),
    )  # fmt: skip


def test_losses_are_those_of_fits_without_the_fold() -> None:
    fit = made()
    losses, _ = fit.left_out((8.0, None), (0.01,))
    at = 3
    held, problem = fit.fold == at, fit.problem
    keep = np.append(~held, ~fit.near[at])
    weight = problem.weight * keep
    n = 300
    own, theirs = weight[:n].sum(), weight[n:].sum()
    weight[n:] *= fit.shares[1] / fit.shares[0] * own / theirs
    sums = problem.steps.moments(problem.cells, problem.target, weight)
    for b, one in enumerate(problem.path(sums, 0.01, (8.0, None))):
        scores = problem.add_up(one, problem.cells)[:n][held, 0]
        expected = (scores - fit.answers[held]) ** 2 / fit.answers.var()
        assert np.allclose(losses[0, b, held], expected)


def test_the_frontier_grows_and_the_choice_is_on_it() -> None:
    chosen = made().choose()
    sizes = [s.size for s in chosen.frontier]
    assert sizes == sorted(set(sizes))
    assert chosen.student in chosen.frontier
    assert [size for size, _ in chosen.trace["frontier"]] == sizes
    losses = [loss for _, loss in chosen.trace["left_out"]]
    assert losses[-1] < losses[0]


def test_a_limit_on_numbers_is_kept_and_named_as_the_remedy() -> None:
    chosen = made(max_numbers=10).choose()
    assert max(s.numbers for s in chosen.frontier) <= 10
    assert "Raise max_numbers" in chosen.status.remedy


def test_few_rows_are_fitted_without_leaving_any_out() -> None:
    chosen = made(n=8, q=0).choose()
    assert "left_out" not in chosen.trace

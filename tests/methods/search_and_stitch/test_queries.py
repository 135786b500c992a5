from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features, Rows
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.data.splits import split_folds
from limbeck.methods.search_and_stitch import queries as asking
from limbeck.methods.search_and_stitch.queries import AnsweredQueries, Trials, ask
from limbeck.methods.told_rows import ToldRows
from limbeck.teachers import CallableTeacher


def trials_of(function, X, task, sizes=(2, 3, 4), seed=0):
    rows = Features.of(X).rows(X)
    fold = split_folds(rows.values, np.random.default_rng(seed))
    told = ToldRows(rows, np.zeros((len(X), 0)), function(X), np.ones(len(X)), None)
    return Trials(told, fold, task, 0.5, sizes)


def bent(X):
    """Told by the first column alone on the data, where both columns are equal."""
    return np.where(np.abs(X[:, 0] - X[:, 1]) > 0.3, X[:, 2] > 0, X[:, 0] > 0.1).astype(int)


def together(n=300, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return np.column_stack([x, x + 0.01 * rng.normal(size=n), rng.normal(size=n)])


def asked_by(function, X, n, sampler, classes=(0, 1), seed=0):
    task = Task(tuple(classes)) if classes else Task()
    teacher = CallableTeacher(function, classes=classes)
    return ask(
        teacher, trials_of(function, X, task), n, sampler, np.random.default_rng(seed), quiet
    )


def test_a_sampler_that_leaves_the_data_is_not_kept():
    found = asked_by(bent, together(), 5000, "auto")
    assert set(found.trials) == {"munge", "gaussian_copula", "jitter", "none"}
    assert found.sampler == max(found.trials, key=lambda k: found.trials[k])
    assert found.trials["jitter"] < max(found.trials.values())
    assert found.sampler != "jitter"


def test_the_queries_of_trials_are_counted_and_those_of_the_best_used():
    counted = []

    def smooth(X):
        counted.append(len(X))
        return (np.sin(3 * X[:, 0]) + X[:, 1] > 0).astype(int)

    X = np.random.default_rng(0).normal(size=(120, 2))
    found = asked_by(smooth, X, 5000, "auto")
    assert found.sampler != "none"
    assert found.total == sum(counted) - len(X) == 5000
    assert len(found.rows) == len(found.answers) == len(found.sources) == 3000


def test_where_no_sampler_helps_none_is_kept_and_only_trials_were_asked(monkeypatch):
    monkeypatch.setattr(Trials, "losses", lambda self, asked: np.full(300, float(len(asked.rows))))
    found = asked_by(bent, together(), 5000, "auto")
    assert (found.sampler, len(found.rows), found.total) == ("none", 0, 3000)


@pytest.mark.parametrize(("n", "sampler"), [(0, "auto"), (500, "none"), (0, "munge")])
def test_no_queries(n, sampler):
    found = asked_by(bent, together(), n, sampler)
    assert (found.sampler, found.total, len(found.rows)) == ("none", 0, 0)


def test_few_queries_or_rows_are_not_spent_on_trials():
    assert asked_by(bent, together(), asking.FEWEST - 1, "auto").trials == {}
    few = asked_by(bent, together(9), 5000, "auto")
    assert (few.trials, few.sampler, few.total) == ({}, "munge", 5000)


def test_a_named_sampler_or_ones_own_is_used_as_it_is():
    class Own:
        def draw(self, rows, n, rng):
            return rows[np.zeros(n, dtype=int)]

        def describe(self):
            return "the first row"

    assert asked_by(bent, together(), 100, "jitter").sampler == "jitter"
    own = asked_by(bent, together(), 100, Own())
    assert (own.sampler, own.sources.shape) == ("Own", (100, 0))


def test_agreement_is_one_less_the_loss_or_r_squared():
    X = together()
    trials = trials_of(bent, X, Task((0, 1)))
    assert trials.agreement(np.full(300, 0.25)) == 0.75
    values = trials_of(lambda X: X[:, 0], X, Task())
    assert values.agreement(np.full(300, X[:, 0].var() / 4)) == pytest.approx(0.75)
    assert values.agreement(np.zeros(300)) == 1.0


def test_rows_of_a_fold_and_queries_made_of_them_are_left_out(monkeypatch):
    X = together(50)
    trials = trials_of(bent, X, Task((0, 1)))
    sources = np.arange(50)[:, None]
    asked = AnsweredQueries(
        Rows(trials.told.rows.features, X + 100.0), bent(X), sources, "mine", 50
    )
    seen = []

    def spy(self, kept, weight, judged, truth, most):
        seen.append((np.vstack([X, X + 100.0])[kept], judged.values, weight))
        return np.zeros((most, len(judged)))

    monkeypatch.setattr(asking.GreedyTrees, "losses", spy)
    trials.losses(asked)
    for grown, judged, weight in seen:
        assert len(grown) == 80
        assert len(judged) == 10
        for row in judged:
            assert not (grown == row).all(axis=1).any()
            assert not (grown == row + 100.0).all(axis=1).any()
        assert weight[:40].sum() == pytest.approx(weight[40:].sum())


def test_the_same_seed_asks_the_same():
    a, b = (asked_by(bent, together(), 3000, "auto") for _ in range(2))
    np.testing.assert_array_equal(a.rows.values, b.rows.values)
    assert a.trials == b.trials

from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import AccessDenied
from limbeck.core.progress import quiet
from limbeck.methods.budgets import query_budget
from limbeck.methods.scored_queries import ScoredQueries, ask_scores
from limbeck.samplers.named import TRIED
from limbeck.teachers import as_teacher

X = np.random.default_rng(0).normal(size=(200, 3))
ROWS = Features.of(X).rows(X)
TEACHER = as_teacher(lambda x: np.asarray(x)[:, 0], regression=True)


def ask(n, sampler, agreement=lambda q: 0.0) -> ScoredQueries:
    rng = np.random.default_rng(0)
    return ask_scores(TEACHER, ROWS, n, sampler, agreement, 1, rng, quiet)


def test_a_named_sampler_gets_all_queries() -> None:
    asked = ask(50, "jitter")
    assert asked.total == len(asked.rows) == 50
    assert np.allclose(asked.scores[:, 0], asked.rows.values[:, 0])
    fold = np.arange(200) % 5
    near = asked.touched(fold, 2)
    assert (near == (asked.sources[:, 0] % 5 == 2)).all()


def test_the_best_of_those_tried_gets_the_rest() -> None:
    asked = ask(5000, "auto", lambda q: float(q.sampler == "jitter"))
    assert asked.sampler == "jitter"
    assert asked.total == 5000
    assert len(asked.rows) == 5000 - 2 * 1000
    assert set(asked.trials) == {*TRIED, "none"}
    assert len(asked.rows) == len(asked.scores) == len(asked.sources)


def test_none_wins_where_rows_alone_do_better() -> None:
    asked = ask(5000, "auto", lambda q: float(q.sampler == "none"))
    assert asked.sampler == "none"
    assert len(asked.rows) == 0
    assert asked.total == 3000
    assert ask(0, "auto").total == ask(10, "none").total == 0


def test_stored_scores_answer_no_queries() -> None:
    stored = as_teacher((X, np.zeros(200)), regression=True)
    assert query_budget(TEACHER, None) == 10_000
    assert query_budget(stored, None) == 0
    with pytest.raises(AccessDenied, match="stored rows only"):
        query_budget(stored, 5)

from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import AccessDenied
from limbeck.core.progress import quiet
from limbeck.methods.soft_answers import ask_softly, soft_of
from limbeck.teachers.callable import CallableTeacher
from limbeck.teachers.stored import StoredScores

X = np.random.default_rng(0).standard_normal((300, 3))
ROWS = Features.of(X).rows(X)


def logits(X: np.ndarray) -> np.ndarray:
    return np.column_stack([np.zeros(len(X)), 2 * X[:, 0]])


def teacher() -> CallableTeacher:
    return CallableTeacher(logits, classes=("no", "yes"), score_kind="logit")


def asked(**settings):
    return ask_softly(teacher(), ROWS, np.random.default_rng(0), quiet, **settings)


def test_logits_become_probabilities() -> None:
    soft = soft_of(teacher().scores(X), teacher())
    assert soft[:, 1] == pytest.approx(1 / (1 + np.exp(-2 * X[:, 0])))


def test_queries_weigh_half_and_stay_in_the_fold_of_their_rows() -> None:
    found = asked(queries=1000)
    data = found.data
    assert data.judged.sum() == 300
    assert abs(found.queries - 1000) <= 3
    own, theirs = data.weight[:300].sum(), data.weight[300:].sum()
    assert own == pytest.approx(theirs)
    for at in range(5):
        inside = data.values[:300][data.fold[:300] == at]
        drawn = data.values[300:][data.fold[300:] == at]
        # munge moves values towards those of a neighbour or keeps them: some are of the fold's rows
        kept = np.isin(drawn, inside)
        assert kept.mean() > 0.3
        assert not np.isin(drawn, X[data.fold[:300] != at]).any()


def test_without_queries_the_weights_of_rows_average_one() -> None:
    data = asked(queries=0, sample_weight=np.arange(300.0)).data
    assert len(data.values) == 299  # a row of weight 0 is left out
    assert data.weight.mean() == pytest.approx(1.0)
    assert asked(sampler="none").sampler == "none"


def test_a_balanced_teacher_weighs_its_classes_alike() -> None:
    data = asked(queries=500, class_weight="balanced").data
    hard = data.soft.argmax(axis=1)
    own = np.arange(len(hard)) < 300
    shares = [data.weight[own & (hard == c)].sum() for c in (0, 1)]
    assert shares[0] == pytest.approx(shares[1])


def test_stored_scores_cannot_be_queried() -> None:
    stored = StoredScores(X, logits(X), classes=("no", "yes"), score_kind="logit")
    assert ask_softly(stored, ROWS, np.random.default_rng(0), quiet).queries == 0
    with pytest.raises(AccessDenied, match="10 queries"):
        ask_softly(stored, ROWS, np.random.default_rng(0), quiet, queries=10)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.teachers import Endpoint
from limbeck.teachers.endpoints.retries import Retries
from limbeck.teachers.endpoints.spending import Price

X = np.random.default_rng(0).random((200, 2))
QUICK = Retries(3, base=0.01)


def made(service: Any, tmp_path: Any, **settings: Any) -> Endpoint:
    settings = {"classes": [0, 1], "batch": 16, "retries": QUICK, **settings}
    return Endpoint(service.url, store=tmp_path / "answers.sqlite", **settings)


def test_rows_are_answered_in_their_order_and_paid_for_once(sums, tmp_path):
    teacher = made(sums, tmp_path)
    assert np.array_equal(teacher.scores(X).argmax(axis=1), X.sum(axis=1) > 1)
    assert len(sums.requests) == 13
    again = made(sums, tmp_path)
    found = again.answers(X[::-1])
    assert (found.asked, found.requests, len(sums.requests)) == (0, 0, 13)
    assert np.array_equal(found.scores.argmax(axis=1), X[::-1].sum(axis=1) > 1)


def test_a_row_that_stands_twice_is_one_question(sums, tmp_path):
    found = made(sums, tmp_path, batch=1).answers(np.repeat(X[:5], 4, axis=0))
    assert (found.asked, len(sums.requests)) == (5, 5)
    assert found.answered.all()


@pytest.mark.parametrize("setting", [{"model": "b"}, {"revision": "2"}])
def test_another_model_or_revision_is_asked_anew(sums, tmp_path, setting):
    made(sums, tmp_path).scores(X[:5])
    assert made(sums, tmp_path, **setting).estimate(X[:5]).questions == 5


def test_a_budget_is_checked_before_the_first_call(sums, tmp_path):
    teacher = made(sums, tmp_path, budget=12)
    assert teacher.estimate(X).requests == 13
    with pytest.raises(LimbeckError, match="13 requests are needed, and 12 of the budget"):
        teacher.scores(X)
    assert not sums.requests
    assert teacher.scores(X[:192]).shape == (192, 2)
    with pytest.raises(LimbeckError, match="0 of the budget of 12"):
        teacher.scores(X)


def test_money_is_counted_and_limited(sums, tmp_path):
    settings = {"price": Price(per_request=0.5, currency="EUR"), "batch": 50}
    teacher = made(sums, tmp_path, budget_cost=1.75, **settings)
    assert str(teacher.estimate(X)).startswith(
        "200 rows: 0 answered already, 200 questions in 4 requests, about 2 EUR."
    )
    with pytest.raises(LimbeckError, match="About 2 EUR are needed"):
        teacher.scores(X)
    assert teacher.answers(X[:150]).cost == 1.5
    assert teacher.store.spent(teacher.name) == (3, 150, 1.5)


def test_failed_requests_count_against_the_budget(service, reply, tmp_path):
    service.respond = lambda body, n: reply({}, status=503)
    found = made(service, tmp_path, budget=3, retries=Retries(9, base=0.0)).answers(X[:1])
    assert len(service.requests) == 3
    assert found.missing[0].reason == "the budget is spent"


def test_it_is_distilled_without_questions_of_its_own(sums, tmp_path):
    teacher = made(sums, tmp_path)
    result = limbeck.distill(teacher, X, into="linear")
    assert result.queries == 0
    assert sum(len(body["instances"]) for _, body in sums.requests) == 200
    assert any("asked about the given rows only" in note for note in result.notes)
    assert any("200 questions in 13 requests" in note for note in result.notes)


def test_a_distillation_beyond_the_budget_asks_nothing(sums, tmp_path):
    with pytest.raises(LimbeckError, match="13 requests are needed"):
        limbeck.distill(made(sums, tmp_path, budget=5), X)
    assert not sums.requests


def test_a_teacher_no_better_than_chance_is_refused_first(sums, tmp_path):
    labels = np.random.default_rng(1).integers(0, 2, 200)
    with pytest.raises(LimbeckError, match="no better than chance on the labels"):
        limbeck.distill(made(sums, tmp_path), X, labels)
    assert sum(len(body["instances"]) for _, body in sums.requests) == 112
    result = limbeck.distill(made(sums, tmp_path, force=True), X, labels, into="linear")
    assert any("exact binomial test" in note for note in result.notes)

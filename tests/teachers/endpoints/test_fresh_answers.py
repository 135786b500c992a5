from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.certificates.sequential import AnytimeBound
from limbeck.students import Tree
from limbeck.teachers import Endpoint
from limbeck.teachers.endpoints.fresh_answers import rows_planned
from limbeck.teachers.endpoints.retries import Retries
from limbeck.teachers.endpoints.spending import Price

X = np.random.default_rng(0).random((1500, 2))
STUDENT = Tree(max_leaves=2).fit(X[:500], X[:500, 0] > 0.5)


def made(service: Any, tmp_path: Any, **settings: Any) -> Endpoint:
    return Endpoint(
        service.url, classes=[False, True], score_kind="label", store=tmp_path / "a.sqlite",
        retries=Retries(1, base=0.0), **settings,
    )  # fmt: skip


def test_a_certificate_asks_until_it_is_reached_and_says_what_was_saved(service, reply, tmp_path):
    def respond(body: Any, n: int) -> Any:
        return reply({"predictions": [row[0] > 0.5 for row in body["instances"]]})

    service.respond = respond
    teacher = made(service, tmp_path, price=Price(per_request=0.5, currency="EUR"))
    draws = limbeck.fresh_answers(teacher, X[500:], batch=4)
    certificate = limbeck.certify(STUDENT, until=0.05, draws=draws)
    assert certificate.reached
    asked = sum(len(body["instances"]) for _, body in service.requests)
    assert certificate.n <= asked == draws.asked < certificate.n + 4
    saved = draws.saved(certificate)
    assert saved.fixed == rows_planned(certificate.mean_loss, 0.05, 0.05)
    assert draws.cost == len(service.requests) * 0.5
    assert str(saved).startswith(f"{asked} questions for {draws.cost:.4g} EUR.")


def test_draws_are_a_plain_random_sample(service, reply, tmp_path):
    service.respond = lambda body, n: reply({"predictions": [True] * len(body["instances"])})
    draws = limbeck.fresh_answers(made(service, tmp_path), X, batch=100, seed=3)
    first = np.vstack([rows for rows, _ in draws])
    assert np.array_equal(first, X[np.random.default_rng(3).permutation(1500)])


def test_rows_without_an_answer_are_left_out_and_said(service, reply, tmp_path):
    def respond(body: Any, n: int) -> Any:
        told = [bool(row[0] > 0.5) if row[1] < 0.9 else "?" for row in body["instances"]]
        return reply({"predictions": told})

    service.respond = respond
    draws = limbeck.fresh_answers(made(service, tmp_path), X[500:])
    certificate = limbeck.certify(STUDENT, until=0.05, draws=draws)
    lacking = {m.row for m in draws.missing}
    assert lacking == set(draws.order[: draws.asked]) & set(np.flatnonzero(X[500:, 1] >= 0.9))
    assert f"{len(lacking)} rows had no answer" in str(draws.saved(certificate))


def test_no_rows_are_refused():
    with pytest.raises(LimbeckError, match="There is no row"):
        limbeck.fresh_answers(limbeck.as_teacher((X, X[:, 0]), regression=True), X[:0])
    with pytest.raises(LimbeckError, match="is not yet a teacher"):
        limbeck.fresh_answers(lambda rows: rows, X)


def test_stopping_early_needs_fewer_questions_than_a_number_fixed_beforehand():
    """True error 0.01, epsilon 0.05, delta 0.05: the median of 200 runs, and Wald's least mean."""
    asked = []
    for seed in range(200):
        bound = AnytimeBound(0.05, 0.05)
        losses = (np.random.default_rng(seed).random(2000) < 0.01).astype(float)
        assert bound.update(losses)
        asked.append(bound.n)
    relative_entropy = 0.01 * np.log(0.01 / 0.05) + 0.99 * np.log(0.99 / 0.95)
    assert np.median(asked) <= 0.7 * rows_planned(0.01, 0.05, 0.05)
    assert np.mean(asked) <= 1.2 * np.log(1 / 0.05) / relative_entropy


def test_nothing_is_said_to_be_saved_where_the_bound_is_not_reached():
    rows = np.random.default_rng(0).random((100, 1))
    student = limbeck.students.Tree(max_leaves=2).fit(rows, rows[:, 0] > 0.5)
    teacher = limbeck.as_teacher(lambda X: X[:, 0] > 0.3, classes=(False, True))
    draws = limbeck.fresh_answers(teacher, rows)
    certificate = limbeck.certify(student, until=0.05, draws=draws)
    saved = draws.saved(certificate)
    assert not certificate.reached
    assert saved.fixed is None
    assert str(saved) == "100 questions. What was asked for is not reached, so nothing was saved."

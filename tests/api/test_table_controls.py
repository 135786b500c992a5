from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from limbeck.api.distill_table import TableSteps
from limbeck.api.prepare.table import Known, Request
from limbeck.api.table_controls import baselines, controlled, made_from
from limbeck.core.contract import MethodResult
from limbeck.core.status import Status, StatusCode
from limbeck.methods.linear import MatchLinear, match_linear
from limbeck.methods.soft_answers import soft_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2))
Y = (X[:, 0] + 0.5 * RNG.normal(size=300) > 0).astype(int)
TEACHER = LogisticRegression().fit(X, Y)


def asked(y: Any = Y, **given: Any) -> tuple[Request, Known]:
    request = Request(TEACHER, X, y, MatchLinear(), "linear", 0.1, 0.1, 0, **given)
    steps = TableSteps(request)
    data = steps.read()
    return request, steps.understand(data, steps.split(data))


def chance() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_control_learns_from_the_labels_that_there_are() -> None:
    some = Y.astype(float)
    some[::3] = np.nan
    request, known = asked(some)
    assert known.fit_y is not None
    there = np.flatnonzero(known.fit_y >= 0)
    assert 0 < len(there) < len(known.fit_y)
    alone = request.method.learn(
        known.apart.fit_rows[there], known.fit_y[there], known.task, chance()
    )
    assert controlled(request, known, chance()).fingerprint() == alone.fingerprint()


def test_weights_of_rows_and_of_classes_multiply() -> None:
    weight = RNG.uniform(1, 3, 300)
    request, known = asked(sample_weight=weight, class_weight={0: 1.0, 1: 7.0})
    assert known.fit_y is not None
    assert known.apart.fit.weight is not None
    both = known.apart.fit.weight * np.where(known.fit_y == 1, 7.0, 1.0)
    alone = request.method.learn(
        known.apart.fit_rows, known.fit_y, known.task, chance(), sample_weight=both
    )
    assert controlled(request, known, chance()).fingerprint() == alone.fingerprint()


class Identified:
    """A teacher that says by what it is known again."""

    identity = b"the same"

    def __init__(self, inner: Any) -> None:
        self.inner, self.task = inner, inner.task


def test_the_key_of_a_piece_changes_with_all_that_it_is_made_from() -> None:
    request, known = asked()
    plain: Any = known.teacher
    known = replace(known, teacher=Identified(plain))  # type: ignore[arg-type]
    first = made_from(request, known, 1)

    def same(other: list[Any]) -> bool:
        return all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))

    assert same(made_from(request, known, 1))
    assert not same(made_from(request, known, 2))
    assert not same(made_from(replace(request, seed=1), known, 1))
    assert not same(made_from(replace(request, class_weight="balanced"), known, 1))
    assert not same(made_from(request, replace(known, fit_y=None), 1))
    # nobody finds the pieces of a teacher that is not known again
    unknown = replace(known, teacher=plain)
    assert not np.array_equal(made_from(request, unknown, 1)[3], made_from(request, unknown, 1)[3])


def test_the_linear_baseline_is_what_into_linear_gives_and_rivals_come_first() -> None:
    request, known = asked()
    rows = known.apart.fit_rows
    student = match_linear(rows, soft_of(known.teacher.scores(rows.native()), known.teacher), None,
                           known.task)  # fmt: skip
    status = Status(StatusCode.COMPLETE, "Done.")
    linear, others = baselines(request, known, MethodResult(student, status), chance())
    assert linear is not None
    assert linear.fingerprint() == student.fingerprint()
    rivals = {"rival": student}
    named = MethodResult(student, status, rivals=rivals)
    assert baselines(request, known, named, chance())[1] == rivals
    assert others != rivals

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from limbeck.api.kept_steps import kept_result, kept_student, kept_students
from limbeck.core.columns import Features
from limbeck.core.contract import MethodResult
from limbeck.core.pieces import keeping
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.methods.linear import match_linear

X = np.random.default_rng(0).normal(size=(30, 2))


def linear(column: int) -> Any:
    rows = Features.of(X).rows(X)
    return match_linear(rows, X[:, [column]], None, Task.of("regression", 1))


def never() -> Any:
    raise AssertionError("it was kept")


def test_a_result_is_read_as_it_was_made_with_equal_students_one(tmp_path: Path) -> None:
    one, two = linear(0), linear(1)
    status = Status(StatusCode.LIMIT, "done", "nothing")
    made = MethodResult(one, status, 7, (two, one), {"loss": 0.5}, {"rival": two}, (one,))
    with keeping(tmp_path):
        kept_result("student", lambda: [1], lambda: made)
        found = kept_result("student", lambda: [1], never)
    assert found.student is found.frontier[1] is found.steps[0]
    assert (found.status, found.queries, dict(found.trace)) == (status, 7, {"loss": 0.5})
    assert found.student.to_dict() == one.to_dict()
    assert found.frontier[0].to_dict() == found.rivals["rival"].to_dict() == two.to_dict()


def test_students_and_none_are_kept_and_other_inputs_are_made_again(tmp_path: Path) -> None:
    one = linear(0)
    with keeping(tmp_path):
        kept_student("control", lambda: [X], lambda: one)
        kept_students("baselines", lambda: [X], lambda: (None, {"a": one}))
        assert kept_student("control", lambda: [X], never).to_dict() == one.to_dict()
        nothing, others = kept_students("baselines", lambda: [X], never)
        again = kept_student("control", lambda: [X + 1], lambda: linear(1))
    assert again.to_dict() == linear(1).to_dict() != one.to_dict()
    assert nothing is None
    assert others["a"].to_dict() == one.to_dict()

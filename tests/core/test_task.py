from __future__ import annotations

from typing import Any

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind


def test_labels_keep_their_own_type() -> None:
    assert Task((0, 1, 2)).labels.dtype.kind == "i"
    assert Task(("no", "yes")).labels.tolist() == ["no", "yes"]
    mixed = Task((False, "x")).labels
    assert mixed.dtype == object
    assert mixed[0] is False
    assert not Task(unit="mm").classifies


def test_a_task_knows_its_kind_and_outputs_by_what_is_named() -> None:
    assert (Task(("no", "yes")).kind, Task(("no", "yes")).outputs) == ("classification", 2)
    assert (Task(unit="mm").kind, Task(unit="mm").outputs) == ("regression", 1)
    assert Task(("no", "yes")) == Task(("no", "yes"), kind=TaskKind.CLASSIFICATION, outputs=2)
    assert Task(("no", "yes")) != Task.of("classification", 2)  # without names


@pytest.mark.parametrize("kind", list(TaskKind))
def test_what_a_kind_of_task_answers(kind: TaskKind) -> None:
    task = Task.of(str(kind), 5)
    assert task.kind is kind
    assert task.outputs == 5
    assert task.classifies == (kind in ("classification", "tokens", "language"))
    assert task.sequential == (kind in ("tokens", "language"))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Task.of("clasification", 2), "Did you mean 'classification'"),
        (lambda: Task.of("tokens", 0), "tokens has no outputs"),
        (lambda: Task(("a", "b"), outputs=3), "2 classes were given for classification with 3"),
        (lambda: Task(("a", "b"), kind=TaskKind.REGRESSION), "leave classes out"),
    ],
)
def test_a_task_that_contradicts_itself_is_refused(made: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        made()

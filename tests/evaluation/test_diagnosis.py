"""What holds a student back: too small, too few inputs, a teacher too certain."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.evaluation.diagnosis import diagnosis  # noqa: E402
from limbeck.networks import GoldLabels, SoftTargets  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402

TASK = Task(kind=TaskKind.CLASSIFICATION, outputs=2, classes=(0, 1))
X = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
SOFT = Objective.of(SoftTargets(temperature=2.0) + GoldLabels())


def line(a: float, b: float, scale: float = 1.0) -> Any:
    """Whether a x + b y is positive, in logits."""
    made = torch.nn.Linear(2, 2, bias=False)
    made.weight.data = scale * torch.tensor([[-a, -b], [a, b]])
    return made


def found(student: Any, teacher: Any, apart: float, aim: Objective = SOFT) -> tuple[str, ...]:
    rows = Samples.of(X, (X[:, 0] > 0).long()).aimed(TASK)
    return diagnosis(student, teacher, rows, TASK, aim, apart, 0.05, 64)


def test_a_student_that_cannot_fit_its_rows_is_too_small() -> None:
    (told,) = found(line(0, 1), line(1, 0), apart=0.5)
    assert "too small" in told
    assert "400 training rows" in told


def test_a_student_that_fits_its_rows_and_no_others_has_too_few() -> None:
    (told,) = found(line(1, 0), line(1, 0), apart=0.3)
    assert "too few inputs" in told
    assert "0.0% of 400 training rows, and on 30.0%" in told


def test_nothing_is_said_where_what_was_asked_for_is_reached() -> None:
    assert found(line(0, 1), line(1, 0), apart=0.04) == ()
    assert found(line(1, 0), None, apart=0.5) == ()


def test_a_teacher_that_is_certain_gets_a_temperature_that_is_not() -> None:
    (told,) = found(line(1, 0, 1e3), line(1, 0, 200.0), apart=0.0)
    assert "nearly always certain" in told
    better = float(told.rsplit("temperature=", 1)[1].rstrip("."))
    p = (line(1, 0, 200.0)(X) / better).softmax(-1)
    entropy = torch.special.entr(p).sum(-1).mean() / torch.log(torch.tensor(2.0))
    assert float(entropy.detach()) >= 0.05
    assert found(line(1, 0), line(1, 0, 200.0), 0.0, Objective.of(SoftTargets(better))) == ()
    assert found(line(1, 0), line(1, 0, 200.0), 0.0, Objective.of(GoldLabels())) == ()

"""A recipe fills in what was left open, and says so."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import limbeck  # noqa: E402
from limbeck.api.prepare.recipes import by_recipe  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.networks import Samples, Training  # noqa: E402

TASK = Task(kind=TaskKind.CLASSIFICATION, outputs=2, classes=(0, 1))


def test_what_was_given_stays() -> None:
    rows = Samples.of(torch.rand(8, 2), torch.tensor([0, 1] * 4))
    training, notes = by_recipe("patient", Training(), rows, TASK)
    assert (training.max_steps, training.mixup) == (12_000, 1.0)
    assert "12,000 updates, mixup=1" in notes[0]
    own = Training(epochs=3, mixup=0.2)
    assert by_recipe("patient", own, rows, TASK, alone=False) == (own, [])
    tokens = Samples.of(torch.ones(8, 2).long(), torch.tensor([0, 1] * 4))
    assert by_recipe("patient", Training(), tokens, TASK)[0].mixup is None
    with pytest.raises(InvalidInput, match="'patient'"):
        by_recipe("patent", Training(), rows, TASK)


def test_a_patient_run_learns_from_the_teacher_alone() -> None:
    X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    result = limbeck.distill(
        torch.nn.Linear(4, 2), X, (X[:, 0] > 0).long(), into=torch.nn.Linear(4, 2),
        recipe="patient", epochs=2, baseline=False, timing=False,
    )  # fmt: skip
    assert [name for name, *_ in result.settings["objective"]] == ["SoftTargets"]
    assert result.settings["training"]["mixup"] == 1.0
    assert any(
        "chose: the teacher's probabilities alone, without labels, mixup=1" in note
        for note in result.notes
    )

"""One seed's trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.utils.data import Dataset

from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.networks import (
    BornAgain,
    GoldLabels,
    SoftTargets,
    TeacherCache,
    TeacherConfident,
    TeacherCorrect,
)
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.loss import Objective
from limbeck.networks.strategies.train_network import TrainNetwork, make, started
from limbeck.networks.training.checkpoint import NAME
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Trained

TASK = Task.of("classification", 2)


@pytest.fixture(scope="module", autouse=True)
def brief_linear_models() -> None:
    """No: how good the linear model is, is asked here."""


def test_a_maker_is_called_after_the_seed_and_disturbs_nothing() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    a, b, c = (make(lambda: nn.Linear(2, 2), s) for s in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(a.weight, b.weight)
    assert not torch.equal(a.weight, c.weight)


def rounds(makers: list[Any], **changes: Any) -> TrainNetwork:
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    given: dict[str, Any] = {
        "makers": makers, "start": None, "teacher": None, "source": None,
        "rows": Samples.of((x, (x[:, 0] > 0).long())).aimed(TASK), "validation": None,
        "task": TASK, "objective": Objective.of(SoftTargets() + GoldLabels()),
        "training": Training(epochs=2, batch_size=8, lr=0.1), "mode": None, "filter": None,
    }  # fmt: skip
    return TrainNetwork(**{**given, **changes})


def test_peers_made_by_one_function_start_and_end_apart() -> None:
    def small() -> nn.Module:
        return nn.Linear(3, 2)

    one, two = rounds([small, small]).distill(0, None, quiet)
    assert not torch.equal(one.module.weight, two.module.weight)  # type: ignore[arg-type]


def test_the_control_starts_where_the_student_does() -> None:
    frozen = Training(epochs=1, batch_size=8, lr=0.0, weight_decay=0.0)
    teacher = nn.Linear(3, 2)
    each = rounds([lambda: nn.Linear(3, 2)], teacher=teacher, source=teacher, training=frozen)
    (student,), control = each.distill(4, None, quiet), each.learn(4, None, quiet)
    for a, b in zip(student.module.parameters(), control.module.parameters(), strict=True):
        assert torch.equal(a, b)


class Moving(Dataset[tuple[Tensor, Tensor]]):
    """Rows that are augmented at random."""

    def __len__(self) -> int:
        return 40

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        x = torch.full((3,), i / 40) + 0.1 * torch.randn(3)
        return x, torch.tensor(i % 2)


def dropping() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.3), nn.Linear(4, 2))


def steady() -> nn.Module:
    return nn.Linear(3, 2)


SILENT = Objective.of(GoldLabels() + 0.0 * SoftTargets(temperature=2))
SAME_AS_THE_CONTROL: dict[str, tuple[Any, dict[str, Any]]] = {
    "gold labels": ([dropping], {"objective": Objective.of(GoldLabels())}),
    "a silent teacher": ([dropping], {}),
    "a network, not a function": ([dropping()], {}),
    "a filter": ([dropping], {"filter": TeacherCorrect() & TeacherConfident(0.5)}),
    "augmented rows": ([dropping], {"rows": Samples.of(Moving()).aimed(TASK)}),
    "a start": ([dropping], {"start": {"0": "0"}}),
    "early stopping": ([dropping], {"training": Training(9, 8, lr=0.1, patience=1)}),
    "parts of batches": (
        [dropping],
        {"training": Training(2, 8, gradient_accumulation_steps=2, max_grad_norm=0.5)},
    ),
    "generations": ([dropping], {"mode": BornAgain(3)}),
    "generations of a network": ([dropping()], {"mode": BornAgain(2)}),
    "peers": ([steady, steady], {"teacher": None, "source": None}),
}


@pytest.mark.parametrize("case", SAME_AS_THE_CONTROL)
def test_a_student_that_learns_gold_labels_alone_is_its_control_bit_for_bit(case: str) -> None:
    makers, changes = SAME_AS_THE_CONTROL[case]
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    given = {"teacher": teacher, "source": teacher, "objective": SILENT} | changes
    if case == "early stopping":
        given["validation"] = rounds([]).rows
    each = rounds(makers, **given)
    students, control = each.distill(3, None, quiet), each.learn(3, None, quiet)
    student = students[-1] if each.mode is not None else students[0]
    alike(student, control)


def test_a_cache_of_augmented_rows_leaves_the_control_alike(tmp_path: Path) -> None:
    rows = Samples.of(Moving()).aimed(TASK)
    teacher = nn.Linear(3, 2)
    source = TeacherCache(tmp_path, views=2, seed=5).fill(teacher, rows)
    each = rounds([dropping], teacher=teacher, source=source, rows=rows, objective=SILENT)
    alike(each.distill(3, None, quiet)[0], each.learn(3, None, quiet))


def alike(student: Trained, control: Trained) -> None:
    assert (student.steps, student.best_epoch) == (control.steps, control.best_epoch)
    for a, b in zip(student.module.parameters(), control.module.parameters(), strict=True):
        assert torch.equal(a, b)


def test_both_trainings_are_kept_in_the_folder_that_was_named(tmp_path: Path) -> None:
    teacher = nn.Linear(3, 2)
    each = rounds([lambda: nn.Linear(3, 2)], teacher=teacher, source=teacher)
    each.distill(0, tmp_path / "a", quiet)
    each.learn(0, tmp_path / "b", quiet)
    assert (tmp_path / "a" / NAME).exists()
    assert (tmp_path / "b" / NAME).exists()


def test_a_start_is_reported() -> None:
    teacher, rows = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), rounds([]).rows
    student, report = started(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), 0, rows, teacher,
                              "every second")  # fmt: skip
    assert report is not None
    assert report.share == 1.0
    assert all(
        torch.equal(a, b) for a, b in zip(student.parameters(), teacher.parameters(), strict=True)
    )
    assert started(nn.Linear(3, 2), 0, rows, teacher, None)[1] is None


@pytest.mark.parametrize("columns", [3, 60])
def test_the_linear_model_is_trained_even_in_one_epoch(columns: int) -> None:
    x = torch.randn(900, columns, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] > 0).long()
    rows = Samples.of((x[:600], y[:600])).aimed(TASK)
    made = rounds([lambda: nn.Linear(columns, 2)], rows=rows, training=Training(1, 16))
    found = made.baselines(0)["linear model"]
    right = float((found.module(x[600:]).argmax(1) == y[600:]).double().mean())
    peer = LogisticRegression().fit(x[:600], y[:600]).score(x[600:], y[600:])
    assert right > peer - 0.05

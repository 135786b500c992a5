from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from limbeck.api.prepare.sweep_settings import changed, check_names, shown_settings  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import GoldLabels, LinearSchedule, SoftTargets  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.strategies.train_network import TrainNetwork  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.selection.search_space import SearchSpace  # noqa: E402

BOTH = 0.6 * SoftTargets(temperature=2) + 0.2 * SoftTargets(temperature=8) + 0.2 * GoldLabels()


def method(objective: Any = BOTH) -> TrainNetwork:
    return TrainNetwork(
        makers=[torch.nn.Linear(2, 2)], start=None, teacher=None, source=None,
        rows=Samples.of(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1])), validation=None,
        task=Task.of("classification", 2), objective=Objective.of(objective),
        training=Training(epochs=3, patience=2), mode=None, filter=None,
    )  # fmt: skip


def weights(found: TrainNetwork) -> list[Any]:
    return [p.weight for p in found.objective.parts]


def test_the_teachers_share_is_divided_as_before() -> None:
    assert weights(changed(method(), {"teacher_weight": 0.4})) == pytest.approx([0.3, 0.1, 0.6])
    assert weights(changed(method(), {"teacher_weight": 1})) == pytest.approx([0.75, 0.25, 0])
    assert weights(changed(method(), {"weights": (1, 2, 3)})) == [1, 2, 3]
    warm = changed(method(), {"temperature": 5.0}).objective.parts
    assert [getattr(p.term, "temperature", None) for p in warm[:2]] == [5.0, 5.0]


def test_settings_of_the_training_are_changed_and_the_method_is_left() -> None:
    given = method()
    found = changed(given, {"lr": 0.5, "epochs": 7, "start": "first"})
    assert (found.training.lr, found.training.epochs, found.start) == (0.5, 7, "first")
    assert found.training.patience is None  # another number of epochs than was searched
    assert changed(given, {"lr": 0.5}).training.patience == 2
    assert (given.training.epochs, given.start) == (3, None)


@pytest.mark.parametrize(
    ("objective", "values", "says"),
    [
        (BOTH, {"teacher_weight": 1.5}, "teacher_weight is 1.5"),
        (BOTH, {"teacher_weight": True}, "teacher_weight is True"),
        (BOTH, {"weights": (1, 2)}, "the objective has 3 terms"),
        (GoldLabels(), {"temperature": 2}, "GoldLabels have none"),
        (SoftTargets(), {"teacher_weight": 0.5}, "of one kind: SoftTargets"),
        (
            LinearSchedule(1, 0) * SoftTargets() + 1.0 * GoldLabels(),
            {"teacher_weight": 0.5},
            "weight of SoftTargets is a schedule",
        ),
    ],
)
def test_values_without_meaning_are_refused(objective: Any, values: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        changed(method(objective), values)


@pytest.mark.parametrize(
    ("over", "given", "says"),
    [
        ({"max_steps": [1]}, {}, "successive halving sets"),
        ({"device": ["cpu"]}, {}, "changes no student"),
        ({"learning_rate": [1]}, {}, "no setting 'learning_rate'"),
        ({"lr": [1]}, {"lr": 0.1}, "lr was given a value, and is searched over"),
    ],
)
def test_names_that_cannot_be_searched_are_refused(over: Any, given: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        check_names(SearchSpace(over), given)
    check_names(SearchSpace({"objective": [BOTH], "lr": [0.1]}), {"objective": BOTH, "lr": None})


def test_settings_are_shown_as_short_text() -> None:
    shown = shown_settings({"lr": 0.1, "objective": Objective.of(BOTH), "start": [0] * 50})
    assert shown["lr"] == 0.1
    assert shown["objective"].startswith("0.6 SoftTargets(temperature=2")
    assert len(shown["start"]) == 60
    assert shown["start"].endswith("…")

"""The trainings of all seeds, as they are shown."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from limbeck.core.measured import Measured
from limbeck.core.status import StatusCode
from limbeck.evaluation.comparison import Comparison, ModelResult
from limbeck.networks import GoldLabels, LinearSchedule, SoftTargets
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Trained
from limbeck.results.seeds import Runs, objective_record, status_of, training_record


def trained(score: float | None, outputs: int = 2) -> Trained:
    rows = ({"epoch": 0, "loss": 1.0, "score": score},)
    return Trained(nn.Linear(1, outputs), nn.ModuleDict(), rows, 0, 1, 0.0)


def runs(*students: list[Trained], **changes: Any) -> Runs:
    given: dict[str, Any] = {"controls": (), "baselines": {}, "seed": 5, "generations": False}
    return Runs(students, **{**given, **changes})


def test_the_best_seed_on_validation_rows_is_chosen() -> None:
    seeds = [[trained(s)] for s in (0.3, 0.9, 0.9, 0.1)]
    found = runs(*seeds)
    assert found.best == 1
    assert found.chosen is seeds[1][0]
    assert (
        "Of 4 seeds the student of seed 6 was chosen: it did best" in found.remarks(True, True)[-1]
    )
    assert runs(*([trained(None)] for _ in range(2))).best == 0


@pytest.mark.parametrize(
    ("generations", "roles", "chief"),
    [(False, ["student", "control", "peer 1", "peer 2", "baseline"], 0),
     (True, ["student", "control", "generation 1", "generation 2", "baseline"], 2)],
)  # fmt: skip
def test_table_and_history_name_students_alike(
    generations: bool, roles: list[str], chief: int
) -> None:
    made = [[trained(None, outputs=seed + i + 1) for i in range(3)] for seed in (0, 10)]
    found = runs(*made, controls=[trained(None), trained(None)],
                 baselines={"linear model": trained(None)},
                 generations=generations)  # fmt: skip
    lines = found.contestants()
    assert [c.role for c in lines] == roles
    assert list(lines[0].networks) == [made[0][chief].module, made[1][chief].module]
    others = [i for i in range(3) if i != chief]
    for line, place in zip(lines[2:4], others, strict=True):
        assert list(line.networks) == [made[0][place].module, made[1][place].module]
    rows = [(r["seed"], r["role"]) for r in found.history()]
    assert rows == [(seed, role) for role in roles[:-1] for seed in (5, 6)]


def test_what_was_not_done_is_said() -> None:
    notes = runs([trained(None)]).remarks(labels=False, validated=False)
    assert notes[0] == "Without labels on the training rows there is no control."
    assert notes[1].startswith("There is no linear model")
    assert len(notes) == 2


def test_a_teacher_that_knows_no_more_is_a_failure() -> None:
    def compared(teacher: float, control: float) -> Comparison:
        entries = tuple(
            ModelResult(role, "", "", Measured(0, 0, 0), Measured(v, v, v))
            for role, v in (("teacher", teacher), ("control", control))
        )
        return Comparison(entries, (), 0.95)

    assert status_of(compared(0.8, 0.8), 3).code is StatusCode.HYPOTHESIS_FAILED
    good = status_of(compared(0.9, 0.8), 3)
    assert (good.code, good.message) == (StatusCode.COMPLETE, "All 3 trainings ran to their end.")
    assert "seeds=3" in str(status_of(compared(0.9, 0.8), 1))


def test_settings_are_told_as_text_and_numbers() -> None:
    told = objective_record(LinearSchedule(1.0, 0.0) * SoftTargets() + 0.5 * GoldLabels())
    assert [line[0] for line in told] == ["SoftTargets", "GoldLabels"]
    assert "LinearSchedule" in told[0][1]
    assert told[1][1] == 0.5
    found = training_record(Training(epochs=3, optimizer=sorted))
    assert found["epochs"] == 3
    assert isinstance(found["optimizer"], str)

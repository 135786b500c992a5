from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from limbeck.api.sweep import Sweep, updates_of
from limbeck.core.errors import InvalidInput
from limbeck.core.strict_json import write_json
from limbeck.core.task import Task
from limbeck.networks import GoldLabels
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.loss import Objective
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.settings import Training
from limbeck.selection.search_space import SearchSpace


def method(**training: Any) -> TrainNetwork:
    return TrainNetwork(
        makers=[torch.nn.Linear(2, 2)], start=None, teacher=None, source=None,
        rows=Samples.of(torch.zeros(10, 2), torch.arange(10) % 2), validation=None,
        task=Task.of("classification", 2), objective=Objective.of(GoldLabels()),
        training=Training(**{"epochs": 90, "batch_size": 4, **training}), mode=None, filter=None,
    )  # fmt: skip


def test_updates_are_those_of_all_epochs_or_the_most_steps() -> None:
    assert updates_of(method()) == 90 * 3  # a last batch of two rows counts
    assert updates_of(method(max_steps=100)) == 100
    assert updates_of(method(max_steps=1000)) == 270


def test_rounds_halve_unless_lengths_are_searched_over() -> None:
    lr = SearchSpace({"lr": [i / 100 for i in range(1, 31)]})
    assert [(r.trials, r.updates) for r in Sweep(lr, 30).plan(method())] == [
        (30, 30), (10, 90), (3, 270),
    ]  # fmt: skip
    few = Sweep(SearchSpace({"lr": [0.1, 0.2]}), 30).plan(method())
    assert [(r.trials, r.updates) for r in few] == [(2, 270)]  # no more than there are choices
    epochs = Sweep(SearchSpace({"epochs": list(range(1, 31))}), 30).plan(method())
    assert [(r.trials, r.updates) for r in epochs] == [(30, 270)]


def kept(folder: Path, scores: dict[str, list[tuple[int, float | None, str]]]) -> None:
    """Files of trials that are done, as a search writes them: place, updates, score."""
    for name, rungs in scores.items():
        place = int(name.split("-")[1])
        drawn = Sweep(SPACE, 6).space.drawn(6, 0)[place]
        for rung, (updates, score, failed) in enumerate(rungs):
            told = {
                "format": "limbeck-trial", "version": 1, "values": drawn, "seed": 10_000 + place,
                "updates": updates, "score": score, "loss": score and 1 - score, "failed": failed,
            }  # fmt: skip
            (folder / name).mkdir(parents=True, exist_ok=True)
            write_json(told, folder / name / f"rung-{rung}.json")


SPACE = SearchSpace({"lr": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]})


def test_the_best_of_a_round_go_on_and_the_best_of_the_last_wins(tmp_path: Path) -> None:
    first = [0.1, 0.9, None, 0.3, 0.8, 0.2]
    scores: Any = {
        f"student-{i:03d}": [(90, s, "" if s else "It diverged.")] for i, s in enumerate(first)
    }
    scores["student-001"].append((270, 0.85, ""))
    scores["student-004"].append((270, 0.95, ""))
    kept(tmp_path, scores)
    found = Sweep(SPACE, 6, folder=tmp_path).run("student", method())
    drawn = SPACE.drawn(6, 0)
    assert found.values == drawn[4]
    assert found.method.training.lr == drawn[4]["lr"]
    assert [t.chosen for t in found.trials] == [i == 4 for i in range(6)]
    assert [t.updates for t in found.trials] == [90, 360, 90, 90, 360, 90]
    assert found.trials[2].failed == "It diverged."


def test_trials_of_another_search_are_refused(tmp_path: Path) -> None:
    kept(tmp_path, {"student-000": [(91, 0.5, "")]})
    with pytest.raises(InvalidInput, match="of a search with other settings"):
        Sweep(SPACE, 6, folder=tmp_path).run("student", method())


def test_where_all_trials_failed_the_first_says_why(tmp_path: Path) -> None:
    kept(tmp_path, {f"control-{i:03d}": [(90, None, f"Fault {i}.")] for i in range(6)})
    with pytest.raises(InvalidInput, match=r"No trial of the control .*\(6 failed\): Fault 0"):
        Sweep(SPACE, 6, folder=tmp_path).run("control", method())


def test_choices_that_cannot_be_trained_with_are_refused_before_any_trial() -> None:
    with pytest.raises(InvalidInput, match="batch_size"):
        Sweep(SearchSpace({"batch_size": [4, 0]}), 1).checked(method())
    drawn = Sweep(SPACE, 4, seed=3).checked(method())
    assert drawn == SPACE.drawn(4, 3)

"""Objectives add and scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.modules.batch import Step, View
from limbeck.networks import (
    GoldLabels,
    HiddenStates,
    Interchange,
    LinearSchedule,
    Logits,
    Objective,
    SoftTargets,
)
from limbeck.networks.losses.loss import Loss, Needs

weights = st.floats(0, 100, allow_nan=False)


def step(done: float = 0.0) -> Step:
    g = torch.Generator().manual_seed(0)
    s, t = torch.randn(4, 3, generator=g), torch.randn(4, 3, generator=g)
    y = torch.tensor([0, 1, 2, 0])
    return Step(None, y, View(s), View(t), Task.of("classification", 3), done=done)


@given(weights, weights, weights)
def test_weights_distribute(a: float, b: float, c: float) -> None:
    objective = c * (a * GoldLabels() + Logits() * b)
    assert [p.weight for p in objective.parts] == [c * a, c * b]


def test_the_total_is_the_weighted_sum() -> None:
    objective = 0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels()
    now = step()
    losses = objective.losses(now, objective.maps(now))
    expected = 0.9 * losses["SoftTargets"] + 0.1 * losses["GoldLabels"]
    assert objective.total(losses, 0.0) == expected


def test_weights_follow_schedules_and_still_scale() -> None:
    objective = 0.5 * (LinearSchedule(1.0, 0.0) * GoldLabels()) + Logits()
    assert repr(objective.parts[0].weight) == "0.5 * LinearSchedule(start=1.0, end=0.0)"
    assert (LinearSchedule(1.0, 0.0) * Logits()).parts[0].weight == LinearSchedule(1.0, 0.0)
    assert objective.weights(0.0) == {"GoldLabels": 0.5, "Logits": 1.0}
    assert objective.weights(0.75) == {"GoldLabels": 0.125, "Logits": 1.0}


def test_terms_of_one_kind_get_names_of_their_own() -> None:
    objective = Logits() + GoldLabels() + Logits()
    assert objective.names == ("Logits", "GoldLabels", "Logits_2")


def test_needs_add_up() -> None:
    found = (GoldLabels() + HiddenStates({"t": "s"}) + HiddenStates({"t": "s2"})).needs
    assert found.labels
    assert found.teacher
    assert found.teacher_layers == ("t",)
    assert found.student_layers == ("s", "s2")
    assert not found.runs
    assert (Interchange({"t": "s"}) + GoldLabels()).needs.runs


def test_every_term_is_asked_about_the_goal() -> None:
    objective = GoldLabels() + SoftTargets()
    objective.check(Task.of("classification", 3))
    with pytest.raises(InvalidInput, match="SoftTargets"):
        objective.check(Task.of("regression", 3))


@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf"), "much", True])
def test_weights_that_mean_nothing_are_refused(bad: object) -> None:
    with pytest.raises((InvalidInput, TypeError)):
        bad * GoldLabels()


@pytest.mark.parametrize("bad", [None, "soft", GoldLabels, 0 * GoldLabels()])
def test_what_is_no_objective_is_refused(bad: object) -> None:
    with pytest.raises(InvalidInput):
        Objective.of(bad)


def test_adding_something_else_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        GoldLabels() + 1


def test_no_two_losses_and_no_columns_share_a_name() -> None:
    @dataclass(frozen=True)
    class Named(Loss):
        level: ClassVar[int] = 0
        called: str = ""

        @property
        def name(self) -> str:
            return self.called

        @property
        def needs(self) -> Needs:
            return Needs(labels=True)

        def loss(self, step, maps):
            return step.student.logits.mean()

    names = ("A", "A", "A_2", "loss", "a.b", "a_b", "lr")
    objective = sum((Named(called=n) for n in names[1:]), start=Objective.of(Named(called="A")))
    assert objective.names == ("A", "A_2", "A_2_2", "loss_2", "a_b", "a_b_2", "lr_2")


def test_what_is_compared_adds_up() -> None:
    layers = Needs(teacher=True, same_outputs=False, student_layers=("a",), teacher_layers=("b",))
    soft = Needs(teacher=True)
    assert not layers.compares
    assert soft.compares
    for both in (layers | soft, soft | layers):
        assert both.compares
        assert (both.student_layers, both.teacher_layers) == (("a",), ("b",))
    assert not (layers | layers).compares
    assert not (layers | Needs(labels=True)).compares

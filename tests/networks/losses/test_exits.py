from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional  # noqa: E402

from limbeck.core.task import Task  # noqa: E402
from limbeck.modules.batch import Step, View  # noqa: E402
from limbeck.networks.losses.exits import ExitHints, ExitLabels, ExitTargets  # noqa: E402

pytestmark = pytest.mark.torch
TASK = Task.of("classification", 3)


def step_of(end, layers, labels=None, task=TASK, **more):
    return Step(None, labels, View(end, layers), None, task, **more)


def test_values_by_hand():
    end = torch.tensor([[0.0, math.log(3.0), 0.0]])
    early = torch.tensor([[0.0, 0.0, math.log(2.0)]])
    other = torch.zeros(1, 3)
    step = step_of(end, {"a": early, "b": other}, torch.tensor([2]))
    labels = ExitLabels(("a", "b")).loss(step, None)
    assert float(labels) == pytest.approx((math.log(4 / 2) + math.log(3)) / 2)
    p = torch.tensor([1 / 5, 3 / 5, 1 / 5])
    expected = [
        sum(a * math.log(a / b) for a, b in zip(p.tolist(), q, strict=True))
        for q in ([1 / 4, 1 / 4, 2 / 4], [1 / 3] * 3)
    ]
    targets = ExitTargets(("a", "b"), 1.0).loss(step, None)
    assert float(targets) == pytest.approx(sum(expected) / 2, rel=1e-6)
    softened = ExitTargets(("a",), 2.0).loss(step, None)
    by_torch = functional.kl_div(
        functional.log_softmax(early / 2, -1), functional.softmax(end / 2, -1), reduction="sum"
    )
    assert float(softened) == pytest.approx(4 * float(by_torch), rel=1e-6)


def test_hints_by_hand_and_pooled():
    hint = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]])  # the third token is not there
    mask = torch.tensor([[1, 1, 0]])
    step = step_of(None, {"f": torch.tensor([[0.0, 0.0]]), "h": hint}, mask=mask)
    assert float(ExitHints(("f",), "h").loss(step, None)) == pytest.approx((4 + 9) / 2)
    step.student.layers["g"] = torch.tensor([[2.0, 0.0]])
    both = float(ExitHints(("f", "g"), "h").loss(step, None))
    assert both == pytest.approx(((4 + 9) / 2 + 9 / 2) / 2)


def test_a_filter_is_of_the_teacher_and_not_of_the_own_end():
    end, early = torch.randn(4, 3), torch.randn(4, 3)
    plain = step_of(end, {"a": early})
    weighed = step_of(end, {"a": early}, weight=torch.tensor([1.0, 0.0, 0.0, 2.0]))
    term = ExitTargets(("a",))
    assert term.loss(weighed, None) == term.loss(plain, None)


@pytest.mark.parametrize("task", [TASK, Task.of("regression", 3), Task.of("multilabel", 3)])
def test_zero_where_an_exit_says_what_the_end_says(task):
    end = torch.randn(5, 3, dtype=torch.float64)
    step = step_of(end, {"a": end.clone(), "f": end.clone(), "h": end}, task=task)
    assert abs(float(ExitTargets(("a",)).loss(step, None))) < 1e-15
    assert float(ExitHints(("f",), "h").loss(step, None)) == 0.0


@pytest.mark.parametrize("task", [TASK, Task.of("regression", 3)])
def test_gradients_move_exits_and_not_the_end(task):
    end = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    exit_ = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.arange(5) % 3 if task is TASK else torch.randn(5, 3, dtype=torch.float64)

    def loss(exit_):
        step = step_of(end, {"a": exit_, "f": exit_, "h": end}, labels, task)
        terms = ExitLabels(("a",)), ExitTargets(("a",), 2.0), ExitHints(("f",), "h")
        return sum(term.loss(step, None) for term in terms)

    assert torch.autograd.gradcheck(loss, [exit_])
    loss(exit_).backward()
    assert end.grad is None


def test_what_exits_need_and_their_levels():
    assert ExitHints(("f", "g"), "h").needs.student_layers == ("f", "g", "h")
    assert ExitLabels(("a",)).needs.student_layers == ("a",)
    assert ExitTargets(("a",)).needs.student_layers == ("a",)
    assert (ExitLabels.level, ExitTargets.level, ExitHints.level) == (0, 2, 4)

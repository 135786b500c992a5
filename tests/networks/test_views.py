"""What counts in a batch."""

from __future__ import annotations

import torch

from limbeck.networks.views import IGNORED, Goal, Kind, Step, View


def test_rows_stay_as_they_are() -> None:
    z, y, w = torch.randn(3, 2), torch.tensor([0, 1, 0]), torch.ones(3)
    found = Step(None, y, View(z), None, Goal(Kind.CLASSES, 2), weight=w).aligned
    assert found.student is z
    assert found.labels is y
    assert found.weight is w
    assert found.teacher is None


def test_tokens_count_where_mask_and_labels_say_so() -> None:
    z = torch.arange(12.0).view(2, 3, 2)
    y = torch.tensor([[0, IGNORED, 1], [1, 1, 0]])
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    goal = Goal(Kind.TOKENS, 2)
    weight = torch.tensor([2.0, 3.0])
    step = Step({"attention_mask": mask}, y, View(z), View(-z), goal, weight=weight)
    found = step.aligned
    assert found.student.tolist() == [[0, 1], [4, 5], [6, 7]]
    assert found.teacher is not None
    assert found.teacher.tolist() == [[0, -1], [-4, -5], [-6, -7]]
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 1]
    assert found.weight is not None
    assert found.weight.tolist() == [2, 2, 3]


def test_language_predicts_the_next_token() -> None:
    tokens = torch.tensor([[5, 6, 7]])
    z = torch.arange(3.0).view(1, 3, 1)
    mask = torch.tensor([[1, 1, 0]])
    step = Step({"attention_mask": mask}, tokens, View(z), None, Goal(Kind.LANGUAGE, 9))
    assert step.aligned.student.tolist() == [[0.0]]  # only the second token is there to be said
    assert step.aligned.labels is not None
    assert step.aligned.labels.tolist() == [6]


def test_means_are_weighted_and_nothing_is_zero_with_a_gradient() -> None:
    step = Step(None, None, View(torch.zeros(1, 1)), None, Goal(Kind.VALUES, 1))
    losses = torch.tensor([1.0, 3.0], requires_grad=True)
    assert step.mean(losses).item() == 2.0
    assert step.mean(losses, torch.tensor([3.0, 1.0])).item() == 1.5
    nothing = step.mean(losses, torch.zeros(2))
    nothing.backward()
    assert nothing.item() == 0.0
    assert losses.grad is not None
    assert losses.grad.tolist() == [0.0, 0.0]

"""What counts in a batch."""

from __future__ import annotations

import torch

from limbeck.core.task import Task
from limbeck.modules.batch import IGNORED, Step, View


def test_rows_stay_as_they_are() -> None:
    z, y, w = torch.randn(3, 2), torch.tensor([0, 1, 0]), torch.ones(3)
    found = Step(None, y, View(z), None, Task.of("classification", 2), weight=w).aligned
    assert found.student is z
    assert found.labels is y
    assert found.weight is w
    assert found.teacher is None


def test_tokens_count_where_mask_and_labels_say_so() -> None:
    z = torch.arange(12.0).view(2, 3, 2)
    y = torch.tensor([[0, IGNORED, 1], [1, 1, 0]])
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    task = Task.of("tokens", 2)
    weight = torch.tensor([2.0, 3.0])
    step = Step({"attention_mask": mask}, y, View(z), View(-z), task, weight=weight)
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
    step = Step({"attention_mask": mask}, tokens, View(z), None, Task.of("language", 9))
    assert step.aligned.student.tolist() == [[0.0]]  # only the second token is there to be said
    assert step.aligned.labels is not None
    assert step.aligned.labels.tolist() == [6]


def test_padding_on_the_left_predicts_nothing() -> None:
    """The same places count as without padding, and as with padding on the right."""
    tokens = torch.tensor([[0, 0, 5, 6, 7]])
    z = torch.arange(5.0).view(1, 5, 1)
    mask = (tokens > 0).long()
    task = Task.of("language", 9)
    for labels in (tokens, tokens.masked_fill(mask == 0, IGNORED), None):
        step = Step({"attention_mask": mask}, labels, View(z), None, task)
        assert step.aligned.student.tolist() == [[2.0], [3.0]]
        assert labels is None or step.aligned.labels.tolist() == [6, 7]  # type: ignore[union-attr]
        assert step.counts(z).tolist() == [[False, False, True, True, False]]


def test_a_prompt_without_labels_predicts_the_first_token_after_it() -> None:
    tokens, z = torch.tensor([[5, 6, 7, 8]]), torch.arange(4.0).view(1, 4, 1)
    labels = torch.tensor([[IGNORED, IGNORED, 7, 8]])
    mask = {"attention_mask": torch.ones_like(tokens)}
    step = Step(mask, labels, View(z), None, Task.of("language", 9))
    assert step.aligned.student.tolist() == [[1.0], [2.0]]
    assert step.aligned.labels is not None
    assert step.aligned.labels.tolist() == [7, 8]


def test_means_are_weighted_and_nothing_is_zero_with_a_gradient() -> None:
    step = Step(None, None, View(torch.zeros(1, 1)), None, Task.of("regression", 1))
    losses = torch.tensor([1.0, 3.0], requires_grad=True)
    assert step.mean(losses).item() == 2.0
    assert step.mean(losses, torch.tensor([3.0, 1.0])).item() == 1.5
    nothing = step.mean(losses, torch.zeros(2))
    nothing.backward()
    assert nothing.item() == 0.0
    assert losses.grad is not None
    assert losses.grad.tolist() == [0.0, 0.0]

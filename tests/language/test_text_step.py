from __future__ import annotations

import pytest
import torch

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.language import LMHead, TeacherHidden, TeacherLogits
from limbeck.language.samples import WrittenInputs
from limbeck.language.text_step import TextStep, text_step
from limbeck.modules.batch import IGNORED, Step, View

LABELS = torch.tensor([[IGNORED, 2, 1, 0], [IGNORED, IGNORED, 3, IGNORED]])


def draw(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_each_place_predicts_the_token_after_it():
    logits = draw(2, 4, 5, seed=0)
    ids = torch.tensor([[4, 2, 1, 0], [4, 4, 3, 0]])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    found = text_step(Step(inputs, LABELS, View(logits), None, Task.of("language", 5)))
    assert torch.equal(found.student, logits[:, :-1])
    assert found.counts.tolist() == [[True, True, True], [False, True, False]]
    assert found.labels[found.counts].tolist() == [2, 1, 0, 3]
    assert not found.own
    with pytest.raises(InvalidInput, match="needs a teacher, and there is none"):
        found.signal()
    own = Step(WrittenInputs(inputs), LABELS, View(logits), View(logits), Task.of("language", 5))
    assert text_step(own).own
    assert isinstance(text_step(own).signal(), TeacherLogits)


def test_log_probabilities_are_of_the_tokens_that_came():
    student, states, weight = draw(1, 3, 5, seed=0), draw(1, 3, 2, seed=1), draw(5, 2, seed=2)
    counts = torch.tensor([[True, False, True]])
    step = TextStep(student, LMHead(states, weight), torch.tensor([[4, 0, 1]]), counts, True)
    mine, theirs = step.log_probabilities()
    at, tokens = torch.tensor([0, 2]), torch.tensor([4, 1])
    torch.testing.assert_close(mine, student[0].log_softmax(-1)[at, tokens])
    torch.testing.assert_close(theirs, (states[0] @ weight.T).log_softmax(-1)[at, tokens])
    assert isinstance(step.signal(), TeacherHidden)

from __future__ import annotations

import math

import pytest
import torch

from limbeck.core.errors import InvalidInput
from limbeck.language.chunk_likelihoods import (
    chunk_likelihood_loss,
    shared_chunks,
    sorted_distance,
)


def test_the_loss_is_that_of_bernoullis_by_hand() -> None:
    student = torch.tensor([-1.0, -2.0, -0.5, -9.0], dtype=torch.float64, requires_grad=True)
    teacher = torch.tensor([-1.5, -0.7, -0.2], dtype=torch.float64)
    at = shared_chunks(torch.tensor([3, 6, 8]), torch.tensor([1, 3, 6, 7]))
    assert [a.tolist() for a in at[:2]] == [[0, 1, 2], [0, 0, 1, 2]]
    found = chunk_likelihood_loss(student, teacher, at[1], at[0], at[2], temperature=2.0)
    expected = 0.0
    for p, q in ((-1.5, -3.0), (-0.7, -0.5)):
        share, mine = math.exp(p / 2), math.exp(q / 2)
        expected -= share * math.log(mine) + (1 - share) * math.log(1 - mine)
    assert found.total.item() == pytest.approx(expected)
    assert int(found.tokens) == 2
    (grad,) = torch.autograd.grad(found.total, student)
    assert grad[3] == 0


def test_it_is_least_where_both_give_a_chunk_the_same_likelihood() -> None:
    teacher, at = torch.tensor([-2.0, -1.0], dtype=torch.float64), torch.tensor([0, 0])
    student = torch.tensor([-3.0], dtype=torch.float64, requires_grad=True)
    loss = chunk_likelihood_loss(student, teacher, torch.tensor([0]), at, 1).total
    assert float(torch.autograd.grad(loss, student)[0].abs()) < 1e-12


def test_sorted_distance_pads_and_knows_no_ids() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    assert float(sorted_distance(logits.flip(-1), logits)) == pytest.approx(0)
    certain = torch.tensor([[0.0, -1e9, -1e9, -1e9]])
    assert float(sorted_distance(torch.zeros(1, 2), certain)) == pytest.approx(1.0)


def test_bad_offsets_are_refused() -> None:
    with pytest.raises(InvalidInput, match="decrease"):
        shared_chunks(torch.tensor([3, 2]), torch.tensor([1]))

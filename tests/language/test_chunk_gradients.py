from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from limbeck.language.chunk_gradients import (
    ChunkJob,
    filled,
    run_of,
    sum_of_chunks,
    values_of_chunks,
)

LABELS = torch.tensor([1, 0, 4, 2, 3])
PLACES = torch.tensor([4, 0, 2])
WEIGHTS = torch.tensor([2.0, 9.0, 0.5, 9.0, 1.0], dtype=torch.float64)


def loss(logits, at):
    return F.cross_entropy(logits, LABELS[at], reduction="none")


def source(with_head):
    generator = torch.Generator().manual_seed(0)
    shapes = [(5, 3), (6, 3), (6,)] if with_head else [(5, 6)]
    made = [torch.randn(s, generator=generator, dtype=torch.float64, requires_grad=True)
            for s in shapes]  # fmt: skip
    return [*made, *[None] * (3 - len(made))]


def plain(states, weight, bias):
    logits = states if weight is None else F.linear(states, weight, bias)
    return loss(torch.tanh(logits)[PLACES], PLACES)


@pytest.mark.parametrize("with_head", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_sums_and_gradients_are_those_of_all_tokens_at_once(with_head, rows):
    given = source(with_head)
    tensors = [t for t in given if t is not None]
    job = ChunkJob(loss, PLACES, WEIGHTS, rows, torch.tanh)
    expected = (plain(*given) * WEIGHTS[PLACES]).sum()
    found = sum_of_chunks(job, given)
    torch.testing.assert_close(found, expected)
    for a, b in zip(torch.autograd.grad(3 * found, tensors),
                    torch.autograd.grad(3 * expected, tensors), strict=True):  # fmt: skip
        torch.testing.assert_close(a, b)
    values = values_of_chunks(job, given)
    torch.testing.assert_close(values, plain(*given))
    of_values = torch.tensor([1.0, -2.0, 0.25], dtype=torch.float64)
    whole = torch.autograd.grad(plain(*given), tensors, of_values)
    torch.testing.assert_close(torch.autograd.grad(values, tensors, of_values), whole)


def test_a_gradient_is_given_once():
    given = source(False)
    found = sum_of_chunks(ChunkJob(loss, PLACES, None, 2, None), given)
    found.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="asked for twice"):
        found.backward()


def test_sums_of_narrow_states_are_kept_wide():
    states = torch.ones(4096, 1, dtype=torch.bfloat16)
    weight = torch.zeros(2, 1, dtype=torch.bfloat16, requires_grad=True)
    job = ChunkJob(lambda z, at: z[:, 0], torch.arange(4096), None, 16, None)
    sum_of_chunks(job, [states, weight, None]).backward()
    assert weight.grad[:, 0].tolist() == [4096.0, 0.0]  # bfloat16 alone stops at 256


def test_places_in_a_row_are_a_slice():
    assert run_of(torch.tensor([3, 4, 5])) == slice(3, 6)
    for places in ([3, 5, 4], [3, 4, 6], [3, 3, 5], [5, 4, 3], []):
        tensor = torch.tensor(places, dtype=torch.int64)
        assert run_of(tensor) is tensor
    parts = filled(iter([torch.ones(2, 3), torch.zeros(1, 3)]), 3)
    assert parts.tolist() == [[1.0] * 3, [1.0] * 3, [0.0] * 3]

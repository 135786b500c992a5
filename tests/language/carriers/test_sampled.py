from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language import TeacherLogits, TokenKD
from limbeck.language.carriers.sampled import SampledTokens, counted, draw_tokens


def signal_of(drawn: Tensor, log_p: Tensor) -> SampledTokens:
    """Of one token, from all its draws."""
    _, ids, counts = counted(drawn.numpy()[None])
    entropy = -(log_p.exp() * log_p).sum()
    shares = torch.tensor(counts)[None] / len(drawn)
    return SampledTokens(torch.tensor(ids)[None], shares.double(), entropy[None], log_p.shape[-1])


def test_value_and_gradient_are_unbiased_by_enumeration_of_all_draws() -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(1, 4, generator=generator, dtype=torch.float64) for _ in "st")
    student.requires_grad_()
    log_p = F.log_softmax(teacher, -1)[0]
    value, gradient = 0.0, torch.zeros(1, 4, dtype=torch.float64)
    for draws in itertools.product(range(4), repeat=3):
        drawn = torch.tensor(draws)
        chance = float(log_p[drawn].sum().exp())
        loss = TokenKD().loss(student, signal_of(drawn, log_p)).total
        value += chance * loss.item()
        gradient += chance * torch.autograd.grad(loss, student)[0]
    exact = TokenKD().loss(student, TeacherLogits(teacher)).total
    assert value == pytest.approx(exact.item())
    torch.testing.assert_close(gradient, torch.autograd.grad(exact, student)[0])


def test_tokens_are_drawn_by_their_probabilities() -> None:
    p = torch.tensor([[0.5, 0.3, 0.2, 0.0], [0.0, 0.0, 0.1, 0.9]])
    uniform = torch.rand(2, 20_000, generator=torch.Generator().manual_seed(1)).double()
    for row, probabilities in zip(draw_tokens(3 * p, uniform)[0], p, strict=True):
        shares = torch.bincount(row, minlength=4) / 20_000
        assert (shares - probabilities).abs().max() < 5 * 0.5 / 20_000**0.5
        assert not shares[probabilities == 0].any()


@pytest.mark.parametrize("vocabulary", [1, 63, 64, 65, 1000])
def test_a_draw_is_the_inverse_of_the_cumulative_sum(vocabulary: int) -> None:
    generator = torch.Generator().manual_seed(vocabulary)
    weights = torch.rand(5, vocabulary, generator=generator)
    weights[:, vocabulary // 3 : vocabulary // 2] = 0
    uniform = torch.rand(5, 200, generator=generator).double()
    uniform[:, 0], uniform[:, 1] = 0.0, 1 - 2**-53
    ends = weights.double().cumsum(-1)
    expected = torch.searchsorted(ends, uniform * ends[:, -1:], right=True)
    drawn, total = draw_tokens(weights, uniform)
    assert float((drawn == expected.clamp_max(vocabulary - 1)).double().mean()) > 0.99
    assert bool((weights.gather(1, drawn) > 0).all())
    torch.testing.assert_close(total, ends[:, -1])


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=5))
def test_counts_are_numpys(drawn: list[list[int]]) -> None:
    distinct, ids, counts = counted(np.array(drawn))
    ends = np.cumsum(distinct)
    for row, start, end in zip(drawn, ends - distinct, ends, strict=True):
        expected = np.unique(row, return_counts=True)
        found = sorted(zip(ids[start:end], counts[start:end], strict=True))
        assert found == list(zip(*expected, strict=True))
        assert list(counts[start:end]) == sorted(expected[1], reverse=True)


@pytest.mark.parametrize("given", [{"divergence": "reverse_kl"}, {"temperature": 2.0}])
def test_what_would_be_biased_is_refused(given: dict[str, float]) -> None:
    signal = signal_of(torch.tensor([1, 1]), torch.zeros(3, dtype=torch.float64).log_softmax(-1))
    with pytest.raises(InvalidInput, match="drawn at temperature 1"):
        TokenKD(**given).loss(torch.zeros(1, 3), signal)  # type: ignore[arg-type]

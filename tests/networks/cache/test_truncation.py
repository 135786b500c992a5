"""The largest logits and the mass they leave out."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.networks.cache.truncation import error_bounds, restored_logits, shortened


def _drawn(seed: int, k: int, spread: float, rows: int = 20) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(rows, k, generator=generator, dtype=torch.float64)


def test_by_hand() -> None:
    p = torch.tensor([0.1, 0.5, 0.05, 0.3, 0.05], dtype=torch.float64)
    values, indices, log_rest = shortened(p.log() + 7, 2)
    assert indices.tolist() == [1, 3]
    assert values.tolist() == pytest.approx([math.log(0.5) + 7, math.log(0.3) + 7])
    assert log_rest.exp().item() == pytest.approx(0.2)
    restored = restored_logits(values, indices, log_rest, 5)
    assert restored[1].item() == values[0].item()
    assert restored.softmax(-1).tolist() == pytest.approx([0.2 / 3, 0.5, 0.2 / 3, 0.3, 0.2 / 3])
    variation, divergence = error_bounds(values, log_rest, 5)
    assert variation.item() == pytest.approx(0.2 * (1 - 1 / 3))
    assert divergence.item() == pytest.approx(0.2 * math.log(3))


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(3, 60),
    share=st.floats(0.01, 0.99),
    spread=st.floats(0.0, 20.0),
    temperature=st.sampled_from([1.0, 1.5, 4.0, 50.0]),
)
def test_the_error_is_within_its_bounds(
    seed: int, k: int, share: float, spread: float, temperature: float
) -> None:
    logits = _drawn(seed, k, spread)
    values, indices, log_rest = shortened(logits, min(k - 1, max(1, round(share * k))))
    p = (logits / temperature).log_softmax(-1)
    q = (restored_logits(values, indices, log_rest, k) / temperature).log_softmax(-1)
    variation, divergence = error_bounds(values, log_rest, k, temperature)
    assert ((p.exp() - q.exp()).abs().sum(-1) / 2 <= variation + 1e-9).all()
    assert ((p.exp() * (p - q)).sum(-1) <= divergence + 1e-9).all()


def test_the_bounds_are_reached() -> None:
    # A tail on one output: total variation r (1 - 1/m), divergence r ln m.
    p = torch.tensor([0.6, 0.4, 0.0, 0.0], dtype=torch.float64)
    values, indices, log_rest = shortened(p.log(), 1)
    q = restored_logits(values, indices, log_rest, 4).softmax(-1)
    variation, divergence = error_bounds(values, log_rest, 4)
    assert ((p - q).abs().sum() / 2).item() == pytest.approx(variation.item())
    told = 0.4 * (math.log(0.4) - q[1].log().item())
    assert told == pytest.approx(divergence.item())


@pytest.mark.parametrize("gap", [0.0, 30.0, 300.0])
def test_a_tail_of_any_size(gap: float) -> None:
    logits = torch.zeros(1, 1000)
    logits[0, 3] = gap
    restored = restored_logits(*shortened(logits, 1), 1000)
    torch.testing.assert_close(restored, logits, rtol=1e-4, atol=1e-3)


def test_an_even_tail_is_restored_as_it_was() -> None:
    logits = torch.full((2, 3, 10), -1.5)
    logits[..., 4], logits[..., 7] = 2.0, 1.0
    values, indices, log_rest = shortened(logits, 2)
    assert (values.shape, log_rest.shape) == ((2, 3, 2), (2, 3))
    torch.testing.assert_close(restored_logits(values, indices, log_rest, 10), logits)


def test_a_temperature_below_one_has_no_bound() -> None:
    values, _, log_rest = shortened(_drawn(0, 5, 1.0), 2)
    with pytest.raises(InvalidInput, match=r"0\.5"):
        error_bounds(values, log_rest, 5, 0.5)

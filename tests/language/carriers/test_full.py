from __future__ import annotations

import numpy as np
import pytest
import torch

from limbeck.core.errors import InvalidInput
from limbeck.language import LMHead
from limbeck.language.carriers.carrier import TokenLayout
from limbeck.language.carriers.full import KeepHidden, TeacherHidden, TeacherLogits

PLACES = torch.tensor([2, 0])


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("vocabulary", [None, 7])
def test_states_with_their_head_are_the_logits_that_they_make(vocabulary: int | None) -> None:
    states, weight, bias = draw(3, 4, seed=0), draw(9, 4, seed=1), draw(9, seed=2)
    logits = 5.0 * torch.tanh(2.0 * (states @ weight.T + bias) / 5.0)
    hidden = TeacherHidden(LMHead(states[None], weight, bias, 2.0, 5.0), vocabulary)
    whole = TeacherLogits(logits[None], vocabulary)
    assert (len(hidden), hidden.vocabulary, hidden.cut) == (3, vocabulary or 9, bool(vocabulary))
    for temperature in (1.0, 3.0):
        exact = (logits[PLACES, :vocabulary] / temperature).log_softmax(-1)
        for signal in (hidden, whole):
            torch.testing.assert_close(signal.log_probabilities(PLACES, temperature), exact)


def test_narrow_logits_are_normalised_in_float32() -> None:
    logits = draw(2, 5, seed=0).half()
    found = TeacherLogits(logits).log_probabilities(torch.arange(2))
    assert found.dtype is torch.float32
    torch.testing.assert_close(found, logits.float().log_softmax(-1))


def test_eight_bits_err_by_half_a_step_of_each_token() -> None:
    states = draw(5, 16, seed=0) * torch.tensor([[1e-3], [1.0], [0.0], [50.0], [3.0]])
    kept = KeepHidden(bits=8).kept(states, None)
    back = (
        torch.from_numpy(kept["states"]).float() * torch.from_numpy(kept["scale"]).float()[:, None]
    )
    step = states.abs().amax(-1, keepdim=True) / 127
    assert ((back - states).abs() <= 0.52 * step + 1e-7).all()


def test_what_float16_cannot_hold_and_sizes_without_a_meaning_are_refused() -> None:
    with pytest.raises(InvalidInput, match="beyond the range of float16"):
        KeepHidden().kept(torch.tensor([[1e5]]), None)
    for size in (0, 11):
        with pytest.raises(InvalidInput, match=f"vocabulary is {size}, and there are 10 outputs"):
            TeacherLogits(torch.zeros(1, 10), size)


@pytest.mark.parametrize("bits", [8, 16])
def test_stored_states_go_through_the_head_that_is_stored_with_them(bits: int) -> None:
    states, weight, bias = draw(3, 4, seed=0), draw(9, 4, seed=1), draw(9, seed=2)
    carrier = KeepHidden(bits=bits)
    layout = TokenLayout(np.array([1, 2, 4]), 5, 7, True, torch.device("cpu"))
    head = {
        "weight": weight,
        "bias": bias,
        "scale": torch.tensor(2.0),
        "softcap": torch.tensor(5.0),
    }
    found = carrier.signal(carrier.kept(states, None), layout, head)
    exact = (5.0 * torch.tanh(2.0 * (states @ weight.T + bias) / 5.0))[:, :7].log_softmax(-1)
    kept = found.log_probabilities(torch.tensor([1, 2, 4]))
    torch.testing.assert_close(kept, exact, atol=0.1 if bits == 8 else 5e-3, rtol=0)

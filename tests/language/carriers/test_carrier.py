"""What every carrier promises: texts come back as they were kept, however they were batched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from limbeck.core.errors import InvalidInput
from limbeck.language import TeacherLogits, TokenKD
from limbeck.language.carriers.carrier import Arrays, Carrier, TokenLayout
from limbeck.language.carriers.named import carrier_of

WIDTH, OUTPUTS = 6, 100
KEEPS = ["sampled:50", "sampled:300", "top:10", "hidden", "hidden:int8", "full"]


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def stored(carrier: Carrier, states: torch.Tensor, weight: torch.Tensor) -> Arrays:
    """Of one text, through the bytes on disk, in two calls."""
    noise = carrier.noise(len(states), 7)
    outputs = states if carrier.states else F.linear(states, weight)
    parts = [
        carrier.kept(outputs[at], None if noise is None else noise[at])
        for at in (slice(0, 2), slice(2, None))
    ]
    kept = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    back = carrier.unpacked(carrier.packed(kept, OUTPUTS), OUTPUTS)
    for name, array in kept.items():
        np.testing.assert_array_equal(back[name], array)
    return back


@pytest.mark.parametrize("keep", KEEPS)
def test_texts_come_back_at_their_places(keep: str) -> None:
    carrier, weight = carrier_of(keep), draw(OUTPUTS, WIDTH, seed=0)
    assert carrier.keep == keep
    texts = [draw(5, WIDTH, seed=1), draw(3, WIDTH, seed=2)]
    kept = [stored(carrier, states, weight) for states in texts]
    both = {name: np.concatenate([text[name] for text in kept]) for name in kept[0]}
    places = np.array([1, 2, 3, 4, 5, 8, 9, 10])
    layout = TokenLayout(places, 14, OUTPUTS, False, torch.device("cpu"))
    signal = carrier.signal(both, layout, {"weight": weight})
    assert len(signal) == 14
    student = draw(14, OUTPUTS, seed=3)
    mask = torch.zeros(14, dtype=torch.bool)
    mask[places] = True
    teacher = torch.zeros(14, OUTPUTS)
    teacher[places] = F.linear(torch.cat(texts), weight)
    found = TokenKD().values(student, signal, mask)
    exact = TokenKD().values(student, TeacherLogits(teacher), mask)
    restored = carrier.probabilities(signal)[places]
    distance = (restored - teacher[places].softmax(-1)).abs().sum(-1) / 2
    torch.testing.assert_close(restored.sum(-1), torch.ones(8), atol=2e-3, rtol=0)
    if keep.startswith("sampled"):
        assert distance.mean() < 2.5 / carrier_of(keep).draws ** 0.5  # type: ignore[attr-defined]
        assert (found - exact).abs().mean() < 8 / carrier_of(keep).draws ** 0.5  # type: ignore[attr-defined]
    elif keep.startswith("top"):
        assert bool((found <= exact + 1e-2).all())
        assert bool((distance <= signal.log_rest[places].exp() + 1e-3).all())  # type: ignore[attr-defined]
    else:
        torch.testing.assert_close(found, exact, atol=0.05 if "int8" in keep else 5e-3, rtol=0)


@pytest.mark.parametrize(
    "keep", ["sample:50", "top:0", "top:", "sampled:-1", "hidden:8", "top:1e3"]
)
def test_other_names_are_refused(keep: str) -> None:
    with pytest.raises(InvalidInput, match="keep is"):
        carrier_of(keep)


def test_the_largest_of_all_is_no_top() -> None:
    with pytest.raises(InvalidInput, match="100 outputs"):
        carrier_of("top:100").check(100)


def test_states_beyond_half_precision_are_refused() -> None:
    with pytest.raises(InvalidInput, match="beyond the range"):
        carrier_of("hidden").kept(torch.full((1, 2), 1e6), None)


def test_draws_do_not_depend_on_how_texts_are_batched() -> None:
    carrier, logits = carrier_of("sampled:20"), draw(6, 50, seed=4)
    noise = carrier.noise(6, 3)
    assert noise is not None
    whole = carrier.kept(logits, noise)
    parts = [carrier.kept(logits[i : i + 1], noise[i : i + 1]) for i in range(6)]
    for name, array in whole.items():
        np.testing.assert_array_equal(array, np.concatenate([part[name] for part in parts]))

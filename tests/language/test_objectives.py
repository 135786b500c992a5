from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from limbeck.core.errors import InvalidInput
from limbeck.language import LMHead, SequenceKD


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_sequence_kd_is_the_cross_entropy_of_torch(smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    states, weight = (torch.randn(*s, generator=generator) for s in [(2, 4, 3), (7, 3)])
    labels = torch.tensor([[1, -100, 6, 0], [-100, 2, 3, 4]])
    found = SequenceKD(label_smoothing=smoothing).loss(LMHead(states, weight), labels)
    expected = F.cross_entropy(
        (states @ weight.T).flatten(0, 1), labels.flatten(), label_smoothing=smoothing
    )
    assert float(found.mean) == pytest.approx(float(expected), rel=1e-5)
    assert int(found.tokens) == 6


def test_a_smoothing_of_one_is_refused() -> None:
    with pytest.raises(InvalidInput, match="label_smoothing"):
        SequenceKD(label_smoothing=1.0)

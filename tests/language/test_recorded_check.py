from __future__ import annotations

import pytest
import torch

from limbeck.language.recorded_check import _above, _fitted


@pytest.mark.parametrize("temperature", [0.4, 1.0, 1.7, 6.0])
def test_the_temperature_is_that_of_the_greatest_likelihood(temperature):
    logits = 3 * torch.randn(64, 20, generator=torch.Generator().manual_seed(0))
    logits[:, 3] = -torch.inf
    stored = (logits / temperature).softmax(-1)
    assert _fitted(stored, logits) == pytest.approx(temperature, rel=1e-3)
    best, where = stored.topk(5)  # the temperature is told by a part as well
    assert _fitted(best / best.sum(-1, keepdim=True), logits.gather(1, where)) == pytest.approx(
        temperature, rel=1e-3
    )


def test_a_mean_is_above_by_three_standard_errors():
    values = torch.tensor([0.9, 1.1, 0.9, 1.1])  # mean 1, standard error 0.0577
    assert _above(values, 0.82)
    assert not _above(values, 0.83)
    assert not _above(torch.tensor([5.0]))

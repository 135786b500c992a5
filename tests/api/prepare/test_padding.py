"""What is said of networks that mind the padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limbeck.api.prepare.padding import padding_notes
from limbeck.networks.datasets.data import Samples

ROWS = {"input_ids": [[1, 2, 3, 4], [5], [6, 7], [8, 9, 10]]}


class Reader(nn.Module):
    def __init__(self, masked: bool, by_token: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(20, 3)
        self.masked, self.by_token = masked, by_token

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        x = self.words(input_ids)
        there = attention_mask[..., None] if self.masked else torch.ones_like(x)
        mean = (x * there).sum(1, keepdim=True) / there.sum(1, keepdim=True)
        return x + mean if self.by_token else mean[:, 0]


@pytest.mark.parametrize("by_token", [False, True])
def test_a_network_that_does_not_read_the_mask_is_told(by_token: bool) -> None:
    both = {"teacher": Reader(True, by_token), "student": Reader(False, by_token)}
    (only,) = padding_notes(Samples.of(ROWS), both)
    assert only.startswith("Answers of the student to a row depend on how far")


def test_nothing_is_said_where_nothing_is_padded() -> None:
    minds: dict[str, nn.Module] = {"student": Reader(False, False)}
    even: dict[str, Any] = {"input_ids": torch.ones(4, 3).long()}
    assert padding_notes(Samples.of(ROWS, length=4), minds) == []
    assert padding_notes(Samples.of(even | {"attention_mask": torch.ones(4, 3)}), minds) == []
    assert padding_notes(Samples.of(torch.zeros(4, 3)), {"student": nn.Linear(3, 2)}) == []

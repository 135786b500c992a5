"""Rows that a network may fail at."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limbeck.api.prepare.sequence_checks import try_extremes
from limbeck.core.errors import InvalidInput
from limbeck.networks.datasets.data import Samples


class Reader(nn.Module):
    """Knows 20 tokens and 6 positions."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(20, 3), nn.Embedding(6, 3)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        places = torch.arange(input_ids.shape[1])
        return self.words(input_ids) + self.places(places)


def ran(ids: list[list[int]]) -> None:
    try_extremes(Samples.of({"input_ids": ids}), {"teacher": Reader()})


def test_a_row_that_is_too_long_is_named() -> None:
    rows = [[1, 2, 3]] * 700
    ran(rows)
    rows[600] = [1] * 7
    with pytest.raises(
        InvalidInput, match="The teacher Reader raised IndexError on a row of 7 tokens"
    ):
        ran(rows)


def test_a_token_beyond_the_vocabulary_is_named() -> None:
    rows = [[1, 2, 3]] * 700
    rows[3] = [1, 2, 20]
    with pytest.raises(InvalidInput, match="There is a token 20, and Reader knows 20: 0 to 19"):
        ran(rows)


@pytest.mark.parametrize("data", [torch.zeros(3, 2), {"x": torch.zeros(3, 2)}])
def test_what_holds_no_tokens_is_not_looked_at(data: Any) -> None:
    try_extremes(Samples.of(data), {"teacher": nn.Identity()})

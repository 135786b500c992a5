from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from transformers.cache_utils import DynamicCache  # noqa: E402

from limbeck.networks.conversion.cache import layer_of  # noqa: E402
from limbeck.networks.conversion.context import BatchContext  # noqa: E402
from limbeck.networks.conversion.layer import ConvertedAttention  # noqa: E402
from limbeck.networks.conversion.mixers.rows import TokenRows  # noqa: E402


class Counter(torch.nn.Module):
    """Adds the number of tokens read so far; remembers what it was told of the rows."""

    def forward(self, hidden, rows, state=None):
        self.rows, before = rows, 0 if state is None else int(state["n"])
        return hidden + before, {"n": torch.tensor(before + hidden.shape[1])}


def test_the_state_is_kept_in_the_cache_at_the_place_of_the_block():
    layer, cache = ConvertedAttention(Counter(), 1, BatchContext()), DynamicCache()
    zeros = torch.zeros(1, 3, 2)
    assert not layer(zeros, past_key_values=cache)[0].any()
    mixed, weights = layer(zeros[:, :1], past_key_values=cache, use_cache=True)
    assert weights is None
    assert mixed.tolist() == [[[3.0, 3.0]]]
    assert cache.get_seq_length(1) == 4
    assert layer_of(cache, 1).state["n"] == 4
    assert not layer(zeros)[0].any()  # without a cache nothing is kept
    assert layer_of(cache, 1).seen == 4


def test_rows_are_those_of_the_batch_with_the_positions_of_the_block():
    context = BatchContext()
    context.rows = TokenRows(keep=torch.ones(1, 2).bool())
    layer, turn = ConvertedAttention(Counter(), 0, context), (torch.ones(1), torch.zeros(1))
    layer(torch.zeros(1, 2, 2), position_embeddings=turn)
    assert layer.mixer.rows.rotary is turn
    assert layer.mixer.rows.keep is context.rows.keep
    assert context.rows.rotary is None

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.conversion.context import BatchContext  # noqa: E402
from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS  # noqa: E402


class Base(nn.Module):
    def forward(self, input_ids=None, attention_mask=None, position_ids=None, inputs_embeds=None):
        return 0


def test_masks_and_positions_of_each_call_are_read_and_forgotten_by_the_next():
    base, context = Base(), BatchContext()
    context.watch(base)
    ids, mask = torch.ones(1, 4).long(), torch.tensor([[0, 1, 1, 1]])
    base(ids, attention_mask=mask)
    assert context.rows.keep.tolist() == [[False, True, True, True]]
    base(input_ids=ids, position_ids=torch.tensor([[0, 1, 0, 1]]))
    assert context.rows.keep is None
    assert context.rows.segments.tolist() == [[0, 0, 1, 1]]
    base(inputs_embeds=torch.zeros(1, 3, 5), attention_mask=mask)
    assert context.rows.keep.tolist() == [[True, True, True]]  # the last three of the mask
    base("no tokens", attention_mask=mask)
    assert context.rows is ROW_DEFAULTS

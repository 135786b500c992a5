from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from limbeck.networks.conversion.mixers.base import AttentionParts  # noqa: E402
from limbeck.networks.conversion.mixers.gated_recurrence import GatedRecurrence  # noqa: E402
from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS, TokenRows  # noqa: E402
from limbeck.networks.conversion.mixers.two_way import TwoWay  # noqa: E402


@torch.no_grad()
def test_two_scans_are_the_sum_over_both_triangles():
    torch.manual_seed(0)
    linear = [torch.nn.Linear(8, 8) for _ in range(4)]
    mixer = TwoWay(GatedRecurrence, AttentionParts(*linear, 2, 2, 4, 0.5), "neutral")
    hidden = torch.randn(1, 6, 8)
    forth = mixer.onward.heads_out(hidden, ROW_DEFAULTS, None)[0]
    turned = mixer.heads_out(hidden.flip(1), ROW_DEFAULTS).flip(1)
    torch.testing.assert_close(mixer.heads_out(hidden, ROW_DEFAULTS), turned)  # same start
    torch.testing.assert_close(
        mixer.heads_out(hidden, ROW_DEFAULTS)[:, -1] - forth[:, -1],
        mixer.onward.heads_out(hidden[:, -1:], ROW_DEFAULTS, None)[0][:, 0],
    )  # from the right the last token is the first
    keep = torch.tensor([[True] * 4 + [False] * 2])
    torch.testing.assert_close(
        mixer.heads_out(hidden, TokenRows(keep))[:, :4],
        mixer.heads_out(hidden[:, :4], ROW_DEFAULTS),
    )

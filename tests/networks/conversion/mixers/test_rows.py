from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")


from limbeck.networks.conversion.mixers.rows import rows_from  # noqa: E402


def test_masks_and_positions_are_read_as_transformers_gives_them():
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    positions = torch.tensor([[1, 1, 0, 1, 2], [0, 1, 2, 0, 1]])
    rows = rows_from(5, mask, positions)
    assert rows.keep.tolist() == mask.bool().tolist()
    assert rows.segments.tolist() == [[0] * 5, [0, 0, 0, 1, 1]]  # padding starts nothing
    assert rows_from(1, mask, positions[:, -1:]).keep is None  # nothing to mask in any layer
    assert rows_from(1, mask.flip(1), positions[:, -1:]).keep.tolist() == [[False], [True]]
    assert rows_from(5, None, positions[1:]).segments.tolist() == [[0, 0, 0, 1, 1]]
    pairs = torch.zeros(2, 1, 5, 5)
    pairs[0, :, :, :2] = -torch.inf
    assert rows_from(5, pairs).keep.tolist() == mask.bool().tolist()

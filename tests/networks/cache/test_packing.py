"""Answers a token come back to their tokens, whatever the padding."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from limbeck.core.errors import InvalidInput
from limbeck.networks.cache.packing import Packing, extremes
from limbeck.networks.datasets.data import Samples

RIGHT = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0]])
LEFT = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 1]])


def test_tokens_lie_at_their_rank() -> None:
    packing = Packing(3, {"logits": (1,)})
    x = np.array([[10, 11, -1, -1], [20, 21, 22, -1]])
    packed = packing.pack("logits", x, RIGHT)
    assert packed.shape == (2, 3)
    assert packed[0, :2].tolist() == [10, 11]
    assert packed[1].tolist() == [20, 21, 22]
    on_the_left = packing.unpack("values", packed, LEFT)  # arrays of logits have their axes
    assert on_the_left[0, 2:].tolist() == [10, 11]
    assert on_the_left[1, 1:].tolist() == [20, 21, 22]
    wider = packing.unpack("logits", packed[:1], torch.tensor([[1, 0, 1, 0, 0, 0]]))
    assert wider[0, [0, 2]].tolist() == [10, 11]
    assert packing.pack("marks", np.array([5, 6]), RIGHT).tolist() == [5, 6]


def test_both_axes_of_attention_maps() -> None:
    packing = Packing(3, {"layer_0": (2, 3)})
    x = np.arange(2 * 5 * 4 * 4).reshape(2, 5, 4, 4)
    packed = packing.pack("layer_0", x, LEFT)
    assert packed.shape == (2, 5, 3, 3)
    np.testing.assert_array_equal(packed[0, :, :2, :2], x[0, :, 2:, 2:])
    back = packing.unpack("layer_0", packed, LEFT)
    for row, mask in enumerate(LEFT.bool().numpy()):
        there = np.ix_(range(5), mask, mask)
        np.testing.assert_array_equal(back[row][there], x[row][there])


def test_any_mask_comes_back() -> None:
    g = torch.Generator().manual_seed(0)
    mask = torch.rand(40, 9, generator=g) < 0.6
    x = torch.randn(40, 9, 3, generator=g).numpy()
    packing = Packing(int(mask.sum(1).max()), {"logits": (1,)})
    back = packing.unpack("logits", packing.pack("logits", x, mask), mask)
    np.testing.assert_array_equal(back[mask.numpy()], x[mask.numpy()])


def test_a_sample_longer_than_all_were() -> None:
    with pytest.raises(InvalidInput, match="A sample has 3 tokens, and the longest had 2"):
        Packing(2, {"logits": (1,)}).pack("logits", np.zeros((2, 4)), RIGHT)


def test_axes_are_those_that_follow_the_width() -> None:
    short = {"logits": torch.zeros(1, 4, 9), "layer_0": torch.zeros(1, 4, 2, 2), "b": torch.ones(1)}
    long = {"logits": torch.zeros(1, 4, 9), "layer_0": torch.zeros(1, 4, 7, 7), "b": torch.ones(1)}
    found = Packing.of(6, (2, short), (7, long))
    assert found.axes == {"logits": (), "layer_0": (2, 3), "b": ()}
    assert Packing.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert Packing.from_dict(None) is None
    long["logits"] = torch.zeros(1, 8, 9)
    with pytest.raises(InvalidInput, match=r"\(4, 9\) for 2 tokens and \(8, 9\) for 7"):
        Packing.of(6, (2, short), (7, long))


def test_the_shortest_and_the_longest_sample() -> None:
    rows = [[1, 2], [3], [4, 5, 6], [7, 8]]
    samples = Samples.of({"input_ids": rows})
    found = extremes(samples, 0, 1, samples.fetch)
    assert found is not None
    length, short, long, together = found
    assert length == 3
    assert short.inputs["input_ids"].tolist() == [[3]]
    assert long.inputs["input_ids"].tolist() == [[4, 5, 6]]
    assert together.inputs["input_ids"].tolist() == [[3, 0, 0], [4, 5, 6]]
    even = Samples.of({"input_ids": rows}, length=5)
    assert extremes(even, 0, 1, even.fetch) is None
    plain = Samples.of(torch.zeros(4, 3))
    assert extremes(plain, 0, 1, plain.fetch) is None

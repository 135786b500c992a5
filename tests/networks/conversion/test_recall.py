from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.recall import associative_recall, copying, recall  # noqa: E402
from limbeck.networks.conversion.speed import TokenCost, crossing, token_costs  # noqa: E402

TOKENS = torch.arange(10, 34)


def test_what_is_asked_stands_at_its_distance_and_nowhere_else():
    prompts, wanted = copying(TOKENS, 5, 20)
    assert prompts.shape == (5, 27)
    assert torch.equal(prompts[:, :7], prompts[:, 20:])
    assert torch.equal(prompts[:, 7], wanted)
    for distance in (8, 60):
        prompts, wanted = associative_recall(TOKENS, 5, distance)
        assert prompts.shape == (5, distance + 1)
        for row, value in zip(prompts.tolist(), wanted.tolist(), strict=True):
            assert [i for i, t in enumerate(row) if t == row[-1]] == [0, distance]
            assert row[1] == value
    with pytest.raises(InvalidInput, match="even"):
        copying(TOKENS, 5, 9)


class Looker(torch.nn.Module):
    """Says what stood ``back`` tokens ago: recalls one distance perfectly, others by chance."""

    def __init__(self, back: int) -> None:
        super().__init__()
        self.back, self.weight = back, torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids, use_cache):
        said = torch.roll(input_ids, self.back - 1, 1)
        return SimpleNamespace(logits=torch.nn.functional.one_hot(said, 40).float() * 20)


def test_recall_is_whole_for_a_model_that_looks_back_so_far():
    scores = recall(Looker(16), TOKENS, [16, 32], count=40)
    right = {(s.task, s.distance): s.right.value for s in scores}
    assert right["copying", 16] == right["associative recall", 16] == 1
    assert right["copying", 32] < 0.3
    assert right["associative recall", 32] < 0.3
    assert scores[0].right.low < 1 <= scores[0].right.high


def test_costs_know_what_is_kept_and_where_one_is_quicker(make_decoder):
    model = make_decoder("llama", 2)
    own = token_costs(convert(model, (), Hybrid(0.0)), [8, 64], tokens=2)
    theirs = token_costs(model, [8, 64], tokens=2)
    assert own[0].state_bytes == own[1].state_bytes
    assert theirs[1].state_bytes == 8 * theirs[0].state_bytes
    assert all(c.seconds > 0 for c in own)
    slow = [TokenCost(n, s, 0) for n, s in ((8, 1.0), (16, 2.0), (32, 4.0))]
    fast = [TokenCost(n, 1.5, 0) for n in (8, 16, 32)]
    assert crossing(slow, fast) == 16
    assert crossing(fast, slow) is None

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.recall import (  # noqa: E402
    Haystack,
    associative_recall,
    copying,
    needles,
    recall,
    word_tokens,
)

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
        return SimpleNamespace(logits=torch.nn.functional.one_hot(said, 400).float() * 20)


def test_recall_is_whole_for_a_model_that_looks_back_so_far():
    scores = recall(Looker(16), TOKENS, [16, 32], count=40)
    right = {(s.task, s.distance): s.right.value for s in scores}
    assert right["copying", 16] == right["associative recall", 16] == 1
    assert right["copying", 32] < 0.3
    assert right["associative recall", 32] < 0.3
    assert scores[0].right.low < 1 <= scores[0].right.high


def test_a_needle_stands_at_its_distance_in_real_text():
    said, words, text = torch.tensor([1, 2, 3]), torch.arange(50, 60), torch.arange(100, 400)
    haystack = Haystack(said, words, text)
    prompts, wanted = needles(haystack, 6, 20)
    assert prompts.shape == (6, 23)
    assert torch.equal(prompts[:, :3], prompts[:, 20:])
    assert torch.equal(prompts[:, 3], wanted)
    between = prompts[:, 4:20]
    assert torch.equal(between[:, 1:] - between[:, :-1], torch.ones(6, 15, dtype=torch.int64))
    found = recall(Looker(20), TOKENS, [20], 6, haystack=haystack)
    assert [s.task for s in found] == ["copying", "associative recall", "needle"]
    assert found[2].right.value == 1.0
    with pytest.raises(InvalidInput, match="statement of 4 tokens and 300 tokens of text"):
        needles(haystack, 6, 400)


def test_words_are_tokens_with_their_blank_and_characters_where_there_are_none():
    vocabulary = {
        **{f" word{c}x": i for i, c in enumerate("abcdefghijklmnopqrst")},
        "of": 20,
        "E": 21,
    }
    texts = {i: t for t, i in vocabulary.items()}
    tokenizer = SimpleNamespace(
        all_special_ids=[21], get_vocab=lambda: vocabulary,
        batch_decode=lambda rows: [texts[r[0]] for r in rows],
    )  # fmt: skip
    assert word_tokens(tokenizer).tolist() == list(range(20))
    assert word_tokens(tokenizer, 2).tolist() == [0, 19]
    few = SimpleNamespace(
        all_special_ids=[], get_vocab=lambda: {"a": 0, "b": 1}, batch_decode=lambda rows: ["a", "b"]
    )
    assert word_tokens(few).tolist() == [0, 1]

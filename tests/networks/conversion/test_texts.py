from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.texts import padded, read_texts, training_blocks  # noqa: E402


def test_copies_and_short_texts_are_left_out_and_said(tokenizer):
    found = read_texts(["the cat", "the cat", "dog", "old bird sees"], tokenizer, 20)
    assert found.texts == ["the cat", "old bird sees"]
    assert [i.tolist() for i in found.ids] == [[1, 3], [9, 5, 6]]
    assert len(found.notes) == 2


def test_what_is_no_list_of_texts_is_refused(tokenizer):
    with pytest.raises(InvalidInput, match="one string"):
        read_texts("the cat", tokenizer, 20)
    with pytest.raises(InvalidInput, match="list of texts"):
        read_texts([1, 2], tokenizer, 20)
    with pytest.raises(InvalidInput, match="the model knows 3"):
        read_texts(["old bird"], tokenizer, 3)


def test_blocks_hold_every_token_once_with_ends_between(tokenizer, texts):
    found = read_texts(texts, tokenizer, 20)
    blocks = training_blocks(found, 13, 0, seed=1)
    assert blocks.shape == (80, 13)
    assert (blocks[:, -1] == 0).all()  # twelve words and the end
    rows = {tuple(b[:-1].tolist()) for b in blocks}
    assert rows == {tuple(i.tolist()) for i in found.ids}
    assert not torch.equal(blocks, training_blocks(found, 13, 0, seed=2))
    with pytest.raises(InvalidInput, match="fewer than one block"):
        training_blocks(found.take([0]), 64, None, seed=0)


def test_padding_is_on_the_right():
    ids, mask = padded([torch.tensor([1, 2, 3]), torch.tensor([4])], 2)
    assert ids.tolist() == [[1, 2], [4, 0]]
    assert mask.tolist() == [[1, 1], [1, 0]]

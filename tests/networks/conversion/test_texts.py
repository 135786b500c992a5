from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.judge import score_texts  # noqa: E402
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


@torch.no_grad()
def test_scores_are_those_of_each_text_alone(make_decoder, tokenizer, texts):
    """By brute force in float64, whatever the padding of the batch."""
    p, q = make_decoder("llama", 1), make_decoder("gpt2", 1)
    found = read_texts([*texts[:4], "the cat", "dog sees the cat"], tokenizer, 20)
    scores = score_texts(p, q, found, 9)
    for i, ids in enumerate(found.ids):
        cut = ids[:9][None]
        one, two = (m(input_ids=cut).logits[0, :-1].double().softmax(-1) for m in (p, q))
        target = cut[0, 1:]
        assert scores.tokens[i] == len(target)
        expected = {
            "overlap": torch.minimum(one, two).sum(-1),
            "divergence": (one * (one / two).log()).sum(-1),
            "cross_entropy": -two.gather(1, target[:, None]).log(),
            "right": two.argmax(-1) == target,
            "same": one.argmax(-1) == two.argmax(-1),
        }
        for name, values in expected.items():
            assert getattr(scores, name)[i] == pytest.approx(
                float(values.double().mean()), abs=1e-5
            )
    itself = score_texts(p, p, found, 9)
    assert np.allclose(itself.overlap, 1, atol=1e-6)
    assert np.allclose(itself.divergence, 0, atol=1e-6)


def test_padding_is_on_the_right():
    ids, mask = padded([torch.tensor([1, 2, 3]), torch.tensor([4])], 2)
    assert ids.tolist() == [[1, 2], [4, 0]]
    assert mask.tolist() == [[1, 1], [1, 0]]

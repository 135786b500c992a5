from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.judge import score_texts  # noqa: E402
from limbeck.networks.conversion.texts import read_texts  # noqa: E402


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

from __future__ import annotations

import pytest
import torch

from limbeck.language import LMHead
from limbeck.language.predictions import TokenPredictor, logits_at, picked


def test_logits_of_some_tokens_do_not_depend_on_how_they_are_held():
    generator = torch.Generator().manual_seed(0)
    states, weight = (torch.randn(s, generator=generator) for s in ((2, 3, 4), (7, 4)))
    head, logits = LMHead(states, weight, None, 2.0), 2.0 * states @ weight.T
    at = torch.tensor([1, 0]), torch.tensor([2, 0])
    for where in (at, (1, slice(1, None)), 0):
        torch.testing.assert_close(logits_at(head, where), logits[where])
        assert torch.equal(logits_at(logits, where), logits[where])
    assert picked(head, at).scale == 2.0


@pytest.mark.parametrize("size", [34, 9000])
def test_a_model_is_asked_with_or_without_its_head(make_llama, make_tokenizer, size):
    from limbeck.language.models import LanguageModel

    model = LanguageModel(make_llama(8, 1, 0, size), make_tokenizer(), "m")
    ids = torch.tensor([[3, 4, 5], [6, 7, 0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    predictor = TokenPredictor.of(model)
    assert (predictor.head is None) == (size == 34)  # few logits are taken as they are
    with torch.no_grad():
        expected = model.module(input_ids=ids, attention_mask=mask).logits
        found = logits_at(predictor(ids, mask), (slice(None),))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)

"""Whether networks read the same tokens."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import run
from limbeck.networks.datasets.vocabularies import (
    pad_token,
    same_tokenizers,
    same_vocabularies,
    vocabulary,
)
from limbeck.networks.teachers.ensemble import ModuleEnsemble

TOKENS = torch.tensor([[1, 2, 3], [4, 5, 6]])


def made(words: dict[str, int]) -> Any:
    return SimpleNamespace(get_vocab=lambda: words)


def known(module: nn.Module, inputs: Any) -> set[int]:
    with vocabulary(module, inputs) as sizes:
        run(module, inputs)
    return sizes


class Text(nn.Module):
    """Reads tokens, and embeds something else as well."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.kinds, self.words = nn.Embedding(2, 4), nn.Embedding(words, 4)

    def forward(self, input_ids: Tensor) -> Tensor:
        return (self.words(input_ids) + self.kinds(torch.zeros_like(input_ids))).mean(1)


def test_tokenizers_that_number_tokens_alike() -> None:
    same_tokenizers((made({"a": 0, "b": 1}), made({"b": 1, "a": 0})))
    same_tokenizers([made({"a": 0}), made({"a": 0}), made({"a": 0})])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((made({"a": 0, "b": 1}), made({"a": 0, "b": 2})), "'b' is 1 to the teacher and 2 to the"),
        ((made({"a": 0, "b": 1}), made({"a": 0})), "'b' is 1 to the teacher and unknown to the"),
        ((made({"a": 0}), made({"a": 0, "c": 1})), "student's tokenizer knows 'c'"),
        ((made({"a": 0}), made({"a": 0}), made({"a": 1})), "'a' is 0 to the teacher and 1"),
        ((made({"a": 0}),), "not a pair"),
        (made({"a": 0}), "tokenizers is a SimpleNamespace, not a pair"),
        ((made({"a": 0}), "bert-base-uncased"), "holds a str, which has no get_vocab"),
    ],
)
def test_other_tokenizers_are_refused(given: Any, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        same_tokenizers(given)


def test_the_embedding_that_reads_the_tokens_counts() -> None:
    assert known(Text(20), {"input_ids": TOKENS}) == {20}
    assert known(Text(20), TOKENS) == {20}
    assert known(Text(20), (TOKENS,)) == {20}
    assert known(ModuleEnsemble([Text(20), Text(21)]), {"input_ids": TOKENS}) == {20, 21}
    assert known(nn.Linear(3, 2), torch.zeros(4, 3)) == set()
    text = Text(20)
    known(text, TOKENS)
    assert not text.words._forward_pre_hooks


def test_a_token_beyond_the_embedding_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"a token 6, and Text knows 6: 0 to 5"):
        known(Text(6), {"input_ids": TOKENS})


def test_real_networks_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    sizes = [
        known(
            transformers.BertForSequenceClassification(
                transformers.BertConfig(
                    vocab_size=v, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                    intermediate_size=8, num_labels=2,
                )
            ),
            {"input_ids": TOKENS, "attention_mask": torch.ones_like(TOKENS)},
        )
        for v in (20, 21)
    ]  # fmt: skip
    assert sizes == [{20}, {21}]
    same_vocabularies(sizes[0], sizes[0])
    same_vocabularies(sizes[0], set())
    with pytest.raises(InvalidInput, match=r"20 tokens, the student's 21.*tokenizers=\(teacher"):
        same_vocabularies(*sizes)


def test_the_pad_token_is_that_of_the_first_network_that_names_one() -> None:
    def of(**known: Any) -> nn.Module:
        inner = nn.Linear(1, 1)
        inner.config = SimpleNamespace(**known)  # type: ignore[assignment]
        return nn.Sequential(inner)

    assert pad_token(None, of(), of(pad_token_id=None), of(pad_token_id=7), of(pad_token_id=8)) == 7
    assert pad_token(ModuleEnsemble([of(pad_token_id=3)])) == 3
    assert pad_token(of(pad_token_id=-1), lambda: of(pad_token_id=5)) == 0

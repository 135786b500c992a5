from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput
from limbeck.teachers.huggingface.tokenized import (
    Tokenized,
    context_length,
    marks,
    text_inputs,
)

TEXTS = np.array(["good film", "a", "", "the story is not very good", "bad play"], dtype=object)


def test_batches_hold_every_text_once_by_length(tokenizer):
    lengths = [len(tokenizer(text)["input_ids"]) for text in TEXTS]
    rows = []
    for batch in Tokenized(tokenizer, 16, True, 2).batches(TEXTS):
        ids, mask = batch.inputs["input_ids"], batch.inputs["attention_mask"]
        assert mask.sum(1).tolist() == [lengths[i] for i in batch.rows]
        assert ids.shape[1] == max(lengths[i] for i in batch.rows)
        assert (ids[mask == 0] == tokenizer.pad_token_id).all()
        rows += batch.rows.tolist()
    assert sorted(rows) == list(range(5))
    assert [lengths[i] for i in rows] == sorted(lengths)
    for batch in Tokenized(tokenizer, 16, True, 2, padded=False).batches(TEXTS):
        assert batch.inputs["attention_mask"].all()


def test_a_text_that_is_cut_is_counted_once(tokenizer):
    cutting = Tokenized(tokenizer, 4, True, 8)
    assert cutting.notes == ()
    for _ in range(2):
        (batch,) = cutting.batches(TEXTS)
        assert batch.inputs["input_ids"].shape[1] == 4
        assert (batch.inputs["input_ids"][-1] == tokenizer("the story").input_ids[0]).sum() == 1
    assert cutting.notes == ("1 text was longer than 4 tokens and cut there.",)
    with pytest.raises(InvalidInput, match=r"1 text of 5 are longer .* 4 tokens; one has 8"):
        list(Tokenized(tokenizer, 4, False, 8).batches(TEXTS))


def test_marks_stand_around_a_text(tokenizer):
    assert marks(tokenizer) == ([2], [3])


@pytest.mark.parametrize(
    ("told", "own", "places", "family", "most"),
    [(None, 512, 514, "roberta", 512), (None, 10**30, 514, "roberta", 512),
     (None, 10**30, 514, "bert", 514), (128, 512, 512, "bert", 128),
     (None, 10**30, 512, "t5", None),
     (None, None, -1, "xlnet", None), (1024, 512, None, "bert", 512)],
)  # fmt: skip
def test_the_context_is_the_least_that_is_known(told, own, places, family, most):
    config = SimpleNamespace(max_position_embeddings=places, model_type=family)
    assert context_length(SimpleNamespace(model_max_length=own), config, told) == most


def test_one_column_is_texts_and_two_are_pairs():
    frame = pd.DataFrame({"a": ["u", "v"], "b": ["x", "y"], "c": ["", ""]})
    assert text_inputs(frame[["a"]]).tolist() == ["u", "v"]
    assert text_inputs(frame[["b", "a"]]).tolist() == [("x", "u"), ("y", "v")]
    with pytest.raises(InvalidInput, match=r"3 columns \('a', 'b', 'c'\)"):
        text_inputs(frame)

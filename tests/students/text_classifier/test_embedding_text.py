from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tokenizers")

from limbeck.core.task import Task
from limbeck.students.static_embedding.static_embedding import StaticEmbedding
from limbeck.students.static_embedding.words import word_tokenizer
from limbeck.students.text_classifier.embedding_text import (
    described_embedding,
    token_weights,
)
from limbeck.students.text_classifier.fitting import LinearFit
from limbeck.students.text_classifier.network import SmallNetwork

TABLE = StaticEmbedding(np.array([[0, 0], [3, 4.0], [0, -2.0]]), word_tokenizer(["good", "bad"]),
                        unknown=0)  # fmt: skip
LINE = LinearFit(np.array([[1.0], [2.0]]), np.array([9.0]))
NET = SmallNetwork(np.eye(2), np.array([0.1, 0.1]), np.array([[1.0], [1.0]]), np.zeros(1))


@pytest.mark.parametrize(("model", "adds"), [(LINE, [2.2, -2.0]), (NET, [1.4, -0.1])])
def test_a_token_weighs_what_a_text_of_it_alone_adds(model, adds: list[float]) -> None:
    terms, weights = token_weights(TABLE, model)
    assert terms == ["good", "bad"]
    assert weights[:, 0] == pytest.approx(adds)


def test_the_table_says_what_stands_on_the_vectors() -> None:
    student = SimpleNamespace(task_=Task(), embedding_=TABLE, model_=NET)
    said = described_embedding({"higher": [("good", 1.4)], "lower": []}, student)
    assert said.startswith("for a higher value\n    +1.400  good\n\nfor a lower value\n")
    assert "3 tokens with 2 numbers each" in said
    assert "one hidden layer of 2 units answers" in said

"""The result of a sentence encoder as a folder: read as it was, and refused where it is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tokenizers")
pytest.importorskip("safetensors")

import limbeck
from limbeck.certificates.embeddings import EmbeddingBound, EmbeddingCertificate
from limbeck.core.errors import FileRefused
from limbeck.core.measured import Measured
from limbeck.core.strict_json import read_json, write_json
from limbeck.results.embedding import EmbeddingDistillation, EmbeddingModel
from limbeck.students.static_embedding.static_embedding import StaticEmbedding
from limbeck.students.static_embedding.words import word_tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    student = StaticEmbedding(table, word_tokenizer(["good", "bad"]), np.eye(3), unknown=0)
    bound = EmbeddingBound("direction", 0.1, 0.2, 50, "text", "At most 0.2.")
    models = (
        EmbeddingModel("teacher", "callable", None, None, None, None, None, None),
        EmbeddingModel("student", "table", 0.1, Measured(0.8, 0.7, 0.9), 0.5, None, 9e4, 0.1),
    )
    made = EmbeddingDistillation(
        student, EmbeddingCertificate((bound,), 0.05, "abc", 0), models, "No evidence.",
        {"width": 3}, ("one note",),
    )  # fmt: skip
    return made.save(tmp_path / "run")


def test_what_is_read_is_what_was_saved(folder: Path) -> None:
    found = limbeck.load(folder)
    assert found.certificate.bounds == (
        EmbeddingBound("direction", 0.1, 0.2, 50, "text", "At most 0.2."),
    )
    assert found.models[0].order is None
    assert found.models[1].order == Measured(0.8, 0.7, 0.9)
    assert (found.verdict, found.settings, found.notes) == (
        "No evidence.", {"width": 3}, ("one note",)
    )  # fmt: skip
    assert found.to_dict() == read_json(folder / "result.json", "limbeck-embedding-result", 1)


@pytest.mark.parametrize(
    ("at", "value"),
    [("certificate", 3), ("models", None), ("models", [{"role": 1}]), ("verdict", 5),
     ("notes", [1])],
)  # fmt: skip
def test_a_damaged_field_is_refused(folder: Path, at: str, value: Any) -> None:
    data = json.loads((folder / "result.json").read_text())
    write_json(data | {at: value}, folder / "result.json")
    with pytest.raises(FileRefused, match="malformed"):
        limbeck.load(folder)
    del data[at]
    write_json(data, folder / "result.json")
    if at != "notes":
        with pytest.raises(FileRefused, match="malformed"):
            limbeck.load(folder)

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import limbeck
from limbeck.core.errors import FileRefused
from limbeck.core.strict_json import write_json
from limbeck.results.multilabel import MultilabelDistillation, MultilabelTexts


@dataclass
class Keyword:
    """Says yes to texts that hold a word."""

    word: str

    def predict(self, X: Any) -> Any:
        return np.array([self.word in text for text in X], dtype=object)

    def predict_proba(self, X: Any) -> Any:
        yes = np.where(self.predict(X), 0.75, 0.125)
        return np.column_stack([1 - yes, yes])

    def text(self) -> str:
        return f"holds {self.word}"


def test_a_column_for_each_label_in_order() -> None:
    found = MultilabelTexts({"spam": Keyword("win"), "urgent": Keyword("now")})
    texts = ["win now", "win", "hello"]
    assert found.labels == ("spam", "urgent")
    assert found.predict(texts).dtype == bool
    assert found.predict(texts).tolist() == [[True, True], [True, False], [False, False]]
    assert found.predict_proba(texts).tolist() == [[0.75, 0.75], [0.75, 0.125], [0.125, 0.125]]
    assert found.text() == "spam\n====\nholds win\n\nurgent\n======\nholds now"


@pytest.fixture
def several(record: Callable[..., Any]) -> MultilabelDistillation:
    part = record()
    other = record(certificate=replace(part.certificate, epsilon=0.12341))
    return MultilabelDistillation({"a": part, "b": other}, 3, 1000, 0.01234, 0.001, ("A note.",))


def test_bounds_are_rounded_up_and_the_level_is_not(several: MultilabelDistillation) -> None:
    assert several.statement.startswith("With probability at least 99.9%, all at once: ")
    assert "to at most 1.24% of texts drawn like these (3 of 1,000 differed)" in several.statement
    html = several.sheet().to_html()
    assert "12.4%" in html
    assert "12.3%" not in html
    assert several.to_frame()["bound"].tolist() == [0.04, 0.12341]
    assert several.to_frame("models of b")["role"].tolist() == ["teacher", "student", "control"]


def test_a_folder_without_its_labels_is_refused(
    several: MultilabelDistillation, tmp_path: Path
) -> None:
    folder = several.save(tmp_path / "run")
    again = limbeck.load(folder)
    assert str(again) == str(several)
    assert again.student.labels == ("a", "b")
    path = folder / "result.json"
    data = json.loads(path.read_text())
    lacking = {k: v for k, v in data.items() if k not in ("labels", "checksum")}
    write_json(lacking, path)
    with pytest.raises(FileRefused, match="is no result of several labels: 'labels'"):
        limbeck.load(folder)

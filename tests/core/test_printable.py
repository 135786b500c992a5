"""What a reader would not see is written out."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from xml.dom import minidom

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import limbeck
from limbeck.core.printable import visible


def test_what_is_hidden_is_written_out() -> None:
    assert visible("a\x1b[31m\x07b\u202ecd\x00\x9b\r") == (r"a\x1b[31m\x07b\u202ecd\x00\x9b\r")
    assert visible("Grüße, 年齢\n\t👩‍👧 < 3") == "Grüße, 年齢\n\t👩‍👧 < 3"


@given(st.text(st.characters()))
def test_no_control_is_left(text: str) -> None:
    kinds = {unicodedata.category(c) for c in visible(text) if c not in "\n\t"}
    assert not kinds & {"Cc", "Cs"}
    assert not {unicodedata.bidirectional(c) for c in visible(text)} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip


@pytest.mark.parametrize("into", ["tree", "rules", "sparse_sum", "additive"])
def test_hostile_names_reach_neither_terminal_nor_page(into: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"a\x1b[2Jge": rng.normal(size=300), "in\u202ecome": rng.normal(size=300),
         "k": np.where(rng.random(300) > 0.5, "<b>\x07", "b\x9b")}
    )  # fmt: skip
    classes = ("no\x1b[31m", "ye\u202es")

    def scores(rows: pd.DataFrame) -> np.ndarray:
        above = (rows.iloc[:, 0] + (rows["k"] == "<b>\x07") > 0).to_numpy(dtype=float)
        return np.stack([1 - above, above], axis=1)

    teacher = limbeck.as_teacher(scores, classes=classes, score_kind="probability")
    result = limbeck.distill(teacher, X, into=into, queries=0)
    page = result.save(tmp_path / "run") / "report.html"
    shown = [str(result), result.student.text(), page.read_text(), result._repr_html_()]
    shown += result.student.rules()
    for text in shown:
        assert visible(text) == text
    assert r"\x1b" in shown[0] + shown[1]
    if into in ("tree", "rules"):
        assert minidom.parseString(result.student.svg()).documentElement.tagName == "svg"

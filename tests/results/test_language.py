from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from limbeck.core.errors import InvalidInput


def test_only_cards_are_exported(languages, tmp_path):
    found = languages()
    with pytest.raises(InvalidInput, match=r"'model\.onnx'.*save_pretrained"):
        found.export(tmp_path / "model.onnx")
    with pytest.raises(InvalidInput, match=r"shape was given for a model card.*license alone"):
        found.export(tmp_path / "card.md", shape=3)
    assert not list(tmp_path.iterdir())
    card = found.export(tmp_path / "CARD.MD", license="mit")
    assert '\nlicense: "mit"\n' in card.read_text()


def test_a_result_without_its_student_is_not_saved(languages, tmp_path):
    with pytest.raises(InvalidInput, match="holds no student"):
        languages().save(tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["languages", "conversions", "networks"])
def test_a_terminal_does_not_obey_notes(kind, request):
    found = request.getfixturevalue(kind)(notes=("A \x1b[2Jnote.",))
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(found)
    assert r"A \x1b[2Jnote." in console.file.getvalue()


def test_numbers_and_texts_are_kept(languages):
    found = languages()
    kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert kept["generations"][5] == {
        "prompt": "5 " + "p" * 150, "teacher": "t" * 101, "student": "s" * 100, "real": None,
        "overlap": 0.5,
    }  # fmt: skip
    assert kept["facts"]["student"]["parameters"] == 1_500_000
    assert kept["verdict"] == found.verdict
    assert {"student", "students", "judged"}.isdisjoint(kept)

from __future__ import annotations

import json

from typer.testing import CliRunner

from limbeck.cli.app import app

MODULE = """
import limbeck
def made():
    return limbeck.as_teacher(lambda X: [[.2, .8] if "good" in t else [.7, .3] for t in X],
                              classes=("no", "yes"), score_kind="probability")
"""


def test_texts_of_a_file_are_labelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "labelling_module.py").write_text(MODULE)
    (tmp_path / "t.csv").write_text("text,n\ngood film,1\nbad film,2\n,3\n")
    command = ["label", "t.csv", "--teacher", "labelling_module:made", "--out"]
    found = CliRunner().invoke(app, [*command, "l.jsonl"])
    assert found.exit_code == 0, found.output
    assert "2 texts labelled" in found.output
    assert "1 empty text left out" in found.output
    rows = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows] == ["yes", "no"]
    refused = CliRunner().invoke(app, [*command, "l.csv"])
    assert refused.exit_code != 0
    assert "Give the name of a .jsonl file" in refused.output

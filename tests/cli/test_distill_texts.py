"""``limbeck distill --into static_embedding``: settings of other students are not passed on."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("tokenizers")

from limbeck.cli.app import app

MODULE = """
import numpy as np

def vectors(texts):
    return np.stack([[len(t), t.count("a"), t.count("b"), 1.0] for t in texts])

def topics(texts):
    return np.array([[.1 + .8 * ("late" in t), .1 + .8 * ("refund" in t)] for t in texts])
"""


def test_texts_alone_into_static_embeddings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lettercounts.py").write_text(MODULE, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    texts = [f"{'a' * (i % 7 + 1)} {'b' * (i % 5 + 1)} w{i}" for i in range(120)]
    (tmp_path / "texts.csv").write_text("text\n" + "\n".join(texts) + "\n", "utf-8")
    command = [
        "distill", "--teacher", "lettercounts:vectors", "--data", str(tmp_path / "texts.csv"),
        "--into", "static_embedding", "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    found = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    assert "Static embeddings" in found.output
    assert ("report.html" in found.output) == (tmp_path / "out" / "report.html").is_file()
    refused = CliRunner().invoke(app, [*command, "--budget", "50"])
    assert refused.exit_code == 2
    assert "no setting 'budget'" in refused.output


def test_several_labels_with_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "topicsof.py").write_text(MODULE, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ("late", "refund", "box", "blue")
    rows = [f"{words[i % 4]} {words[i // 4 % 4]} w{i},{i % 9}" for i in range(200)]
    (tmp_path / "t.csv").write_text("text,number\n" + "\n".join(rows) + "\n", "utf-8")
    command = [
        "distill", "--teacher", "topicsof:topics", "--data", str(tmp_path / "t.csv"),
        "--into", "text_classifier", "--labels", "delivery,money", "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    refused = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert refused.exit_code == 2
    assert "--drop" in refused.output
    command += ["--drop", "number", "--budget", "110", "--epsilon", "0.2"]
    found = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    assert "Bill: " in found.output
    assert "delivery" in found.output

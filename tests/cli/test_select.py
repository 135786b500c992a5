from __future__ import annotations

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from limbeck.cli.app import app

MODULE = """
import limbeck
def made():
    return limbeck.as_teacher(lambda X: X["a"] > 0, classes=(False, True))
def loud():
    return limbeck.as_teacher(lambda X: ["good" in t for t in X], classes=(False, True))
"""


def test_rows_of_a_table_and_texts_are_chosen_and_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "selecting_module.py").write_text(MODULE)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(120, 2)), columns=["a", "b"])
    frame.assign(y=frame.a > 0).to_csv("t.csv", index=False)
    command = ["select", "--ways", "k_means,herding", "--seeds", "2", "--n", "6"]
    found = CliRunner().invoke(
        app, [*command, "--teacher", "selecting_module:made", "--data", "t.csv", "--label", "y",
              "--out", "rows"]
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "random" in found.output
    chosen = pd.read_csv("rows/chosen.csv")
    assert len(chosen) == 6
    assert len(pd.merge(chosen, pd.read_csv("t.csv"))) == 6
    words = ["good", "bad", "film", "play", "so", "very"]
    texts = [" ".join(rng.choice(words, 4)) + f" n{i}" for i in range(80)]
    pd.DataFrame({"text": texts, "n": range(80)}).to_csv("texts.csv", index=False)
    told = CliRunner().invoke(
        app, [*command, "--teacher", "selecting_module:loud", "--data", "texts.csv", "--text",
              "text", "--out", "texts"]
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert set(pd.read_csv("texts/chosen.csv").text) <= set(texts)
    refused = CliRunner().invoke(
        app, [*command, "--teacher", "selecting_module:loud", "--data", "texts.csv", "--text",
              "txt", "--out", "texts"]
    )  # fmt: skip
    assert refused.exit_code == 2
    assert "txt" in refused.output

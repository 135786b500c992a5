from __future__ import annotations

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from limbeck import load
from limbeck.cli.app import app
from tests.api.test_advise import MODULE, RUN


@pytest.mark.torch
def test_the_shell_advises_on_a_run_file(tmp_path, monkeypatch):
    (tmp_path / "advised_run.py").write_text(MODULE)
    (tmp_path / "run.yaml").write_text(RUN.format(name="advised_run"))
    (tmp_path / "cached.yaml").write_text(RUN.format(name="advised_run") + "cache: true\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    said = CliRunner().invoke(app, ["advise", "run.yaml"])
    assert said.exit_code == 0, said.output
    assert "Next: limbeck." in said.output
    assert load("run/advice").settings["measured_rows"] == 100
    said = CliRunner().invoke(app, ["advise", "run.yaml", "--budget", "0.001 s"])
    assert said.exit_code != 0
    assert "holds" in said.output or "too short" in said.output
    said = CliRunner().invoke(app, ["advise", "cached.yaml"])
    assert said.exit_code != 0
    assert "cache" in said.output

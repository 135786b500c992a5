from __future__ import annotations

from typer.testing import CliRunner

from limbeck.cli.app import app


def test_routes_of_a_kind_of_teacher():
    found = CliRunner().invoke(app, ["routes", "stored", "--into", "junta"], env={"COLUMNS": "200"})
    assert "tree → junta" in found.output
    wrong = CliRunner().invoke(app, ["routes", "trch", "--into", "junta"], env={"COLUMNS": "200"})
    assert wrong.exit_code == 2
    assert "There is no kind of teacher 'trch'. Did you mean 'torch'" in " ".join(
        wrong.output.split()
    )
    closed = CliRunner().invoke(app, ["routes", "stored", "--into", "wavelet", "--max-steps", "1"])
    assert closed.exit_code == 2
    assert "cannot lead to 'wavelet'" in closed.output

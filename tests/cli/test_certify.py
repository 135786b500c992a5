from __future__ import annotations

import json

from limbeck import load
from tests.cli.conftest import FILES, limbeck, plain, table


def test_certify_the_folder(run):
    result = limbeck("certify", *FILES, "--out", "again.json", "--epsilon", 0.2)
    assert result.exit_code == 0, result.output
    assert "of inputs drawn like them" in plain(result.output)
    assert "provided that the rows are independent draws" in plain(result.output)
    first, again = (
        json.loads(p.read_text())["certificate"]
        for p in (run / "certificate.json", run.parent / "again.json")
    )
    for same in ("epsilon", "delta", "n", "student", "rows", "mean_loss"):
        assert first[same] == again[same]
    assert limbeck("verify", "again.json", *FILES).exit_code == 0


def test_an_epsilon_that_is_not_reached_exits_with_1(run):
    result = limbeck("certify", *FILES, "--epsilon", 0.001)
    assert result.exit_code == 1
    assert "not reached" in plain(result.output)


def test_rows_that_training_saw_are_refused(run):
    student, rows = load(run / "student.json"), table()
    rows.assign(teacher_label=student.predict(rows)).to_parquet("all.parquet")
    result = limbeck("certify", "--student", "run/student.json", "--rows", "all.parquet")
    assert result.exit_code == 2
    assert "Training saw 280 of these 400 rows" in plain(result.output)

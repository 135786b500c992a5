from __future__ import annotations

from limbeck import load
from tests.cli.conftest import limbeck, plain


def test_a_tournament_prints_the_front_and_writes_its_finalists(here):
    result = limbeck(
        "tournament", "--teacher", "cli_rule:rule", "--data", "rows.parquet", "--out", "run",
        "--label", "label", "--drop", "id", "--drop", "ward", "--into", "linear,junta",
        "--max-numbers", 8,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    said = plain(result.output)
    assert "certified on" in said
    assert "Written to run/" in said
    found = load(here / "run")
    first = here / "run" / "finalist-0"
    assert found.finalists[0].student.fingerprint() == load(first / "student.json").fingerprint()
    checked = limbeck(
        "verify", first / "certificate.json", "--student", first / "student.json",
        "--rows", first / "holdout.parquet",
    )  # fmt: skip
    assert checked.exit_code == 0, checked.output
    for name in ("best.json", "card.md"):
        written = limbeck("export", "run", "--to", name)
        assert written.exit_code == 0, written.output
    best = found.best().student.fingerprint()
    assert load(here / "best.json").fingerprint() == best
    assert best in (here / "card.md").read_text()

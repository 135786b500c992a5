from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from limbeck.results.audit_sections.missing import _FALSE_ALARMS, missing
from tests.results.audit_sections.test_page import Reader, example, only_score


def test_the_rates_of_false_alarms_are_those_of_the_docs() -> None:
    docs = (
        Path(__file__).resolve().parent.parent.parent.parent / "docs/measurements/audit_errors.md"
    )
    said = docs.read_text("utf-8")
    for (test, (smooth, wiggly, worst)), column in zip(
        _FALSE_ALARMS.items(), ("model test", "published rule"), strict=True
    ):
        assert test == column
        lines = [[c.strip() for c in x.split("|")[1:-1]] for x in said.splitlines() if "|" in x]
        at = next(x for x in lines if column in x).index(column)
        cells = {tuple(x[:3]): float(x[at].split()[0]) for x in _first_table(lines) if x[at] != "-"}
        assert cells["all", "smooth", "all"] == smooth
        assert cells["all", "wiggly", "all"] == wiggly
        assert max(cells.values()) == worst
    assert "4.6% on wiggly ones" in Reader(str(missing(example()))).text


def _first_table(lines: list[list[str]]) -> list[list[str]]:
    head = next(i for i, x in enumerate(lines) if x[0] == "design")
    end = next((i for i in range(head + 2, len(lines)) if lines[i][0] == "design"), len(lines))
    return lines[head + 2 : end]


def said(audit) -> str:
    return Reader(str(missing(audit))).text


def test_the_three_answers_stand_beside_what_they_allow() -> None:
    text = said(example())
    for words in ("4,093 in 1,055 groups", "p = 0.0005 (2,000 permutations)",
                  "p = 0.0050 (199 simulated audits)", "0.130 [0.110, 0.150]",
                  "that something else goes into the score", "what that something is"):  # fmt: skip
        assert words in text


def test_what_was_not_tested_is_not_assumed() -> None:
    text = said(only_score(example()))
    assert "too few" in text
    assert "Without an outcome there is none." in text
    assert "permutations" not in text
    assert "False alarms at level 5%" not in text
    assert "share explained" not in text
    bare = replace(example(), missing=None)
    assert missing(bare) is None
    assert "Without an outcome this cannot be tested" in said(replace(bare, outcome=None))

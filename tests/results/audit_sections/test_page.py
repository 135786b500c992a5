from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from limbeck.audits.results import (
    Calibration,
    Caveat,
    Correlation,
    Differences,
    Estimate,
    Fidelity,
    GroupFinding,
    MatchedPairsTest,
    Memorised,
    MissingFeatures,
    ModelMultiplicity,
    ModelTest,
    Shape,
    Statement,
)
from limbeck.core.errors import InvalidInput
from limbeck.results.audit_sections.axes import bin_names
from limbeck.results.audit_sections.facts import AuditFacts
from limbeck.results.audit_sections.page import audit_page, write_audit_page
from limbeck.results.audit_sections.tables import audit_table

EVIL = "<script>alert(1)</script>"
VOID = {"meta", "br", "hr", "img", "input", "link"}


def estimate(value: float, half: float = 0.02) -> Estimate:
    return Estimate(value, value - half, value + half)


def around(values: np.ndarray, half: float | np.ndarray) -> np.ndarray:
    return np.column_stack([values - half, values + half])


def shape(name: str, edges: list[float], levels: tuple[str, ...], bins: int, seed: int) -> Shape:
    rng = np.random.default_rng(seed)
    score, outcome = (rng.normal(0, 0.15, bins).cumsum() for _ in range(2))
    count = rng.integers(5, 900, bins).astype(float)
    half = 2 / np.sqrt(count)
    difference = score - outcome
    return Shape(
        name, "years" if edges else "", np.array(edges), levels, count,
        score, around(score, half), outcome, around(outcome, half), difference,
        around(difference, 1.2 * half), around(difference, 2 * half), float(score.std()),
    )  # fmt: skip


SHAPES = (
    shape("age", [20, 22, 25, 30, 35, 40, 50, 60], ("missing",), 10, 1),
    shape(EVIL, [], ("F", "<b>M</b>"), 2, 2),
    shape("income", [1e3, 2e3, 3e3, 5e3, 1e4, 2e4, 5e4, 1e6], (), 9, 3),
    shape("charge", [], tuple(f"a rather long charge {i}" for i in range(30)), 30, 4),
)


def example() -> AuditFacts:
    x, nan = np.arange(1.0, 11), float("nan")
    rate = x / 14
    missing = MissingFeatures(
        tuple(Correlation(n, estimate(v)) for n, v in
              (("Pearson", 0.13), ("Spearman", 0.12), ("Kendall", 0.08))),  # type: ignore[arg-type]
        MatchedPairsTest(
            "exact", 4093, 1055, 2.1, 2.84, 0.0005, 2000, "Identical cases differ in their scores."
        ),
        ModelTest(3.2, 0.005, 0.0001, 199, "The errors go together."),
        Memorised(False, 0.04, 0.9, "The scores were not memorised."),
        "missing feature", "The score uses something that was not audited.",
        ("that something else goes into the score",), ("what that something is",),
    )  # fmt: skip
    return AuditFacts(
        score="decile_score",
        outcome="two_year_recid",
        rows=6172,
        features=tuple(s.feature for s in SHAPES),
        caveats=(Caveat("column id", f"It names rows {EVIL}.", "Leave it out."),),
        fidelity=Fidelity(estimate(1.95), estimate(0.53), estimate(0.75), estimate(0.58, nan),
                          None),
        calibration=Calibration(
            x, rate, rate - 0.03, rate + 0.03, x * 50, np.log(rate / (1 - rate)), 0.3, 1.0,
            "linear", "The score is calibrated on the logit scale.",
        ),
        differences=Differences(
            SHAPES, ("score rises 0.4 more from age 20 to 25 than the outcome does",), 0.95, 100
        ),
        missing=missing,
        model_multiplicity=ModelMultiplicity(
            12, 0.01, (Statement("age matters most", 1.0), Statement("income falls", 0.25)),
            (("age", "income", EVIL), ("income", "age")),
        ),
        groups=tuple(
            GroupFinding(g, 800, estimate(4.2), estimate(0.4), estimate(1.9), estimate(0.01),
                         ("It is scored higher.",))
            for g in ("A", "<i>B</i>")
        ),
        group="race",
        dropped=(("id", "left out as asked"), ("name", "left out as asked"),
                 ("leak & co", "the outcome in disguise")),
        settings={"bags": 100, "seed": 0, "seconds": 130.0, "pairs": None,
                  "versions": {"limbeck": "0.1.0"}},
    )  # fmt: skip


def only_score(facts: AuditFacts) -> AuditFacts:
    """As an audit without an outcome gives it: what cannot be known is absent or not a number."""
    nan, none = float("nan"), np.array([])
    shapes = tuple(replace(s, outcome=none, outcome_band=np.empty((0, 2))) for s in SHAPES)
    assert facts.missing is not None
    assert facts.differences is not None
    return replace(
        facts,
        outcome=None,
        calibration=None,
        fidelity=replace(facts.fidelity, outcome_auc=None, outcome_log_loss=None),
        differences=replace(facts.differences, shapes=shapes),
        missing=replace(
            facts.missing,
            correlations=(),
            matched_pairs=MatchedPairsTest(
                "none", 0, 0, nan, nan, nan, 0, "There are no identical cases."
            ),
            model=ModelTest(nan, nan, nan, 0, "Without an outcome there is no such test."),
            memorised=Memorised(False, nan, nan, "It cannot be told."),
            verdict="cannot tell",
        ),
        groups=tuple(replace(g, outcome_rate=None, calibration_gap=None) for g in facts.groups),
        frequency_weight="count",
    )


@pytest.fixture(scope="module")
def page() -> str:
    return audit_page(example())


class Reader(HTMLParser):
    """Checks that tags close in order, and collects text and attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data + " "


def test_page_is_well_formed_and_headed(page: str) -> None:
    read = Reader(page)
    tags = [tag for tag, _ in read.seen]
    assert page.startswith("<!DOCTYPE html>")
    assert tags.count("h1") == 1
    assert tags.count("h2") >= 10
    assert all(a.get("scope") in ("row", "col") for t, a in read.seen if t == "th")


def test_page_needs_nothing_else(page: str) -> None:
    read = Reader(page)
    assert not [t for t, _ in read.seen if t in ("script", "link", "img", "iframe")]
    assert not [a for _, a in read.seen if "src" in a or "href" in a]
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page.replace("&#x27;", "'")


def test_users_text_is_escaped(page: str) -> None:
    for raw in ("<script", "<b>", "<i>"):
        assert raw not in page
    assert EVIL in Reader(page).text


def test_it_states_what_was_found(page: str) -> None:
    audit, text = example(), Reader(page).text
    assert audit.missing is not None
    assert audit.differences is not None
    for said in (
        audit.missing.sentence, audit.missing.matched_pairs.sentence, audit.missing.model.sentence,
        audit.missing.memorised.sentence, *audit.missing.may_conclude,
        *audit.missing.may_not_conclude, *audit.differences.sentences, "4,093", "p = 0.0005",
        "[1.930, 1.970]", "the outcome in disguise", "Left out: leak & co",
        "6,172", "limbeck 0.1.0", "decile_score",
    ):  # fmt: skip
        assert said in text, said
    assert "--drop 'leak & co'" in text
    assert "Left out as asked id, name" in text
    assert (
        text.index(audit.missing.sentence) < text.index("Warnings") < text.index("What was asked")
    )


def test_every_bin_of_every_feature_is_in_a_table(page: str) -> None:
    text = Reader(page).text
    for s in SHAPES:
        for name in bin_names(s):
            assert name in text


@pytest.mark.parametrize("outcome", [True, False])
def test_no_number_is_missing(outcome: bool) -> None:
    audit = example() if outcome else only_score(example())
    source = audit_page(audit)
    text = Reader(source).text
    assert not re.search(r"\b(nan|inf|undefined|None)\b", text)
    assert not re.search(r'="-?(nan|inf)', source)
    assert not re.search(r'd="[^"]*(nan|inf)', source)


def test_without_an_outcome_it_says_so() -> None:
    text = Reader(audit_page(only_score(example()))).text
    assert "no outcome" in text.lower()
    assert "Calibration" not in text
    assert "column count" in text


def test_bare_audit() -> None:
    bare = replace(
        example(), calibration=None, differences=None, missing=None, model_multiplicity=None,
        groups=(), caveats=(),
    )  # fmt: skip
    assert "Warnings" not in Reader(audit_page(bare)).text


@pytest.mark.parametrize("outcome", [True, False])
@pytest.mark.parametrize("width", [80, 140])
def test_the_table_fits_the_terminal(outcome: bool, width: int) -> None:
    audit = example() if outcome else only_score(example())
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(audit_table(audit))
    text = capture.get()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    flat = " ".join(text.split())
    assert "…" not in text
    assert not re.search(r"\b(nan|inf|None)\b", text)
    assert audit.missing is not None
    assert audit.missing.sentence in flat
    assert EVIL in flat
    assert "<i>B</i>" in flat
    assert ("4,093 rows in 1,055 groups" in flat) == outcome
    if width > 100:
        assert "1.950 [1.930, 1.970]" in flat


def test_it_is_written_whole(tmp_path: Path) -> None:
    written = write_audit_page(example(), tmp_path / "a.html")
    assert written.read_text("utf-8") == audit_page(example())
    with pytest.raises(InvalidInput, match="does not exist"):
        write_audit_page(example(), tmp_path / "no" / "r.html")
    with pytest.raises(InvalidInput, match="is a folder"):
        write_audit_page(example(), tmp_path)


def test_the_page_never_scrolls_sideways_and_no_table_is_cut_off(
    page: str, browsed: Callable[[str, list[int]], dict[int, tuple[int, list[str]]]]
) -> None:
    for width, (content, cut) in browsed(page, [360, 500, 800, 1280, 1400]).items():
        assert content <= width
        assert cut == [], width

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limbeck.audits.group_metrics import GroupMetrics
from limbeck.audits.results import (
    Calibration,
    Caveat,
    Differences,
    Estimate,
    Fidelity,
    MatchedPairsTest,
    Memorised,
    MissingFeatures,
    ModelMultiplicity,
    ModelTest,
    Statement,
    Verdict,
)
from limbeck.results.audit_sections.facts import AuditFacts
from limbeck.results.audit_sections.page import audit_page
from limbeck.results.audit_sections.summary import summary_of

TOLD = tuple(f"From x{j} 1 to 2 the score rises 0.4 log-odds more." for j in range(5))
SILENT = "Nothing can be told of sex: every 95% band of the difference holds 0."


def facts(verdict: Verdict = "no evidence", p: float = 0.5, kind: str = "exact") -> AuditFacts:
    x = np.arange(1.0, 4)
    rate = np.array([0.2, 0.4, 0.77])
    return AuditFacts(
        score="decile",
        outcome="arrested",
        rows=1000,
        features=("sex", "x0", "x1"),
        caveats=(),
        fidelity=Fidelity(Estimate(1, 0.9, 1.1), Estimate(0.5, 0.48, 0.52), None, None, None),
        calibration=Calibration(x, rate, rate, rate, x, x, 0.3, 0.8, "linear", "A line."),
        differences=Differences((), (*TOLD, SILENT), 0.95, 100),
        missing=MissingFeatures(
            (), MatchedPairsTest(kind, 500, 90, 1.0, 2.0, p, 2000, ""),  # type: ignore[arg-type]
            ModelTest(0.1, float("nan"), 0.5, 199, ""), Memorised(False, 0, 1, ""), verdict,
            "The verdict.", (), (),
        ),
        model_multiplicity=ModelMultiplicity(
            9, 0.01,
            (Statement("The score is higher for high x0.", 1.0),
             Statement("The score is lower for high x1.", 0.9),
             Statement("x0 matters most to the score.", 1.0)),
            (),
        ),
    )  # fmt: skip


def test_the_summary_says_what_the_numbers_say() -> None:
    said = summary_of(facts())
    assert said.can[0] == (
        "Higher scores go with more outcomes: 20% of the rows with the lowest scores have"
        " arrested = 1, and 77% of those with the highest."
    )
    assert "The 3 audited columns explain 50% (48% to 52%) of how the scores differ" in said.can[1]
    assert said.can[2].endswith("about equally well: The score is higher for high x0.")
    assert said.can[3:6] == TOLD[:3]
    assert said.can[6].startswith("2 more such sentences")
    assert len(said.can) == 7
    assert any("the columns not named here" in s for s in said.cannot)


def test_fewer_outcomes_and_turning_rates_are_told_as_such() -> None:
    base = facts()
    assert base.calibration is not None
    falls = replace(base.calibration, rate=np.array([0.8, 0.5, 0.005]), p_monotone=0.001)
    said = summary_of(replace(base, calibration=falls)).can[0]
    assert "go with fewer outcomes: 80.0% of" in said
    assert "and 0.5% of those" in said
    turns = replace(base.calibration, p_monotone=0.001)
    assert "falls somewhere" in summary_of(replace(base, calibration=turns)).can[0]


@pytest.mark.parametrize(
    ("verdict", "cannot", "then"),
    [
        ("missing feature", "What it is that the score knows", "what goes into the score beyond"),
        ("negative association", "That a feature is missing, or that none", "Ask what was done"),
        ("no evidence", "That the score uses nothing beyond", "four times as many"),
        ("memorised", "How well the score forecasts", "before the outcome was known"),
        ("cannot tell", "Whether the score knows something", "too few could be tested"),
    ],
)
def test_each_verdict_has_its_limit_and_its_next_step(
    verdict: Verdict, cannot: str, then: str
) -> None:
    said = summary_of(facts(verdict))
    assert any(cannot in s for s in said.cannot)
    assert any(then in s for s in said.next)


def test_a_rate_that_rises_and_falls_asks_what_was_done_with_the_scores() -> None:
    assert any("Ask what was done" in s for s in summary_of(facts("cannot tell", p=0.01)).next)


def test_unique_rows_are_told_how_to_become_identical_cases() -> None:
    unique = "make nearly every row unique"
    assert not any(unique in s for s in summary_of(facts()).next)
    assert any(unique in s for s in summary_of(facts(kind="none")).next)


def test_a_score_that_the_columns_explain_needs_no_more_rows() -> None:
    known = facts(kind="none")
    full = replace(known.fidelity, score_r2=Estimate(1.0, 0.999, 1.0))
    said = summary_of(replace(known, fidelity=full))
    assert "practically without rest" in said.can[1]
    assert not any("four times" in s or "unique" in s for s in said.next)


def test_leaks_come_before_all_else() -> None:
    leaky = replace(
        facts(),
        caveats=(
            Caveat("end", "Leak?", "Leave it out.", "leak"),
            Caveat("event", "Leak?", "Leave it out.", "leak"),
            Caveat("priors", "It tells a good part.", "Ask.", "outcome"),
            Caveat("v_decile", "It explains 61% of the score.", "Ask.", "score"),
        ),
    )
    said = summary_of(leaky)
    assert said.can[0].startswith("Little, as long as end and event are among the columns")
    assert said.next[0] == (
        "Find out when end, event and priors were recorded. If that was after the outcome, leave"
        " them out and audit again."
    )
    assert said.next[1] == (
        "Find out whether v_decile was made from the score. If so, leave it out and audit again."
    )
    assert not any("warnings" in s for s in said.next)
    other = replace(facts(), caveats=(Caveat("copies", "9 rows are copies.", "Name people."),))
    assert any("warnings" in s for s in summary_of(other).next)
    note = replace(facts(), caveats=(Caveat("groups", "age was cut.", "Give bins."),))
    assert not any("warnings" in s for s in summary_of(note).next)


def test_impact_ratios_are_told_where_they_are_surely_low() -> None:
    def group(name: str, ratio: Estimate | None) -> GroupMetrics:
        return GroupMetrics(
            name,
            500,
            Estimate(0.5, 0.4, 0.6),
            ratio,
        )

    groups = tuple(
        group(name, ratio)
        for name, ratio in (
            ("all rows", None), ("race A", Estimate(0.5, 0.4, 0.6)),
            ("race B", Estimate(0.75, 0.6, 0.9)), ("race C", Estimate(0.95, 0.85, 1.0)),
        )
    )  # fmt: skip
    said = summary_of(replace(facts(), groups=(), group="race", group_metrics=groups))
    assert [s for s in said.can if "impact" in s] == [
        "The impact ratio of A is 0.50 [0.40, 0.60], below four fifths, also at the upper end of"
        " its interval."
    ]
    assert any("no proof of discrimination" in s for s in said.next)


def test_without_an_outcome_it_asks_for_one() -> None:
    alone = replace(facts("cannot tell"), outcome=None, calibration=None)
    said = summary_of(alone)
    assert "there is no outcome" in said.cannot[0]
    assert "Add a column with what really happened" in said.next[0]


def test_the_page_opens_with_the_summary() -> None:
    page = audit_page(facts())
    places = [
        page.index(heading)
        for heading in ("What can be concluded", "What cannot be concluded", "What to do next",
                        "What was asked", "Score and outcome, feature by feature")
        if heading in page
    ]  # fmt: skip
    assert places == sorted(places)
    assert len(places) >= 4

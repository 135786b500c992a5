from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.results.audit import Audit
from limbeck.results.audit_sections.facts import facts_of
from limbeck.results.audit_sections.page import audit_page
from limbeck.results.audit_sections.rates import four_fifths

pytest.importorskip("interpret")


def people(n: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    group = rng.choice(["a", "b"], n)
    x = rng.normal(size=n)
    score = np.clip(np.round(5 + 2 * x + 2.5 * (group == "a")), 1, 10)
    outcome = (rng.random(n) < score / 12).astype(int)
    return pd.DataFrame({"x": x, "group": group, "score": score, "outcome": outcome})


@pytest.fixture(scope="module")
def audit() -> Audit:
    return limbeck.audit(
        people(), score="score", outcome="outcome", groups="group", threshold=6, favourable="low",
        bags=19,
    )  # fmt: skip


def test_rates_are_of_all_rows_and_of_each_group(audit: Audit) -> None:
    df = people()
    names = [g.name for g in audit.group_metrics]
    assert names == ["all rows", "group a", "group b"]
    for g, here in zip(
        audit.group_metrics, (df, *(d for _, d in df.groupby("group"))), strict=True
    ):
        assert g.selection_rate is not None
        assert g.selection_rate.value == pytest.approx((here["score"] >= 6).mean())
    a, b = audit.group_metrics[1:]
    assert b.impact_ratio is None  # not being selected is favourable, and b is least selected
    assert a.impact_ratio is not None
    assert a.impact_ratio.high < 0.8


def test_no_column_is_out_of_sight_in_usual_and_narrow_windows(
    audit: Audit, browsed: Any, tmp_path: Path
) -> None:
    page = audit.report(tmp_path / "r.html").read_text("utf-8")
    for width, (content, cut) in browsed(page, [500, 1100, 1280, 1440]).items():
        assert content <= width
        assert cut == [], width


def test_the_page_and_the_table_show_them(audit: Audit) -> None:
    page = str(audit_page(audit))
    assert "Decisions and errors by group" in page
    assert "Selected: score of at least 6." in page
    assert "the share of those not selected, the favourable decision" in page
    assert "below four fifths, also at the upper end of its interval" in page
    assert page.count("the curve fitted to all rows") == 2
    assert "--threshold 6" in page
    assert "threshold=6" in page
    printed = str(audit)
    assert "errors by group" in printed
    assert "false positives" in printed
    assert audit.to_dict()["group_metrics"][1]["impact_ratio"]["value"] < 0.8


def test_four_fifths_speaks_as_far_as_the_rows_can_tell(audit: Audit) -> None:
    (said,) = four_fifths(facts_of(audit))
    assert said.startswith("The impact ratio of a is 0.")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"threshold": 11}, "the scores reach from 1 to 10"),
        ({"threshold": 1}, "the scores reach from 1 to 10"),
        ({"threshold": 5, "favourable": "yes"}, "favourable is 'yes'"),
        ({"favourable": "low"}, "there is no threshold"),
    ],
)
def test_decisions_that_decide_nothing_are_refused(given: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        limbeck.audit(people(200), score="score", outcome="outcome", **given)  # type: ignore[arg-type]

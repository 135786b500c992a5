"""The terminal says what the page says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from limbeck import audit
from limbeck.results.audit import Audit
from limbeck.results.audit_sections.facts import facts_of
from limbeck.results.audit_sections.multiplicity import compared
from limbeck.results.audit_sections.page import audit_page
from limbeck.results.audit_sections.tables import audit_table


@pytest.fixture(scope="module")
def found() -> Audit:
    rng = np.random.default_rng(0)
    X = {"age": rng.integers(20, 60, 500), "team": rng.choice(["a", "b"], 500)}
    odds = (X["age"] - 40) / 10
    y = (rng.random(500) < 1 / (1 + np.exp(-odds))).astype(int)
    table = {**X, "score": odds + rng.normal(0, 0.3, 500), "hit": y}
    return audit(
        pd.DataFrame(table), score="score", outcome="hit", groups="team", threshold=0.0, bags=20,
        progress=False,
    )  # fmt: skip


def printed(found: Audit) -> str:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(audit_table(found))
    assert max(len(line.rstrip()) for line in capture.get().splitlines()) <= 80
    return " ".join(capture.get().split())


def test_predictive_values_stand_in_the_terminal(found: Audit) -> None:
    text = printed(found)
    for g in found.group_metrics:
        for rate in (g.positive_predictive_value, g.negative_predictive_value):
            assert rate is not None
            assert f"{100 * rate.value:.1f} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]" in text


def test_near_equal_models_are_told_in_the_words_of_the_page(found: Audit) -> None:
    facts, text = facts_of(found), printed(found)
    assert facts.model_multiplicity is not None
    firm = [s.text for s in facts.model_multiplicity.statements if s.share >= 1]
    assert "The score is higher for high age." in firm
    assert f"{compared(facts.model_multiplicity)} {len(firm)} of" in text
    assert all(statement in text for statement in firm)
    assert compared(facts.model_multiplicity) in audit_page(facts)

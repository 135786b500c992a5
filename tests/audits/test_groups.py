from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from limbeck.audits.calibration import calibrate
from limbeck.audits.differences import scaled
from limbeck.audits.fitting import fit_models, make_folds
from limbeck.audits.groups import by_groups
from limbeck.audits.results import GroupFinding
from limbeck.audits.table import read_table
from limbeck.core.progress import quiet

pytest.importorskip("interpret")


@pytest.fixture(scope="module")
def found() -> dict[str, GroupFinding]:
    return run()


def run(outcome: bool = True) -> dict[str, GroupFinding]:
    """The score is 1 too high for group b."""
    rng = np.random.default_rng(0)
    n = 2000
    x, kind = rng.normal(size=n), rng.choice(["a", "b"], n).astype(object)
    kind[:10] = "rare"
    df = pd.DataFrame({"x": x, "kind": kind, "score": x + 1.0 * (kind == "b")})
    df["score"] += rng.normal(0, 0.3, n)
    df["outcome"] = (rng.random(n) < expit(x)).astype(int)
    t = read_table(
        df,
        score="score",
        outcome="outcome" if outcome else None,
        drop=() if outcome else ("outcome",),
        groups="kind",
    )
    _, curve = calibrate(t.score, t.outcome, t.mass, 0.95, rng)
    m = fit_models(
        t, curve, make_folds(n, 3, rng), pairs=0, bags=40, rng=rng, tell=quiet, rounds=60
    )
    return {g.group: g for g in by_groups(t, m, scaled(m), curve, 0.95, rng)}


def test_a_score_too_high_for_a_group_is_found(found: dict[str, GroupFinding]) -> None:
    assert list(found) == ["kind a", "kind b", "kind rare"]
    a, b = found["kind a"], found["kind b"]
    assert a.calibration_gap is not None
    assert b.calibration_gap is not None
    assert a.calibration_gap.low > 0 > b.calibration_gap.high
    assert a.calibration_gap.level == pytest.approx(0.975)  # two groups are large enough
    assert b.mean_score.value > a.mean_score.value + 0.7
    assert a.n + b.n == 1990
    assert b.sentences[0].startswith("For kind b, kind raises the score by ")
    assert "kind lowers the score" in a.sentences[0]
    assert a.outcome_rate is not None
    assert a.outcome_rate.low < 0.5 < a.outcome_rate.high


def test_small_groups_get_a_sentence_instead_of_numbers(found: dict[str, GroupFinding]) -> None:
    rare = found["kind rare"]
    assert rare.n == 10
    assert np.isnan(rare.rmse.value)
    assert rare.sentences == (
        "Nothing can be told of kind rare: it has 10 rows, and 30 are needed.",
    )


def test_without_outcome() -> None:
    a = run(outcome=False)["kind a"]
    assert a.outcome_rate is None
    assert a.calibration_gap is None
    assert a.rmse.low < a.rmse.value < a.rmse.high

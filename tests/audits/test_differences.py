from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.calibration import calibrate
from limbeck.audits.contrasts import FeatureDifference
from limbeck.audits.differences import differences, scaled
from limbeck.audits.fitting import Models, fit_models, make_folds
from limbeck.audits.results import Differences
from limbeck.audits.table import read_table
from limbeck.core.progress import quiet


def simulate(seed: int, n: int = 2000, extra: float = 1.0, blind: bool = False) -> pd.DataFrame:
    """The score steps up at age 40, by ``extra``, where the outcome does not."""
    rng = np.random.default_rng(seed)
    age, kind = rng.integers(18, 70, n).astype(float), rng.choice(["a", "b"], n)
    x = rng.normal(size=n)
    z = 1.0 * x + 0.5 * (kind == "b")
    df = pd.DataFrame({"age [years]": age, "kind": kind, "x": x})
    df["score"] = z + extra * (age > 40) + rng.normal(0, 0.4, n)
    df["outcome"] = (rng.random(n) < (0.5 if blind else expit(z))).astype(int)
    return df


def run(df: pd.DataFrame, outcome: str | None = "outcome", bags: int = 40) -> tuple[
    AuditTable, Models, Differences
]:  # fmt: skip
    t = read_table(df, score="score", outcome=outcome, drop=() if outcome else ("outcome",))
    rng = np.random.default_rng(0)
    _, curve = calibrate(t.score, t.outcome, t.mass, 0.95, rng)
    m = fit_models(
        t, curve, make_folds(len(t), 2, rng), pairs=0, bags=bags, rng=rng, tell=quiet, rounds=0
    )
    return t, m, differences(t, m, scaled(m), 0.95)


@pytest.fixture(scope="module")
def known() -> tuple[AuditTable, Models, Differences]:
    return run(simulate(0))


def test_the_known_difference_is_told_first(known: tuple[AuditTable, Models, Differences]) -> None:
    _, _, found = known
    assert found.shapes[0].feature == "age [years]"
    first = found.sentences[0]
    assert first.startswith("From age ")
    assert re.search(
        r" years the score rises [\d.]+ log-odds more than the outcome does; 95% band [\d.]+ to"
        r" [\d.]+, that is [\d.]+ to [\d.]+ percentage points around a rate of \d\d%\.$",
        first,
    )
    assert "Nothing can be told of" in found.sentences[-1]
    assert "kind" in found.sentences[-1]


def test_shapes_add_up_and_bands_nest() -> None:
    t, m, found = run(simulate(1))
    for s in found.shapes:
        b = len(s.count)
        assert s.count.sum() == len(t)
        assert b == (len(s.edges) + 1 + len(s.levels) if len(s.edges) else len(s.levels))
        assert np.allclose(s.difference, s.score - s.outcome)
        for values in (s.score, s.outcome, s.difference):
            assert abs(np.average(values, weights=s.count)) < 1e-9
        assert (s.simultaneous[:, 0] <= s.pointwise[:, 0]).all()
        assert (s.pointwise[:, 1] <= s.simultaneous[:, 1]).all()
        assert (s.pointwise[:, 0] <= s.difference).all()
    assert found.bags == len(m.bags) == 40


def test_scaling_takes_off_the_score_s_unit() -> None:
    df = simulate(2)
    _, _, one = run(df, bags=20)
    _, _, other = run(df.assign(score=100 * df["score"] + 7), bags=20)
    for a, b in zip(one.shapes, other.shapes, strict=True):
        assert np.allclose(a.difference, b.difference, atol=1e-6)


def test_missing_values_are_a_level_of_their_own() -> None:
    df = simulate(3)
    df.loc[::9, "age [years]"] = np.nan
    _, _, found = run(df)
    age = next(s for s in found.shapes if s.feature == "age [years]")
    assert age.levels == ("missing",)
    assert len(age.count) == len(age.edges) + 2
    assert age.count[-1] == len(df.index[::9])


def test_without_outcome_the_score_is_told_alone() -> None:
    _, _, found = run(simulate(4), outcome=None)
    assert np.isnan(found.shapes[0].difference).all()
    assert np.isfinite(found.shapes[0].score_band).all()
    assert any(s.startswith("The score rises") and "from x" in s for s in found.sentences)
    assert "outcome" not in " ".join(found.sentences)


def test_an_outcome_that_nothing_explains_has_no_scale() -> None:
    _, _, found = run(simulate(5, n=600, blind=True))
    assert len(found.sentences) == 1
    assert "no common scale" in found.sentences[0]
    assert np.isnan(found.shapes[0].simultaneous).all()


@pytest.mark.slow
def test_bands_cover_and_sentences_are_true_at_their_level() -> None:
    """In 60 audits with no difference at all, hardly any sentence tells of one."""
    told = [len(run(simulate(100 + i, n=1500, extra=0.0))[2].sentences) > 1 for i in range(60)]
    assert np.mean(told) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)


def test_a_level_without_any_outcome_tells_nothing() -> None:
    df = simulate(6)
    df["town"] = np.where(df.index < 40, "small", "large")
    df.loc[df["town"] == "small", "outcome"] = 0
    _, _, found = run(df)
    town = next(s for s in found.shapes if s.feature == "town")
    small = town.levels.index("small")
    assert np.isfinite(town.outcome).all()
    assert np.ptp(town.simultaneous[small]) > 2 * 2.5 * np.sqrt(2)


def told(
    main: list[float], score: list[float], outcome: list[float], noise: float = 0.01
) -> FeatureDifference:
    values = np.array(main)
    bags = values + np.random.default_rng(0).normal(0, noise, (50, len(values)))
    return FeatureDifference(
        "age", "years", True, ("up to 20", "above 20"), np.array([19.0, 25.0]),
        np.array(score), np.array(outcome), values, bags,
    )  # fmt: skip


def test_a_difference_that_the_common_scale_makes_is_said_to_be_one() -> None:
    """The score makes too much of a and is right on b; scaled down, it makes too little of b."""
    rng = np.random.default_rng(0)
    n = 6000
    df = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    df["score"] = expit(1.6 * df["a"] + 0.8 * df["b"] + rng.normal(0, 0.1, n))
    df["outcome"] = (rng.random(n) < expit(0.8 * df["a"] + 0.8 * df["b"])).astype(int)
    _, m, found = run(df)
    assert m.own is not None
    of = {name: [s for s in found.sentences if f"From {name} " in s] for name in "ab"}
    assert of["a"]
    assert all("Unscaled, in the score's own log-odds, it is " in s for s in of["a"])
    assert of["b"]
    assert all("It is seen on the common scale only" in s for s in of["b"])


def test_a_score_that_is_no_probability_has_no_log_odds_of_its_own(
    known: tuple[AuditTable, Models, Differences],
) -> None:
    _, m, found = known
    assert m.own is None
    assert not [s for s in found.sentences if "own log-odds" in s]

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from limbeck.audits.matched_pairs import matched_pairs_test
from limbeck.audits.missing import missing_features
from limbeck.audits.model_test import cross_fit, model_test
from limbeck.audits.results import MissingFeatures
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput

N = 600


def world(levels: bool) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (N, 3)).astype(float) if levels else rng.standard_normal((N, 3))
    return X, X[:, 0] - X[:, 0].mean() + 0.5 * X[:, 1], rng


def outcome(odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(float)


def audit(X, score, y, **more) -> MissingFeatures:
    return missing_features(X, (), score, y, None, None, simulations=99, **more)


@pytest.mark.parametrize("levels", [True, False])
def test_verdicts(levels: bool) -> None:
    X, odds, rng = world(levels)
    hidden = 1.5 * rng.standard_normal(N)
    y = outcome(odds + hidden, rng)
    found = audit(X, odds + hidden, y)
    assert found.verdict == "missing feature"
    assert ("identical cases" if levels else "models") in found.sentence
    innocent = audit(X, odds + 0.3 * rng.standard_normal(N), y)
    assert innocent.verdict == "no evidence"
    assert any("uses nothing else" in s for s in innocent.may_not_conclude)
    forest = RandomForestClassifier(15, random_state=0).fit(X, y).predict_proba(X)[:, 1]
    learnt = audit(X, forest, y)
    # among few cells of many rows each, a forest is but a function of the audited features
    assert learnt.verdict == ("no evidence" if levels else "memorised")
    assert ("seems to use no other" if levels else "Nothing can be said") in learnt.sentence
    for f in (found, innocent, learnt):
        assert [c.name for c in f.correlations] == ["Pearson", "Spearman", "Kendall"]
        assert "correlations alone" in f.may_not_conclude[-1]


@pytest.mark.parametrize(
    ("levels", "turn", "prevented"),
    [(True, 1, 0.6), (True, -1, 1.0), (False, 1, 1.0), (False, -1, 0.6)],
)
def test_a_score_that_acts_on_its_outcome_is_named(
    levels: bool, turn: int, prevented: float
) -> None:
    """Who is scored high is detained and cannot reoffend, in either coding of the score."""
    X, odds, rng = world(levels)
    score = odds + rng.standard_normal(N)
    free = (score < np.quantile(score, 0.7)) | (rng.random(N) > prevented)
    found = audit(X, turn * score, outcome(odds, rng) * free)
    if prevented < 1:
        assert found.verdict == "negative association"
        assert "no sign that the score knows more" in found.sentence
        way = "fewer" if turn > 0 else "more"
        assert f"higher scores go with {way} outcomes" in found.sentence
        assert any("feedback and censoring hide both" in s for s in found.may_not_conclude)
    else:  # so strong that the features' direction is gone
        assert found.verdict in ("negative association", "cannot tell")
    assert "eedback" in found.sentence
    assert "censoring" in found.sentence


def test_a_missing_feature_in_a_score_where_high_means_safe() -> None:
    X, odds, rng = world(levels=True)
    hidden = 1.5 * rng.standard_normal(N)
    found = audit(X, -(odds + hidden), outcome(odds + hidden, rng))
    assert found.verdict == "missing feature"
    assert "higher scores go with fewer outcomes" in found.sentence
    assert "meant the other way round" in found.sentence
    assert "brings its outcome about" in " ".join(found.may_not_conclude).replace(
        "brings it about", ""
    )


@pytest.mark.parametrize(
    ("levels", "runs", "fewer", "least"),  # at a power of 60%, 0 of 3 are 6% of such tests
    [
        (True, 12, 12, 0.55),
        (False, 3, 2, 0.3),
        pytest.param(False, 20, 8, 0.55, marks=pytest.mark.slow),
    ],
)
def test_no_evidence_stands_beside_what_would_have_been_found(
    levels: bool, runs: int, fewer: int, least: float
) -> None:
    """The effect that is told is found in about 80% of audits, and half of it in far fewer."""
    X, odds, rng = world(levels)
    noise = rng.standard_normal(N)
    found = audit(X, odds + noise, outcome(odds, rng))
    assert "would have been found in 8 of 10 such audits" in found.sentence
    told = found.matched_pairs.detectable if levels else found.model.detectable
    assert 0.1 < told < 1

    def seen(share: float, seed: int) -> bool:
        r = np.random.default_rng(seed)
        z = r.standard_normal(N)
        score, y = odds + z, outcome(odds + share * told * z, r)
        if levels:  # identical cases decide alone
            pairs = matched_pairs_test(X, score, y, seed=seed)
            return pairs.p_value <= 0.05 and pairs.sign > 0
        model = model_test(cross_fit(X, score, y, seed=seed), simulations=99, seed=seed)
        return model.p_value <= 0.05 and model.statistic > 0

    assert np.mean([seen(1.0, seed) for seed in range(runs)]) >= least
    assert np.mean([seen(0.4, seed) for seed in range(fewer)]) <= 0.5


def test_a_score_without_a_rest_is_told() -> None:
    X, odds, rng = world(levels=False)
    found = audit(X, X[:, 0], outcome(odds, rng))
    assert "hardly anything is left that could be tested" in found.sentence


def test_identical_cases_with_equal_scores_overrule_the_models() -> None:
    X, odds, rng = world(levels=True)
    y = outcome(odds, rng)
    cell = (X @ [16, 4, 1]).astype(int)
    means = np.bincount(cell, weights=y, minlength=64) / np.bincount(cell, minlength=64).clip(1)
    score = odds + 0.7 * means[cell]  # follows these rows' outcomes, by audited features alone
    found = audit(X, score, y)
    assert found.matched_pairs.spread == 0
    assert found.verdict in ("no evidence", "memorised")


def test_predictions_that_are_handed_over_are_used() -> None:
    X, odds, rng = world(levels=True)
    y = outcome(odds, rng)
    score = odds + rng.standard_normal(N)
    found = missing_features(X, (), score, y, odds, 1 / (1 + np.exp(-odds)), simulations=19)
    a, b = score - odds, y - 1 / (1 + np.exp(-odds))
    assert found.correlations[0].value.value == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_scores_alone() -> None:
    X, odds, rng = world(levels=True)
    noisy = audit(X, odds + rng.standard_normal(N), None)
    assert noisy.verdict == "cannot tell"
    assert "or is noisy" in noisy.sentence
    assert noisy.correlations == ()
    assert audit(X, odds, None).verdict == "no evidence"
    lonely = audit(rng.standard_normal((N, 2)), odds, None)
    assert lonely.verdict == "cannot tell"
    assert "without identical cases" in lonely.sentence


def test_40_rows_cannot_tell() -> None:
    rng = np.random.default_rng(0)
    found = audit(rng.standard_normal((40, 2)), rng.random(40), rng.integers(0, 2, 40))
    assert found.verdict == "cannot tell"
    assert math.isnan(found.model.p_value)


def test_columns_may_be_described() -> None:
    X, odds, rng = world(levels=True)
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1].astype(str)})
    features = Features.of(frame)
    y = outcome(odds, rng)
    found = missing_features(
        features.encode(frame), features, odds, y, None, None, simulations=19, seed=1
    )
    assert found.matched_pairs.kind == "exact"


def test_bad_columns_are_refused() -> None:
    X, odds, _ = world(levels=True)
    with pytest.raises(InvalidInput, match="different numbers of rows"):
        audit(X, odds[:-1], odds > 0)
    with pytest.raises(InvalidInput, match="values other than 0 and 1"):
        audit(X, odds, odds)
    with pytest.raises(InvalidInput, match="1 rows have no finite score"):
        audit(X, np.append(odds[:-1], math.nan), odds > 0)


@pytest.mark.parametrize("flipped", [False, True])
def test_rare_outcomes_are_not_tested(flipped: bool) -> None:
    """3 outcomes in 1,000 rows: simulated audits without any made p = 0.005 of a statistic of 0."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 2))
    outcome = (np.arange(1000) < 3).astype(float)
    found = missing_features(
        X, (), X[:, 0] + rng.normal(size=1000), 1 - outcome if flipped else outcome, None, None
    )
    assert found.verdict == "cannot tell"
    assert "too few of one outcome" in found.sentence


# 1 of 1 at 5%: 5% of such tests; 3 or more of 12: 2%
@pytest.mark.parametrize(("audits", "most"), [(1, 0), pytest.param(12, 2, marks=pytest.mark.slow)])
def test_outcomes_of_one_in_fifty_are_tested_at_their_level(audits: int, most: int) -> None:
    accused = 0
    for seed in range(audits):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(600, 2))
        outcome = (rng.permutation(600) < 12).astype(float)
        found = missing_features(
            X, (), X[:, 0] + rng.normal(size=600), outcome, None, None, seed=seed, simulations=99
        )
        accused += found.verdict in ("missing feature", "negative association")
    assert accused <= most

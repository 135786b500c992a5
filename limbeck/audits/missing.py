"""Does the score use something that is not among the audited features? Three answers, one verdict.

The verdict rests on the tests whose false alarms are controlled; the published correlations are
shown beside them. Shapes: n rows, d features.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.correlations import error_correlations
from limbeck.audits.matched_pairs import matched_pairs_test
from limbeck.audits.memorised import memorised
from limbeck.audits.model_test import cross_fit, enough_to_test, model_test
from limbeck.audits.results import MatchedPairsTest, Memorised, MissingFeatures, ModelTest, Verdict
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress, quiet

__all__ = ["missing_features"]

Vector = NDArray[np.float64]
_LEVEL = 0.05
_IDENTICAL_SHARE = 0.25
_IDENTICAL_ROWS = 200
_SURE = 2.0
_ALL_EXPLAINED = 0.98
_FEEDBACK = "feedback (a score that acts on its outcome: who is detained cannot reoffend)"
_CENSORING = "censoring (the outcome is seen less often where scores are high, or low)"


def missing_features(
    values: NDArray[np.float64],
    features: Features | Collection[int],
    score: Vector,
    outcome: Vector | None,
    score_oof: Vector | None,
    outcome_oof: Vector | None,
    *,
    seed: int = 0,
    permutations: int = 2000,
    simulations: int = 399,
    progress: Progress = quiet,
) -> MissingFeatures:
    """Put the correlations, the matched pairs, the model test and the check for memory together.

    Identical cases decide alone where they hold a quarter of the rows, and at least 200: their test
    is exact. Elsewhere matched pairs and models decide together, each at half the level
    (Bonferroni).

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Audited features: numbers, codes of categories, NaN for missing.
    features : Features, or collection of int
        The columns of ``values``, or the positions of those that hold codes.
    score : ndarray of shape (n,)
        The score.
    outcome : ndarray of shape (n,) or None
        0 or 1; None for an audit of scores alone.
    score_oof, outcome_oof : ndarray of shape (n,) or None
        Out-of-fold predictions of the score, in its unit, and of the outcome, as a probability;
        without them the correlations and near-identical cases rest on the model test's own.
    seed : int
        Of permutations, folds and simulations.
    permutations, simulations : int
        As for `matched_pairs_test` and `model_test`.
    progress : Progress
        Called with the stage, what is done, and the total.

    Raises
    ------
    InvalidInput
        If the columns differ in length, a score is missing, or an outcome is neither 0 nor 1.
    """
    _check(values, score, outcome)
    codes = _codes(features)
    if outcome is None:
        return _spread_only(matched_pairs_test(values, score, None, categorical=codes))
    fit = None
    if enough_to_test(score, outcome):
        fit = cross_fit(values, score, outcome, categorical=codes, seed=seed)
        if len(fit.rows) == len(score):
            if score_oof is None:
                score_oof = score - fit.score * score.std()
            if outcome_oof is None:
                outcome_oof = outcome - fit.outcome
    pairs = matched_pairs_test(
        values,
        score,
        outcome,
        score_fit=score_oof,
        outcome_fit=outcome_oof,
        categorical=codes,
        permutations=permutations,
        seed=seed,
        progress=progress,
    )
    if fit is None:
        model = _no_model("No test by models: it takes 200 rows, and 10 of either outcome.")
        memory = _no_memory()
    else:
        level = _LEVEL if math.isnan(pairs.p_value) else _LEVEL / 2
        model = model_test(fit, simulations=simulations, level=level, seed=seed, progress=progress)
        memory = memorised(values[fit.rows], fit.score, fit.outcome)
    correlations = (
        error_correlations(score, outcome, score_oof, outcome_oof, seed=seed)
        if score_oof is not None and outcome_oof is not None and len(score) >= 10
        else ()
    )
    way = 0 if score_oof is None else _orientation(score_oof, outcome)
    halves = score <= np.median(score)
    turns = tuple(_orientation(score[h], outcome[h]) for h in (halves, ~halves))
    verdict, words = _verdict(pairs, model, memory, len(score), way, turns)
    may, may_not = _conclusions(verdict, pairs, model)
    return MissingFeatures(correlations, pairs, model, memory, verdict, words, may, may_not)


def _check(values: NDArray[np.float64], score: Vector, outcome: Vector | None) -> None:
    lengths = {len(values), len(score)} | ({len(outcome)} if outcome is not None else set())
    if len(lengths) > 1:
        raise InvalidInput(
            f"Features, score and outcome have different numbers of rows: {sorted(lengths)}.",
            "Give one score and one outcome a row.",
        )
    if not np.isfinite(score).all():
        raise InvalidInput(
            f"{int((~np.isfinite(score)).sum()):,} rows have no finite score.", "Leave them out."
        )
    if outcome is not None and not np.isin(outcome, (0, 1)).all():
        raise InvalidInput("The outcome holds values other than 0 and 1.", "Encode it as 0 and 1.")


def _codes(features: Features | Collection[int]) -> frozenset[int]:
    if isinstance(features, Features):
        kinds = enumerate(c.kind for c in features.columns)
        return frozenset(j for j, kind in kinds if kind == "categorical")
    return frozenset(features)


def _no_model(why: str) -> ModelTest:
    return ModelTest(math.nan, math.nan, math.nan, 0, why)


def _no_memory() -> Memorised:
    return Memorised(False, math.nan, math.nan, "Whether the score was memorised is not known.")


def _decides_alone(pairs: MatchedPairsTest, n: int) -> bool:
    return pairs.kind == "exact" and pairs.rows >= max(_IDENTICAL_ROWS, _IDENTICAL_SHARE * n)


def _orientation(score_fit: Vector, outcome: Vector) -> int:
    """Whether a score, or its fitted part, goes with more (1) or fewer (-1) outcomes.

    0 where that is not certain. The fitted part says which direction the score's maker meant.
    """
    if len(outcome) < 3 or np.ptp(score_fit) == 0 or np.ptp(outcome) == 0:
        return 0
    r = float(np.corrcoef(score_fit, outcome)[0, 1])
    return int(np.sign(r)) if abs(r) * math.sqrt(len(outcome)) > _SURE else 0


def _verdict(
    pairs: MatchedPairsTest,
    model: ModelTest,
    memory: Memorised,
    n: int,
    way: int,
    turns: tuple[int, ...],
) -> tuple[Verdict, str]:
    if memory.flagged:
        return "memorised", f"{memory.sentence} Nothing can be said of missing features."
    known = [t for t in (pairs.p_value, model.p_value) if not math.isnan(t)]
    if not known:
        return "cannot tell", (
            "Neither matched pairs nor models could be tested: too few rows, or too few of one"
            " outcome."
        )
    by_model = not math.isnan(model.p_value) and (
        math.isnan(pairs.p_value) or model.p_value <= pairs.p_value
    )
    if _decides_alone(pairs, n):
        if pairs.spread == 0:
            return "no evidence", _same_scores(model)
        p, by, by_model = pairs.p_value, "identical cases", False
    else:
        p = min(1.0, len(known) * min(known))
        one = "models alone" if math.isnan(pairs.p_value) else "matched pairs alone"
        by = "matched pairs and models together" if len(known) == 2 else one
    if p <= _LEVEL:
        sign = int(np.sign(model.statistic)) if by_model else pairs.sign
        return _accused(sign, way, turns, f"p = {p:.2g}, {by}")
    words = (
        f"No evidence that the score knows more than the audited features tell (p = {p:.2g}, {by})."
    )
    return "no evidence", f"{words} {_would_have_shown(pairs, model, by_model)}"


def _accused(sign: int, way: int, turns: tuple[int, ...], how: str) -> tuple[Verdict, str]:
    """The verdict where score and outcome go together beyond the features, by its direction."""
    more = "more" if sign > 0 else "fewer"
    seen = f"Among cases alike in the audited features, higher scores go with {more} outcomes"
    if sign * way < 0:
        return "negative association", (
            f"{seen} ({how}), against the direction that the features give the score. That is what"
            f" {_FEEDBACK} does, and {_CENSORING}; a feature that the score uses the wrong way"
            " round does it too. It is no sign that the score knows more than the audited features"
            " tell."
        )
    if turns[0] * turns[1] < 0:
        first, then = ("rises", "falls") if turns[0] > 0 else ("falls", "rises")
        return "cannot tell", (
            f"{seen} ({how}). But over all rows the outcome's rate {first} with the score in the"
            f" lower half of the scores and {then} in the upper one. {_FEEDBACK.capitalize()} does"
            f" that, and {_CENSORING}. Whether the score knows more than the audited features tell"
            " cannot be told from these rows."
        )
    if way == 0 and sign < 0:
        return "cannot tell", (
            f"{seen} ({how}). If higher scores are meant to go with fewer outcomes, the score knows"
            " something that the audited features do not tell. If they are meant to go with more,"
            f" think of {_FEEDBACK} and of {_CENSORING} first."
        )
    turned = ""
    if way < 0:
        turned = (
            " Over all rows, too, higher scores go with fewer outcomes: if the score is meant the"
            f" other way round, think of {_FEEDBACK} and of {_CENSORING} first."
        )
    return "missing feature", (
        "The score knows something about the outcome that the audited features do not tell, or"
        f" brings it about. {seen} ({how}).{turned}"
    )


def _would_have_shown(pairs: MatchedPairsTest, model: ModelTest, by_model: bool) -> str:
    """The smallest effect that these rows would have shown, beside "no evidence"."""
    alone = math.isnan(model.p_value) or (not by_model and pairs.kind == "exact")
    if not alone and model.explained > _ALL_EXPLAINED:
        return (
            f"But the audited features explain {model.explained:.1%} of the score: hardly anything"
            " is left that could be tested."
        )
    exact = pairs.kind == "exact" and not math.isnan(pairs.detectable)
    effects = [] if math.isnan(model.detectable) else [model.detectable]
    if alone or not effects:
        effects = [pairs.detectable] if exact else effects
    if not effects:
        return "These rows would have shown only a very strong effect: that says little."
    effect = effects[0]
    unit = (
        "of the score within groups of identical cases"
        if alone and exact
        else "of what the features leave of the score"
    )
    return (
        f"An influence of {effect:.2g} log-odds for one standard deviation {unit} (odds times"
        f" {math.exp(effect):.2g}) would have been found in 8 of 10 such audits; weaker ones mostly"
        " stay unseen."
    )


def _same_scores(model: ModelTest) -> str:
    words = "Rows that agree in every audited feature agree in score: it seems to use no other."
    if model.p_value <= _LEVEL:
        words += (
            " That what the models leave of score and outcome goes together then speaks of their"
            " misfit, or of a score that was fitted on these rows."
        )
    return words


_MAY: dict[Verdict, str] = {
    "missing feature": "Score and outcome go together beyond what the audited features tell.",
    "negative association": (
        "Given the audited features, score and outcome go together in the opposite direction."
    ),
    "no evidence": "The data do not contradict that the score uses the audited features only.",
    "memorised": "The score is no forecast: it knew these rows' outcomes, or nearly so.",
}
"""What may be concluded from a verdict."""

_MAY_NOT: dict[Verdict, tuple[str, ...]] = {
    "missing feature": (
        "That the score foresaw: a score that brings its outcome about (who is scored high is"
        " watched more) looks the same.",
        "Which feature is missing, or that the model reads one column that you lack: it may"
        " see an audited feature in more detail than you (an exact age, not years).",
        "That using it is unlawful or unfair.",
    ),
    "negative association": (
        "That a feature is missing, or that none is: feedback and censoring hide both.",
        "Which it is, feedback, censoring or a feature used the wrong way round. Ask what was"
        " done with the scores, and for whom the outcome could be seen; audit rows on which"
        " nobody acted.",
        "That differences between score and outcome below are the score's mistakes: the same"
        " feedback is in them.",
    ),
    "no evidence": (
        "That the score uses nothing else: something that says nothing about the outcome, or"
        " little, or that other audited features stand for, is not found.",
        "That the audited features themselves are fair to use.",
    ),
    "memorised": ("Anything about missing features: ask for scores that were given beforehand.",),
    "cannot tell": ("That features are missing, or that none are.",),
}
"""What may not be concluded from it."""


def _conclusions(
    verdict: Verdict, pairs: MatchedPairsTest, model: ModelTest
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What may and what may not be concluded: from the verdict, and from the tests behind it."""
    may, may_not = [], []
    if pairs.kind == "exact" and pairs.spread > 0:
        may.append("The score is no function of the audited features: equal rows differ in score.")
        may_not.append(
            "That a difference between identical cases is no noise, unless a test says so."
        )
    if verdict in _MAY:
        may.append(_MAY[verdict])
    may_not += _MAY_NOT[verdict]
    by_models = pairs.kind != "exact" or not pairs.p_value <= _LEVEL
    if verdict in ("missing feature", "negative association") and by_models:
        may_not.append(
            "That misfit is excluded: no exact test stands behind this verdict. In simulated"
            " audits models accused 1% of the innocent on smooth truths, 5% on wiggly ones, and"
            " up to 25% in the worst kind (docs/measurements/audit_errors.md)."
        )
    if verdict == "cannot tell" and (pairs.p_value <= _LEVEL or model.p_value <= _LEVEL):
        may_not.append(
            "What ties score and outcome: ask what was done with the scores, and for whom the"
            " outcome could be seen; audit rows on which nobody acted."
        )
    if not math.isnan(model.p_value) and verdict != "memorised":
        may_not.append(
            "That the score was not fitted on these rows in part: following their outcomes a little"
            " looks like a missing feature."
        )
    may_not.append(
        "From the correlations alone: they exclude 0 for scores that use audited features only."
    )
    return tuple(may), tuple(may_not)


def _spread_only(pairs: MatchedPairsTest) -> MissingFeatures:
    model = _no_model("No test by models: there is no outcome.")
    may: tuple[str, ...] = ()
    verdict: Verdict = "cannot tell"
    if pairs.kind == "none":
        words = (
            "Without outcomes and without identical cases nothing can be said of missing features."
        )
    elif pairs.spread == 0:
        verdict = "no evidence"
        words = "Rows that agree in every audited feature have the same score."
        may = (
            "Among rows with an identical case the score is a function of the audited features.",
        )
    else:
        words = (
            "Equal rows differ in score: it uses something else, or is noisy. Without outcomes the"
            " two cannot be told apart."
        )
        may = ("The score is no function of the audited features.",)
    may_not = ("Whether what the score uses besides carries information on any outcome.",)
    return MissingFeatures((), pairs, model, _no_memory(), verdict, words, may, may_not)

"""What an audit finds: plain records, computed once, printed and drawn elsewhere.

Shapes: n audited rows, b bins or levels of a feature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Calibration",
    "Caveat",
    "ColumnReading",
    "Correlation",
    "Differences",
    "Estimate",
    "Fidelity",
    "Folds",
    "GroupFinding",
    "MatchedPairsTest",
    "Memorised",
    "MissingFeatures",
    "ModelMultiplicity",
    "ModelTest",
    "Shape",
    "Statement",
]

Vector = NDArray[np.float64]
Verdict = Literal[
    "missing feature", "negative association", "no evidence", "cannot tell", "memorised"
]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval at ``level``."""

    value: float
    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True)
class Caveat:
    """Something the auditor must know before reading on: what, and the remedy.

    ``kind`` is ``leak`` for a column that may have been recorded after the outcome, ``outcome`` for
    one that tells a good part of it, ``score`` for one that may have been made from the score.
    """

    subject: str
    problem: str
    remedy: str
    kind: Literal["", "leak", "outcome", "score"] = ""


@dataclass(frozen=True)
class ColumnReading:
    """How one column was read.

    ``role`` is what it is used for (score, outcome, feature, left out, ...), ``kind`` what it
    holds; ``values`` counts different values, ``missing`` rows without one. ``note`` tells what was
    done to its text, or why it is left out.
    """

    name: str
    role: str
    kind: str
    values: int
    missing: int
    note: str


@dataclass(frozen=True)
class Calibration:
    """How the score relates to the outcome on the logit scale.

    ``score``, ``rate``, ``low``, ``high`` and ``count`` have one entry a bin of the score;
    ``curve`` is the fitted log-odds at ``score``. ``p_linear`` tests that the log-odds are linear
    in the score, ``p_monotone`` that they never fall. ``method`` is ``linear``, ``monotone``, or
    ``none`` without an outcome.
    """

    score: Vector
    rate: Vector
    low: Vector
    high: Vector
    count: Vector
    curve: Vector
    p_linear: float
    p_monotone: float
    method: Literal["linear", "monotone", "none"]
    sentence: str


@dataclass(frozen=True)
class Fidelity:
    """Out-of-fold fit of the student to the score, and of the outcome model to the outcome."""

    score_rmse: Estimate
    score_r2: Estimate
    outcome_auc: Estimate | None
    outcome_log_loss: Estimate | None
    score_auc: Estimate | None
    """How well the audited score itself ranks the outcome."""


@dataclass(frozen=True)
class Shape:
    """One feature: contributions to score and outcome on a common scale, and their difference.

    ``edges`` (b - 1,) cut a number into bins; ``levels`` (b,) name them for categories (and the
    bin of missing values, last, where there is one). ``pointwise`` and ``simultaneous`` have shape
    (b, 2): bands of the difference; ``score_band`` and ``outcome_band`` likewise for the shapes.
    """

    feature: str
    unit: str
    edges: Vector
    levels: tuple[str, ...]
    count: Vector
    score: Vector
    score_band: NDArray[np.float64]
    outcome: Vector
    outcome_band: NDArray[np.float64]
    difference: Vector
    pointwise: NDArray[np.float64]
    simultaneous: NDArray[np.float64]
    importance: float


@dataclass(frozen=True)
class Differences:
    """All shapes, and what can be said of them in words, most certain and largest first."""

    shapes: tuple[Shape, ...]
    sentences: tuple[str, ...]
    level: float
    bags: int


@dataclass(frozen=True)
class Correlation:
    """A published measure: correlation of the two models' errors on the same rows."""

    name: Literal["Pearson", "Spearman", "Kendall"]
    value: Estimate


@dataclass(frozen=True)
class MatchedPairsTest:
    """Rows equal in every audited feature.

    ``kind`` says whether groups are of identical or of near-identical cases; then the test is
    approximate.
    ``spread`` is the within-group standard deviation of the score, ``spread_all`` that of all.
    ``sign`` is 1 where higher scores go with more outcomes among them, -1 with fewer, 0 unknown.
    ``detectable`` is the effect that 80% of such audits would show (identical cases; else NaN), in
    log-odds of the outcome for one standard deviation of the score within groups.
    """

    kind: Literal["exact", "near", "none"]
    rows: int
    groups: int
    spread: float
    spread_all: float
    p_value: float
    permutations: int
    sentence: str
    sign: int = 0
    detectable: float = float("nan")


@dataclass(frozen=True)
class ModelTest:
    """Do the errors of two cross-fitted models go together, beyond what their misfit explains?

    ``explained`` is the share of the score's variance that the audited features explain out of
    fold. ``detectable`` is the effect that 80% of such audits would show, in log-odds of the
    outcome for one standard deviation of what the features leave of the score.
    """

    statistic: float
    p_value: float
    p_uncalibrated: float
    simulations: int
    sentence: str
    explained: float = float("nan")
    detectable: float = float("nan")


@dataclass(frozen=True)
class Memorised:
    """Whether the score explains more of the outcome's noise than any honest score could."""

    flagged: bool
    share: float
    p_value: float
    sentence: str


@dataclass(frozen=True)
class MissingFeatures:
    """Three answers side by side, and what an auditor may conclude."""

    correlations: tuple[Correlation, ...]
    matched_pairs: MatchedPairsTest
    model: ModelTest
    memorised: Memorised
    verdict: Verdict
    sentence: str
    may_conclude: tuple[str, ...]
    may_not_conclude: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """A statement about the score, and the share of near-equal students in which it holds."""

    text: str
    share: float


@dataclass(frozen=True)
class ModelMultiplicity:
    """Students of near-equal fidelity, and what all of them say."""

    students: int
    margin: float
    statements: tuple[Statement, ...]
    rankings: tuple[tuple[str, ...], ...]
    """The features by importance in each student."""
    silent: tuple[str, ...] = ()
    """Features of which nothing is stated: their effects are too small, or not sure enough."""


@dataclass(frozen=True)
class GroupFinding:
    """One group of rows: size, fidelity, calibration and the differences that stand out there."""

    group: str
    n: int
    mean_score: Estimate
    outcome_rate: Estimate | None
    rmse: Estimate
    calibration_gap: Estimate | None
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folds:
    """Which fold each row is in, shared by all models of an audit."""

    of: NDArray[np.int64]
    number: int = 5
    settings: dict[str, Any] = field(default_factory=dict)

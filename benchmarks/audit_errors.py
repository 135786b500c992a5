"""How often the tests for a missing feature are wrong: simulated audits whose truth is known.

    python benchmarks/audit_errors.py [--audits 24] [--jobs 1]

A teacher is trained on 4,000 rows of its own and scores 2,000 others, which are audited. Teachers:
additive (logistic regression on splines), trees (boosting) and a network (2 x 32 units). Truths:
smooth, or wiggly (sines and steps with interactions). Designs: `identical` (five columns of few
levels), `near` (two numbers, two columns of few levels) and `numbers` (four numbers and a yes or
no). Scores are probabilities, logits or deciles, half of them with independent noise of 0.2
standard deviations. Seeds are fixed. AUDITS is the number of audits for each teacher, truth and
design.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
import zlib
from collections import defaultdict
from collections.abc import Callable
from multiprocessing import Pool

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from limbeck.audits.missing import missing_features

TEACHERS, TRUTHS = ("additive", "trees", "network"), ("smooth", "wiggly")
LEVELS = {"identical": (5, 4, 4, 3, 2), "near": (0, 0, 3, 2), "numbers": (0, 0, 0, 0, 2)}
TRAIN, ROWS = 4000, 2000
LEARNERS: dict[str, Callable] = {
    "unpruned tree": lambda s: DecisionTreeClassifier(random_state=s),
    "forest": lambda s: RandomForestClassifier(50, random_state=s),
    "boosting, 300 rounds": lambda s: HistGradientBoostingClassifier(
        max_iter=300, min_samples_leaf=1, random_state=s
    ),
    "boosting, 100 rounds, 20 rows a leaf": lambda s: HistGradientBoostingClassifier(
        random_state=s
    ),
    "boosting, 60 rounds, 8 leaves": lambda s: HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=8, random_state=s
    ),
}


def draw(n: int, design: str, rng: np.random.Generator) -> np.ndarray:
    """Rows (n, d): numbers are standard normal, levels go from -1.7 to 1.7."""
    columns = [
        rng.standard_normal(n) if k == 0 else rng.integers(0, k, n) / (k - 1) * 3.4 - 1.7
        for k in LEVELS[design]
    ]
    if design != "identical":
        columns[1] = columns[1] + 0.5 * columns[0]
    return np.column_stack(columns)


def truth(X: np.ndarray, kind: str) -> np.ndarray:
    """Log-odds of the outcome; column 0 is the strongest, with about 1.2 per unit."""
    a, b, c, d = X[:, :4].T
    last = 0.4 * X[:, 4] if X.shape[1] > 4 else 0.0
    if kind == "smooth":
        return 1.2 * a + 0.7 * np.sin(1.2 * b) + 0.4 * c**2 - 0.4 + 0.3 * b * d + last
    wave = 1.3 * np.sin(5 * b + 2 * a) + np.sign(np.sin(4 * c)) * np.cos(3 * d)
    return a + wave + last


def teacher(kind: str, X: np.ndarray, y: np.ndarray, seed: int):
    if kind == "additive":
        splines = SplineTransformer(8, extrapolation="linear")
        return make_pipeline(splines, LogisticRegression(max_iter=300)).fit(X, y)
    if kind == "trees":
        return HistGradientBoostingClassifier(max_leaf_nodes=15, random_state=seed).fit(X, y)
    net = MLPClassifier(
        (32, 32), max_iter=60, learning_rate_init=3e-3, n_iter_no_change=100, random_state=seed
    )
    return make_pipeline(StandardScaler(), net).fit(X, y)


def scored(model, X: np.ndarray, seed: int, rng: np.random.Generator) -> np.ndarray:
    p = model.predict_proba(X)[:, 1]
    s = (p, logit(np.clip(p, 1e-6, 1 - 1e-6)), np.ceil(10 * rankdata(p) / len(p)))[seed % 3]
    return s + rng.normal(0, 0.2 * s.std(), len(s)) if seed % 2 else s


def audit(X: np.ndarray, score: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    found = missing_features(X, (), score, y, None, None, seed=seed, simulations=199)
    return {
        "exact": found.matched_pairs.p_value if found.matched_pairs.kind == "exact" else math.nan,
        "near": found.matched_pairs.p_value if found.matched_pairs.kind == "near" else math.nan,
        "model": found.model.p_value,
        "uncalibrated": found.model.p_uncalibrated,
        "published": 0.0 if found.correlations[0].value.low > 0 else 1.0,
        "verdict": 0.0 if found.verdict in ("missing feature", "negative association") else 1.0,
        "memorised": 0.0 if found.memorised.flagged else 1.0,
        "share": found.memorised.share,
    }


def one(job: tuple) -> tuple[tuple, dict[str, float]]:
    """One audit: (what, design, truth, teacher or learner or effect, seed)."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    what, design, shape, kind, seed = job
    rng = np.random.default_rng(zlib.crc32(repr(job).encode()))
    X = draw(TRAIN + ROWS, design, rng)
    odds = truth(X, shape)
    if what == "honest":  # a score that is the true log-odds, with a feature that nobody lists
        odds = odds + kind * rng.standard_normal(len(X))
    y = (rng.random(len(X)) < expit(odds)).astype(float)
    audited, outcome = X[TRAIN:], y[TRAIN:]
    if what == "honest":
        return job, audit(audited, odds[TRAIN:], outcome, seed)
    if what == "memorised":
        model = LEARNERS[kind](seed).fit(audited, outcome)
        return job, audit(audited, model.predict_proba(audited)[:, 1], outcome, seed)
    score = scored(teacher(kind, X[:TRAIN], y[:TRAIN], seed), audited, seed, rng)
    return job, audit(audited[:, 1:] if what == "hidden" else audited, score, outcome, seed)


def jobs(audits: int) -> list[tuple]:
    grid = [(d, t, k) for d in LEVELS for t in TRUTHS for k in TEACHERS]
    out = [("none missing", *cell, s) for cell in grid for s in range(audits)]
    out += [("hidden", *c, 1000 + s) for c in grid for s in range(max(1, audits // 4))]
    few = max(1, audits // 6)
    out += [
        ("memorised", d, t, k, 2000 + s)
        for k in LEARNERS for d in ("identical", "numbers") for t in TRUTHS for s in range(few)
    ]  # fmt: skip
    return out + [
        ("honest", d, t, e, 3000 + s)
        for e in (1, 2, 3) for d in ("identical", "numbers") for t in TRUTHS for s in range(few)
    ]  # fmt: skip


def rate(rows: list[dict[str, float]], name: str) -> str:
    known = [r[name] <= 0.05 for r in rows if not math.isnan(r[name])]
    return f"{np.mean(known):.3f} ({len(known)})" if known else "-"


def table(found: list[tuple[tuple, dict[str, float]]], what: str) -> None:
    cells = defaultdict(list)
    for job, row in found:
        if job[0] == what:
            cells[job[1], job[2], job[3]].append(row)
            cells[job[1], job[2], "all"].append(row)
            cells["all", job[2], "all"].append(row)
    print(f"\n{what}: share of audits with p <= 0.05 (audits)\n")
    print(
        "| design | truth | teacher | identical cases | near-identical cases | model test |"
        " verdict |",
        end="",
    )
    print(" model test, uncalibrated | published rule |\n|" + "---|" * 9)
    for (design, shape, kind), rows in sorted(cells.items(), key=lambda c: (c[0][1], c[0][0])):
        names = ("exact", "near", "model", "verdict", "uncalibrated", "published")
        shown = " | ".join(rate(rows, n) for n in names)
        print(f"| {design} | {shape} | {kind} | {shown} |")


def memory(found: list[tuple[tuple, dict[str, float]]], what: str, head: str) -> None:
    cells = defaultdict(list)
    for job, row in found:
        if job[0] == what:
            cells[job[3], job[1]].append(row)
    print(
        f"\n| {head} | design | flagged as memorised (audits) | smallest and largest share |",
        end="",
    )
    print(" verdict missing feature |\n|" + "---|" * 5)
    for (kind, design), rows in cells.items():
        share = [r["share"] for r in rows]
        spread = f"{min(share):.2f} to {max(share):.2f}"
        flagged, verdict = rate(rows, "memorised"), rate(rows, "verdict")
        print(f"| {kind} | {design} | {flagged} | {spread} | {verdict} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audits", type=int, default=24)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    started = time.perf_counter()
    with Pool(args.jobs) as pool:
        found = pool.map(one, jobs(args.audits), chunksize=4)
    table(found, "none missing")
    table(found, "hidden")
    memory(found, "memorised", "fitted on the audited rows")
    memory(found, "honest", "log-odds a standard deviation of the missing feature")
    print(f"\n{time.perf_counter() - started:.0f} seconds, {args.jobs} processes")


if __name__ == "__main__":
    main()

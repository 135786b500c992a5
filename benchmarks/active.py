"""Certificates that ask where the student is in doubt: how honest, and how many questions.

    python benchmarks/active.py coverage         # false certificates, some minutes on one core
    python benchmarks/active.py questions --data FOLDER

``coverage``: of 2,000 runs of 4,000 rows, the share in which the true mean loss was excluded at
any row. ``questions``: a greedy tree of 16 leaves on the answers of a random forest; the questions
until its disagreement is certified to be at most 1.25, 1.5, 2 and 4 times what it is on all rows
held out, in 10 orders of these rows; beside rows asked about one after the other
(``certify(until=...)``), which the same anytime-valid bound ends. Both print markdown tables, of
which docs/measurements/coverage.md keeps copies.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from queries import load
from scipy.special import logsumexp
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from limbeck.certificates import certify, certify_active, sequential
from limbeck.certificates.active_sampling import probabilities
from limbeck.certificates.sequential import log_factors
from limbeck.students.tree.tree import Tree

RUNS, ROWS = 2_000, 4_000
DELTAS = (0.1, 0.05)
SHARE, LEAST = 0.3, 0.2  # those of certify_active


def chances(kind: str, rate: float, doubtful: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The chance of a loss on each row; a fifth of the rows is doubtful."""
    if kind == "where in doubt":
        return np.where(doubtful, 5 * rate * 0.9, rate * 0.1 / 0.8)
    if kind == "where sure":
        return np.where(doubtful, 0.0, rate / 0.8)
    return np.full(len(doubtful), rate)


def excluded(x: NDArray[np.float64], mean: float, delta: float) -> bool:
    """Whether `AnytimeBound` certifies this mean at any row; capital is highest before a loss."""
    at = np.flatnonzero(x)
    nothing = log_factors(np.zeros(1), mean)
    lost = np.concatenate([np.zeros_like(nothing), np.cumsum(log_factors(x[at], mean), axis=0)])
    zeros = np.concatenate([at, [len(x)]]) - np.arange(
        len(at) + 1
    )  # before each loss, and at the end
    capital = logsumexp(np.log(sequential._SHARES) + lost + zeros[:, None] * nothing, axis=1)
    return bool((capital >= -np.log(delta)).any())


def coverage() -> None:
    print("| losses | true rate | " + " | ".join(f"delta={d:g}" for d in DELTAS) + " |")
    print("|---" * (2 + len(DELTAS)) + "|", flush=True)
    worst = -np.inf
    for kind in ("where in doubt", "anywhere", "where sure"):
        for rate in (0.01, 0.05, 0.15):
            false = dict.fromkeys(DELTAS, 0)
            rng = np.random.default_rng(1)
            for _ in range(RUNS):
                doubtful = rng.random(ROWS) < 0.2
                lost = rng.random(ROWS) < chances(kind, rate, doubtful)
                p = probabilities(np.where(doubtful, 0.3, 0.01), SHARE, LEAST)
                asked = rng.random(ROWS) < p
                x = asked * lost * (LEAST / p)
                for delta in DELTAS:
                    false[delta] += excluded(x, rate * LEAST, delta)
            shares = {d: n / RUNS for d, n in false.items()}
            worst = max(worst, *((s - d) / (d * (1 - d) / RUNS) ** 0.5 for d, s in shares.items()))
            told = " | ".join(f"{shares[d]:.4f}" for d in DELTAS)
            print(f"| {kind} | {rate} | {told} |", flush=True)
    print(f"\nLargest excess over delta: {worst:.2f} standard errors of the simulation.")


def questions(folder: Path, orders: int, sets: list[str]) -> None:
    print("| rows of | wrong | certified at most | one by one | by doubt | saved | not reached |")
    print("|---" * 7 + "|", flush=True)
    for name in sets:
        X, y = (
            load_digits(return_X_y=True, as_frame=True) if name == "digits" else load(name, folder)
        )
        rng = np.random.default_rng(0)
        at = rng.permutation(len(X))
        train, distil, judge = np.split(at[:14_000], np.array([1, 2]) * (min(len(X), 14_000) // 5))
        words = [c for c in X.columns if not is_numeric_dtype(X[c])]
        encode = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words), remainder="passthrough"
        )
        forest = make_pipeline(encode, RandomForestClassifier(100, random_state=0))
        forest.fit(X.iloc[train], np.asarray(y)[train])
        leaves = 64 if name == "digits" else 16
        tree = Tree(max_leaves=leaves).fit(X.iloc[distil], forest.predict(X.iloc[distil]))
        told = forest.predict(X.iloc[judge])
        wrong = float(np.mean(tree.predict(X.iloc[judge]) != told))
        for factor in (1.25, 1.5, 2, 4):
            until = min(factor * wrong, 0.95)
            plain, active, failed = [], [], 0
            for seed in range(orders):
                order = np.random.default_rng(seed).permutation(len(judge))
                rows, answers = X.iloc[judge].iloc[order], told[order]
                known = dict(zip(rows.index, answers, strict=True))
                settings = {"until": until, "duplicates": "keep"}
                found = certify_active(
                    tree, rows, lambda r, k=known: [k[i] for i in r.index], seed=seed, **settings
                )
                one = certify(tree, draws=iter([(rows, answers)]), **settings)
                failed += not (found.certificate.reached and one.reached)
                active.append(int(found.asked.sum()))
                plain.append(one.n)
            a, b = np.median(active), np.median(plain)
            print(
                f"| {name} | {wrong:.3f} | {until:.3f} | {b:,.0f} | {a:,.0f} | {1 - a / b:.0%} |"
                f" {failed} of {orders} |",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["coverage", "questions"])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--orders", type=int, default=10)
    parser.add_argument("--sets", nargs="*", default=["digits", "compas", "adult"])
    args = parser.parse_args()
    coverage() if args.what == "coverage" else questions(args.data, args.orders, args.sets)

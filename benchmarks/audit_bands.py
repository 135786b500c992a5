"""Do the simultaneous bands of an audit cover the true difference, and are its sentences true?

Simulated audits with known truths: a score and an outcome that depend on four features. The
truth of a bin is the mean, over many rows, of the score's contribution, scaled as an audit
scales it, less the outcome's. Audits run whole but for one thing: the boosted students, from which
Newton steps lead to the compared shapes, are replaced by a constant, from which the same steps lead
to the same place. ``--boosted`` adds audits with boosted students, which are slower.

    python benchmarks/audit_bands.py [--audits 200] [--boosted 20] [--rows 2000]
        [--bags 100] [--features 4] [--base -0.3] [--first 0] [--truths smooth steps ...] [--jobs 1]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from scipy.special import expit

from limbeck.audits.calibration import calibrate
from limbeck.audits.contrasts import FeatureDifference as Told
from limbeck.audits.contrasts import contrasts
from limbeck.audits.differences import differences, least_variance, scaled
from limbeck.audits.fitting import fit_models, make_folds
from limbeck.audits.table import read_table
from limbeck.core.progress import quiet

Truth = Callable[[np.ndarray], np.ndarray]
LEVEL = 0.95


def smooth(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    score = [0.9 * X[:, 0], 0.6 * X[:, 1], 0.3 * X[:, 2], 0.9 * (X[:, 3] == 2)]
    outcome = [1.0 * X[:, 0], np.sin(1.5 * X[:, 1]), 0 * X[:, 2], 0.4 * (X[:, 3] == 2)]
    return np.column_stack(score), np.column_stack(outcome)


def steps(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    score = [X[:, 0] > 0.5, np.abs(X[:, 1]), 0.5 * (X[:, 2] > 0), 0.3 * X[:, 3]]
    outcome = [1.5 * (X[:, 0] > 0), np.abs(X[:, 1]), 0 * X[:, 2], 0.6 * (X[:, 3] == 1)]
    return np.column_stack(score).astype(float), np.column_stack(outcome).astype(float)


def equal(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, outcome = smooth(X)
    return 0.7 * outcome, outcome


TRUTHS = {"smooth": smooth, "steps": steps, "no difference": equal}


def draw(n: int, rng: np.random.Generator, features: int = 4) -> np.ndarray:
    """Four features that matter, and more that neither score nor outcome depends on."""
    X = rng.normal(size=(n, features))
    X[:, 1] = 0.5 * X[:, 0] + np.sqrt(0.75) * X[:, 1]
    X[:, 3] = rng.integers(0, 3, n)
    return X


@lru_cache
def population(name: str, features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Many rows, and what each feature adds to their scores and outcomes."""
    X = draw(400_000, np.random.default_rng(1), features)
    s, o = (np.pad(v, ((0, 0), (0, features - 4))) for v in TRUTHS[name](X))
    return X, s, o


def one(
    name: str, seed: int, n: int, bags: int, rounds: int, features: int, base: float = -0.3
) -> tuple[float, ...]:
    rng = np.random.default_rng([seed, len(name)])
    X = draw(n, rng, features)
    s, o = TRUTHS[name](X)
    frame = pd.DataFrame(
        X, columns=["a", "b", "c", "kind", *(f"u{j}" for j in range(features - 4))]
    )
    frame["kind"] = frame["kind"].map({0.0: "x", 1.0: "y", 2.0: "z"})
    frame["score"] = s.sum(axis=1) + rng.normal(0, 0.7, n)
    frame["outcome"] = (rng.random(n) < expit(o.sum(axis=1) + base)).astype(int)
    table = read_table(frame, score="score", outcome="outcome")
    _, curve = calibrate(table.score, table.outcome, table.mass, LEVEL, rng)
    models = fit_models(
        table, curve, make_folds(n, 2, rng), pairs=0, bags=bags, rng=rng, tell=quiet, rounds=rounds
    )
    on = scaled(models)
    least = least_variance(table, models)
    found = {shape.feature: shape for shape in differences(table, models, on, LEVEL).shapes}
    many, big_s, big_o = population(name, features)
    ratio = big_o.sum(axis=1).std() / big_s.sum(axis=1).std()
    codes = models.bins.codes(many)
    covered, pointwise, width, told = True, [], [], []
    truths = []
    for j, feature in enumerate(table.features.names):
        shape = found[feature]
        b = len(shape.count)
        true = np.bincount(codes[:, j], ratio * big_s[:, j] - big_o[:, j], b)[:b]
        true = true / np.bincount(codes[:, j], minlength=b)[:b]
        true = true - np.average(true, weights=shape.count)
        inside = (shape.simultaneous[:, 0] <= true) & (true <= shape.simultaneous[:, 1])
        covered &= bool(inside.all())
        pointwise += ((shape.pointwise[:, 0] <= true) & (true <= shape.pointwise[:, 1])).tolist()
        width += (np.diff(shape.simultaneous)[:, 0] / 2).tolist()
        at = models.design.starts[j] + np.arange(b)
        truths.append(true)
        told.append(
            Told(feature, "", False, (), np.empty(0), shape.score, shape.outcome,
                 shape.difference, on.bag_difference[:, at], least[at])
        )  # fmt: skip
    wrong = said = 0
    for c in contrasts(told, LEVEL):
        value = truths[c.of][c.end] - truths[c.of][c.start]
        wrong += not c.low <= value <= c.high
        said += c.sure > 0
    return covered, wrong == 0, float(np.mean(pointwise)), float(np.mean(width)), said > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audits", type=int, default=200)
    parser.add_argument("--boosted", type=int, default=0)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--bags", type=int, default=100)
    parser.add_argument("--features", type=int, default=4)
    parser.add_argument("--base", type=float, default=-0.3, help="log-odds where all add 0")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--truths", nargs="+", choices=list(TRUTHS), default=list(TRUTHS))
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    print(
        f"{given.rows} rows, {given.features} features, {given.bags} bags, level {LEVEL:.0%}, "
        f"base {given.base:g}\n"
    )
    print("| truth | student | audits | all bins covered | all contrasts covered | single bins |"
          " half width | something told | seconds |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for name in given.truths:
        for what, number, rounds in (
            ("constant start", given.audits, 0),
            ("boosted start", given.boosted, 200),
        ):
            if not number:
                continue
            start = time.perf_counter()
            run = partial(
                one,
                name,
                n=given.rows,
                bags=given.bags,
                rounds=rounds,
                features=given.features,
                base=given.base,
            )
            with ProcessPoolExecutor(given.jobs) as pool:
                runs = list(pool.map(run, range(given.first, given.first + number)))
            bins, pairs, single, width, told = np.mean(runs, axis=0)
            print(
                f"| {name} | {what} | {number} | {bins:.3f} | {pairs:.3f} | {single:.3f} |"
                f" {width:.2f} | {told:.2f} | {time.perf_counter() - start:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

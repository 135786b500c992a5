"""What an audit says of rows that are no people, of harmless columns, and of scores that act.

    python benchmarks/audit_cases.py [--audits 30] [--first 0] [--jobs 1] [--only copies leaks ...]

Simulated audits whose truth is known, as in audit_errors.py, but from the table on: rows are read,
copies judged and weights used as `limbeck.audit` does it; then the tests for missing features
run on the model test's own cross-fitted models. AUDITS is their number a cell; seeds are fixed and
start with FIRST. A leak is told where a sentence says of any column that it tells the outcome.
"""

from __future__ import annotations

import argparse
import time
import zlib
from collections import defaultdict
from multiprocessing import Pool

import numpy as np
import pandas as pd
from audit_errors import draw, scored, teacher, truth
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.independent import independent_rows
from limbeck.audits.missing import missing_features
from limbeck.audits.table import read_table

ROWS, TRAIN = 1000, 4000
COPIES = ("1", "2", "3", "5", "10", "1 to 10 at random")
DESIGNS = ("identical", "near", "numbers")
WEIGHTS = (
    "frequency: people of few values, counted",
    "frequency: 3 for everybody",
    "frequency: 1 to 5 at random",
    "sampling: 1 to 5 at random",
    "sampling: by features",
    "sampling: by score and outcome together",
)
SCORES = ("linear", "boosted", "noisy", "clipped", "five levels", "correlated .84", "heavy-tailed",
          "discrete features")  # fmt: skip
SUSPECTS = ("boosted", "correlated .84")  # models are the test that these could mislead
ACTS = {
    "none: noise only": (0.0, 0.0),
    "outcome halved in the upper 30%": (0.5, 0.0),
    "outcome prevented in the upper 30%": (1.0, 0.0),
    "outcome seen less, the higher the score": (0.0, 0.8),
}


def frame(X: np.ndarray, score: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    out = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    return out.assign(score=score, outcome=y.astype(int))


def verdict(df: pd.DataFrame, seed: int, **given: str) -> tuple[str, ...]:
    table = read_table(df, score="score", outcome="outcome", **given)
    rows, _ = independent_rows(table, seed)
    found = missing_features(
        table.values[rows], table.features, table.score[rows], table.outcome[rows], None, None,
        seed=seed, simulations=199,
    )  # fmt: skip
    named = "eedback" in found.sentence and found.verdict != "missing feature"
    return ("feedback named" if named else found.verdict, *leaks_told(table))


def leaks_told(table: AuditTable) -> tuple[str, ...]:
    return ("leak told",) if any("the outcome" in c.problem for c in table.caveats) else ()


def innocent(design: str, seed: int, rng: np.random.Generator, rows: int = ROWS) -> pd.DataFrame:
    """An additive teacher that saw the audited features only."""
    X = draw(TRAIN + rows, design, rng)
    y = (rng.random(len(X)) < expit(truth(X, "smooth"))).astype(float)
    model = teacher("additive", X[:TRAIN], y[:TRAIN], seed)
    score = scored(model, X[TRAIN:], seed, rng)
    return frame(X[TRAIN:], score, y[TRAIN:])


def copies(cell: tuple[str, str], seed: int, rng: np.random.Generator) -> tuple[str, ...]:
    times, design = cell
    df = innocent(design, seed, rng)
    number = rng.integers(1, 11, len(df)) if "to" in times else int(times)
    written = df.loc[df.index.repeat(number)].sample(frac=1, random_state=seed)
    return verdict(written.reset_index(drop=True), seed)


def weights(cell: tuple[str], seed: int, rng: np.random.Generator) -> tuple[str, ...]:
    (kind,) = cell
    if "few values" in kind:
        df = innocent("identical", 2 + 3 * seed, rng, 3 * ROWS)  # deciles
        return verdict(df.value_counts().reset_index(name="w"), seed, frequency_weight="w")
    df = innocent("numbers", seed, rng, ROWS if kind.startswith("freq") else 4 * ROWS)
    name = "frequency_weight" if kind.startswith("freq") else "sampling_weight"
    if "everybody" in kind:
        return verdict(df.assign(w=3), seed, **{name: "w"})
    if "at random" in kind:
        df = df[:ROWS].assign(w=rng.integers(1, 6, ROWS))
        return verdict(df, seed, **{name: "w"})
    push = df["x0"].rank(pct=True)
    if "together" in kind:
        push = df["score"].rank(pct=True) * df["outcome"]
    chance = 0.1 + 0.4 * push
    drawn = df.assign(w=1 / chance)[rng.random(len(df)) < chance].reset_index(drop=True)
    return verdict(drawn, seed, **{name: "w"})


def scores(cell: tuple[str, int], seed: int, rng: np.random.Generator) -> tuple[str, ...]:
    kind, rows = cell
    n = TRAIN + rows
    X = rng.standard_normal((n, 4))
    if kind == "correlated .84":
        X = np.sqrt(0.84) * rng.standard_normal((n, 1)) + np.sqrt(0.16) * X
    if kind == "heavy-tailed":
        X = rng.standard_t(2, (n, 4)).clip(-30, 30)
    if kind == "discrete features":
        X = rng.integers(0, 5, (n, 4)) - 2.0
    odds = (X @ [1.0, 0.5, -0.5, 0.25]).clip(-6, 6)
    y = (rng.random(n) < expit(odds)).astype(float)
    a = X[TRAIN:]
    score = odds[TRAIN:]
    if kind in ("boosted", "correlated .84", "heavy-tailed"):
        model = HistGradientBoostingClassifier(max_leaf_nodes=8, random_state=seed)
        score = model.fit(X[:TRAIN], y[:TRAIN]).decision_function(a)
    if kind in ("noisy", "discrete features"):
        score = score + rng.standard_normal(rows)
    if kind == "clipped":
        score = np.clip(score + 0.3 * rng.standard_normal(rows), -0.5, 0.5)
    if kind == "five levels":
        score = np.digitize(score + 0.3 * rng.standard_normal(rows), [-1, -0.3, 0.3, 1]) * 1.0
    return verdict(frame(a, score, y[TRAIN:]), seed)


def feedback(cell: tuple[str, str], seed: int, rng: np.random.Generator) -> tuple[str, ...]:
    """A score of the audited features and noise that acts on the outcome, or hides it."""
    name, design = cell
    prevented, hidden = ACTS[name]
    X = draw(2 * ROWS, design, rng)
    odds = truth(X, "smooth")
    score = odds + 0.8 * odds.std() * rng.standard_normal(len(odds))
    rank = pd.Series(score).rank(pct=True).to_numpy()
    happened = rng.random(len(odds)) < expit(odds)
    happened &= ~((rank > 0.7) & (rng.random(len(odds)) < prevented))
    happened &= rng.random(len(odds)) >= hidden * rank
    return verdict(frame(X, score, happened), seed)


def leaks(cell: tuple[str, str], seed: int, rng: np.random.Generator) -> tuple[str, ...]:
    """A column beside a score and a number that are noise."""
    kind, rate = cell
    n = ROWS
    y = (rng.random(n) < float(rate)).astype(int)
    x = {
        "noise, one level in 97% of rows": np.where(rng.random(n) < 0.97, "a", "b"),
        "noise, 300 levels": rng.integers(0, 300, n).astype(str),
        "noise, a number": rng.standard_cauchy(n),
        "noise, half missing": np.where(rng.random(n) < 0.5, np.nan, rng.normal(size=n)),
        "a feature of AUC 0.7": rng.normal(size=n) + 0.75 * y,
        "leak: a date only where it happened": np.where(
            y + (rng.random(n) < 0.05) > 0, rng.integers(1, 700, n), np.nan
        ),
        "leak: 9 of 10 known": np.where(rng.random(n) < 0.9, y, 1 - y).astype(str),
    }[kind]
    df = pd.DataFrame({"x": x, "z": rng.normal(size=n), "score": rng.normal(size=n), "outcome": y})
    return leaks_told(read_table(df, score="score", outcome="outcome"))


LEAKS = ("noise, one level in 97% of rows", "noise, 300 levels", "noise, a number",
         "noise, half missing", "a feature of AUC 0.7", "leak: a date only where it happened",
         "leak: 9 of 10 known")  # fmt: skip
KINDS = {
    "copies": (copies, [(c, d) for c in COPIES for d in DESIGNS]),
    "weights": (weights, [(w,) for w in WEIGHTS]),
    "scores": (scores, [*((s, ROWS) for s in SCORES), *((s, 2 * ROWS) for s in SUSPECTS)]),
    "feedback": (feedback, [(a, d) for a in ACTS for d in ("identical", "numbers")]),
    "leaks": (leaks, [(k, r) for k in LEAKS for r in ("0.1", "0.5")]),
}


def one(job: tuple[str, tuple, int]) -> tuple[str, tuple, tuple[str, ...]]:
    what, cell, seed = job
    rng = np.random.default_rng(zlib.crc32(repr(job).encode()))
    return what, cell, KINDS[what][0](cell, seed, rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audits", type=int, default=30)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=sorted(KINDS), default=list(KINDS))
    given = parser.parse_args()
    for what in given.only:
        started = time.perf_counter()
        seeds = range(given.first, given.first + given.audits)
        work = [(what, c, s) for s in seeds for c in KINDS[what][1]]
        with Pool(given.jobs) as pool:
            found = pool.map(one, work, chunksize=4)
        cells = defaultdict(list)
        for _, cell, answer in found:
            cells[cell].append(answer)
        answers = ("missing feature", "feedback named", "leak told")[2 * (what == "leaks") :]
        print(f"\n| {what} | audits | {' | '.join(answers)} |\n|---|---|{'---|' * len(answers)}")
        for cell, said in cells.items():
            rates = " | ".join(f"{np.mean([a in s for s in said]):.3f}" for a in answers)
            print(f"| {', '.join(map(str, cell))} | {len(said)} | {rates} |")
        print(f"\n{time.perf_counter() - started:.0f} seconds", flush=True)


if __name__ == "__main__":
    main()

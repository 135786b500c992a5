"""Additive students against interpret's explainable boosting machine, matched to the same teachers.

35% of the rows train a teacher, 35% distil it, 30% test. ExplainableBoostingRegressor (no pairs) is
fitted to the teacher's logits, or values; limbeck's student to the same, with and without queries.
Agreement (R2 for values) is on the test rows, seconds are those of the processor, in one thread.
"numbers" counts what a reader must hold: two for each step of a curve.

    python benchmarks/additive.py [--data FOLDER] [--seeds 3] [--cells breast_cancer:network ...]

FOLDER holds tabular/*.parquet, as for benchmarks/agreement.py.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from agreement import encoder, load, train
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.additive.method import MatchedCurves
from limbeck.students.additive.stepwise import logits
from limbeck.teachers import as_teacher

CELLS = ("breast_cancer:network", "breast_cancer:forest", "wine:network", "compas:network",
         "adult:network", "adult:forest", "bike:forest")  # fmt: skip
LARGEST = 12_000


def table(name: str, folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    if name == "wine":
        return load_wine(return_X_y=True, as_frame=True)
    if name == "bike":
        frame = pd.read_parquet(folder / "tabular/bike_sharing_hour.parquet")
        leaks = ["cnt", "casual", "registered", "instant", "dteday"]
        return frame.drop(columns=leaks), frame["cnt"].to_numpy(float)
    return load(name, folder)


def teacher_of(kind: str, X: pd.DataFrame, y: np.ndarray, seed: int, values: bool) -> Callable:
    coder = encoder(X)

    def coded(rows: pd.DataFrame) -> np.ndarray:
        return np.asarray(coder.transform(rows), dtype=np.float32)

    if kind == "forest":
        kinds = (RandomForestClassifier, RandomForestRegressor)
        model = kinds[values](200, min_samples_leaf=1 if values else 2, random_state=seed)
        model.fit(coded(X), y)
        return lambda rows: (
            model.predict(coded(rows)) if values else model.predict_proba(coded(rows))
        )
    net = train(coded(X), y.astype(int), seed)

    def shares(rows: pd.DataFrame) -> np.ndarray:
        with torch.no_grad():
            return torch.softmax(net(torch.tensor(coded(rows))), 1).double().numpy()

    return shares


def agreement(scores: np.ndarray, truth: np.ndarray) -> float:
    """Agreement of scores (n, k) with probabilities or values."""
    if truth.ndim == 1:
        return float(1 - ((scores[:, 0] - truth) ** 2).mean() / truth.var())
    said = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
    return float((said == truth.argmax(axis=1)).mean())


def boosted(X: pd.DataFrame, goal: np.ndarray) -> tuple[Callable, int]:
    """One machine for each output, and the numbers of their steps."""
    from interpret.glassbox import ExplainableBoostingRegressor

    machines = [
        ExplainableBoostingRegressor(interactions=0, n_jobs=1, random_state=0).fit(X, g)
        for g in goal.T
    ]
    numbers = sum(
        1 + 2 * int((np.abs(np.diff(np.asarray(t)[1:-1])) > 1e-12).sum())
        for m in machines
        for t in m.term_scores_
    )
    return lambda rows: np.stack([m.predict(rows) for m in machines], axis=1), numbers


def run(cell: str, folder: Path, seed: int) -> dict[str, tuple[float, float, int]]:
    name, kind = cell.split(":")
    X, y = table(name, folder)
    order = np.random.default_rng(seed).permutation(len(X))[:LARGEST]
    X, y = X.iloc[order].reset_index(drop=True), np.asarray(y)[order]
    a, b = int(0.35 * len(X)), int(0.7 * len(X))
    values = name == "bike"
    scores = teacher_of(kind, X[:a], y[:a], seed, values)
    fit, test = X[a:b].reset_index(drop=True), X[b:].reset_index(drop=True)
    truth = scores(test)
    said = {"regression": True} if values else {
        "classes": sorted(set(y.tolist())), "score_kind": "probability"}  # fmt: skip
    teacher, rows = as_teacher(scores, **said), Features.of(fit).rows(fit)
    out = {}
    for label, settings in (
        ("limbeck", {}),
        ("limbeck, all steps", {"epsilon": 0.0}),
        ("limbeck, rows alone", {"queries": 0}),
        ("limbeck, 64 numbers", {"max_numbers": 64}),
    ):
        began = time.process_time()
        found = MatchedCurves(**settings).distill(teacher, rows, np.random.default_rng(seed), quiet)
        took = time.process_time() - began
        student = found.frontier[-1] if "all" in label else found.student
        sums = student.add_up(test).reshape(len(test), -1)
        out[label] = agreement(sums, truth), took, student.numbers
    asked = scores(fit)
    goal = asked[:, None] if values else logits(asked)
    began = time.process_time()
    predict, numbers = boosted(fit, goal)
    out["interpret"] = agreement(predict(test), truth), time.process_time() - began, numbers
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cells", nargs="*", default=CELLS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for cell in given.cells:
        runs = [run(cell, given.data, seed) for seed in range(given.seeds)]
        for label in runs[0]:
            mean = np.mean([r[label] for r in runs], axis=0)
            print(
                f"{cell:24} {label:20} {mean[0]:.3f}  {mean[1]:6.2f} s  {mean[2]:8.0f}", flush=True
            )


if __name__ == "__main__":
    main()

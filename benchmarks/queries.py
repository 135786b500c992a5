"""Trees of 4 to 32 leaves with and without queries, against scikit-learn's, on real tables.

Of the rows (14,300 at most) 35% train the teacher, 35% are distilled on, 30% judge: agreement with
the teacher, or R² with its values. Teachers: a network of 2 x 128 units and a random forest. Seeds
change the split, the teacher and the queries. Compared at each number of leaves:

* ``limbeck``: ``SearchAndStitch(leaves=...)`` as it comes;
* ``limbeck, no queries``: the same with ``queries=0``;
* ``scikit-learn``: its tree with ``max_leaf_nodes`` on the rows with the teacher's answers;
* ``scikit-learn, queries``: the same with the queries that limbeck drew, at half of the weight.

    python benchmarks/queries.py [--data FOLDER] [--seeds 5] [--sets wine ...] [--to FILE]

Results are kept in FILE, a line a run, and a run that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

from limbeck.comparison import score
from limbeck.contract import Task, answers
from limbeck.features import Features, Rows
from limbeck.holdout import positions
from limbeck.methods.search_and_stitch import SearchAndStitch
from limbeck.methods.weights import weights
from limbeck.progress import quiet
from limbeck.students.growth import grow
from limbeck.students.tree import Tree
from limbeck.teachers import as_teacher
from limbeck.teachers.torch import TorchTeacher

LEAVES = (4, 8, 16, 32)
SETS = ("breast_cancer", "wine", "digits", "compas", "adult", "bike")
TEACHERS = ("network", "forest")
KINDS = ("limbeck", "limbeck, no queries", "scikit-learn", "scikit-learn, queries")
MOST_ROWS = 14_300
COMPAS = [
    "sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count",
    "c_charge_degree",
]  # fmt: skip
BIKE = [
    "season", "yr", "mnth", "hr", "holiday", "weekday", "workingday", "weathersit", "temp",
    "atemp", "hum", "windspeed",
]  # fmt: skip


def load(name: str, folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows and labels; without columns that give the label away."""
    bundled = {"breast_cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits}
    if name in bundled:
        X, y = bundled[name](return_X_y=True, as_frame=True)
        return X, y.to_numpy()
    if name == "adult":
        frame = pd.read_parquet(folder / "tabular/adult.parquet")
        y = frame["income_gt_50k"].to_numpy()
        return frame.drop(columns=["income_gt_50k", "split", "fnlwgt"]), y
    if name == "bike":
        frame = pd.read_parquet(folder / "tabular/bike_sharing_hour.parquet")
        return frame[BIKE], frame["cnt"].to_numpy(dtype=float)
    frame = pd.read_parquet(folder / "tabular/compas_two_years.parquet")
    frame = frame[frame["in_propublica_sample"].astype(bool)]
    return frame[COMPAS].reset_index(drop=True), frame["two_year_recid"].to_numpy()


def encoder(X: pd.DataFrame) -> Any:
    """Numbers standardised, categories one-hot."""
    numeric = X.select_dtypes("number").columns.tolist()
    other = [c for c in X.columns if c not in numeric]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numeric),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), other),
    ).fit(X)


def network(Z: np.ndarray, y: np.ndarray, seed: int, classes: int) -> nn.Module:
    """Two hidden layers; a value is learned standardised and given in its own unit."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Linear(Z.shape[1], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(),
        nn.Linear(128, classes or 1),
    )  # fmt: skip
    mean, spread = (0.0, 1.0) if classes else (float(y.mean()), float(y.std()))
    Zt = torch.tensor(Z, dtype=torch.float32)
    yt = torch.tensor((y - mean) / spread, dtype=torch.int64 if classes else torch.float32)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=1e-2)
    for _ in range(400 if len(Z) < 2000 else 1500):
        i = torch.randint(len(Zt), (min(256, len(Zt)),))
        optimiser.zero_grad()
        out = net(Zt[i])
        loss = nn.functional.cross_entropy if classes else nn.functional.mse_loss
        loss(out if classes else out[:, 0], yt[i]).backward()
        optimiser.step()
    if not classes:
        with torch.no_grad():
            net[-1].weight *= spread
            net[-1].bias.mul_(spread).add_(mean)
    return net.eval()


def teach(kind: str, X: pd.DataFrame, y: np.ndarray, seed: int, classifies: bool) -> Any:
    """A teacher trained on rows and labels."""
    coder = encoder(X)
    labels = sorted(set(y.tolist())) if classifies else []
    if kind == "network":
        net = network(coder.transform(X), y, seed, len(labels))
        said = {"classes": labels} if classifies else {"regression": True}
        return TorchTeacher(net, preprocess=coder.transform, name="MLP 2 x 128", **said)
    forest = RandomForestClassifier if classifies else RandomForestRegressor
    return as_teacher(make_pipeline(coder, forest(100, random_state=seed)).fit(X, y))


def prepare(name: str, kind: str, seed: int, folder: Path) -> tuple[Any, Rows, Rows]:
    """The teacher, the rows to distil on, and the rows that judge."""
    X, y = load(name, folder)
    order = np.random.default_rng(seed).permutation(len(X))[:MOST_ROWS]
    a, b = int(0.35 * len(order)), int(0.70 * len(order))
    X, y = X.iloc[order].reset_index(drop=True), np.asarray(y)[order]
    teacher = teach(kind, X.iloc[:a], y[:a], seed, name != "bike")
    features = Features.of(X)
    return teacher, features.rows(X.iloc[a:b]), features.rows(X.iloc[b:])


class Kept:
    """A teacher that remembers what it was asked, so that the peer sees the same queries."""

    def __init__(self, teacher: Any) -> None:
        self._teacher, self.asked = teacher, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._teacher, name)

    def scores(self, X: Any) -> np.ndarray:
        self.asked.append(X)
        return self._teacher.scores(X)


def measured(tree: Tree, rows: Rows, truth: np.ndarray, task: Task) -> float:
    """Agreement, or R²."""
    return score(positions(np.asarray(tree.predict(rows)), task), truth, task)


def greedy(rows: Rows, said: np.ndarray, weight: np.ndarray, leaves: int, task: Task) -> Tree:
    """scikit-learn's tree."""
    criterion = "gini" if task.classifies else "squared_error"
    nodes = grow(
        rows.features, rows.values, said, weight, classes=len(task.classes), max_leaves=leaves,
        criterion=criterion,
    )  # fmt: skip
    return Tree.from_nodes(nodes, rows.features, task)


def run(name: str, kind: str, seed: int, folder: Path, leaves: tuple[int, ...]) -> dict[str, Any]:
    """All four at every number of leaves."""
    teacher, fit, test = prepare(name, kind, seed, folder)
    task = teacher.task
    truth, own = (answers(teacher.scores(r.native()), task) for r in (test, fit))
    out: dict[str, Any] = {"set": name, "teacher": kind, "seed": seed}
    for size in leaves:
        cell: dict[str, Any] = {}
        for label, queries in (("limbeck", None), ("limbeck, no queries", 0)):
            started = time.perf_counter()
            method = SearchAndStitch(max_leaves=size, leaves=size, queries=queries)
            found = method.distill(teacher, fit, np.random.default_rng(seed), quiet)
            cell[label] = measured(found.student, test, truth, task)
            cell[f"{label}: seconds"] = round(time.perf_counter() - started, 2)
            if queries is None:
                cell["sampler"] = found.trace["sampler"]
                everything, told, weight = found.sample
        plain = greedy(fit, own, np.ones(len(fit)), size, task)
        cell["scikit-learn"] = measured(plain, test, truth, task)
        same = greedy(everything, told, weight, size, task)
        cell["scikit-learn, queries"] = measured(same, test, truth, task)
        out[str(size)] = cell
    return out

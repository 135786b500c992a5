"""Trees of 4, 8 and 16 leaves against scikit-learn's greedy tree, on real teachers.

Both see the same rows and queries, which count half each, and the same teacher labels; agreement
is measured on rows that neither saw. Teachers are torch networks of 2 x 128 ReLU units, trained on
half of the data; 5 seeds change the split, the network and the queries.

    python benchmarks/agreement.py [--data FOLDER] [--seeds 5] [--sets breast_cancer digits ...]

FOLDER holds tabular/adult.parquet and tabular/compas_two_years.parquet; sets that are not there
are left out with a line that says so.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

from limbeck.core.answers import answers
from limbeck.core.columns import Features, Rows
from limbeck.core.progress import quiet
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.weights import weights
from limbeck.samplers.jitter import Jitter
from limbeck.students.tree.greedy import grow
from limbeck.students.tree.tree import Tree
from limbeck.teachers.torch import TorchTeacher

LEAVES = (4, 8, 16)
COMPAS = [
    "sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count",
    "c_charge_degree",
]  # fmt: skip


def load(name: str, folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    if name == "breast_cancer":
        return load_breast_cancer(return_X_y=True, as_frame=True)
    if name == "digits":
        return load_digits(return_X_y=True, as_frame=True)
    if name == "adult":
        frame = pd.read_parquet(folder / "tabular/adult.parquet")
        y = frame["income_gt_50k"].to_numpy()
        return frame.drop(columns=["income_gt_50k", "split", "fnlwgt"]), y
    frame = pd.read_parquet(folder / "tabular/compas_two_years.parquet")
    frame = frame[frame["in_propublica_sample"].astype(bool)]
    return frame[COMPAS].reset_index(drop=True), frame["two_year_recid"].to_numpy()


def encoder(X: pd.DataFrame):
    numeric = X.select_dtypes("number").columns.tolist()
    other = [c for c in X.columns if c not in numeric]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numeric),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), other),
    ).fit(X)


def train(Z: np.ndarray, y: np.ndarray, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    k = int(y.max()) + 1
    net = nn.Sequential(
        nn.Linear(Z.shape[1], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, k)
    )
    Zt, yt = torch.tensor(Z, dtype=torch.float32), torch.tensor(y, dtype=torch.int64)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=1e-2)
    steps = 400 if len(Z) < 2000 else 1500
    for _ in range(steps):
        i = torch.randint(len(Zt), (min(256, len(Zt)),))
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(Zt[i]), yt[i]).backward()
        optimiser.step()
    return net.eval()


class _Fixed:
    """A sampler that hands out queries drawn before, so that both methods see the same."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        return self.rows

    def describe(self) -> str:
        return "fixed queries"


def run(name: str, folder: Path, seed: int, sampler=None, **settings) -> dict[int, tuple]:
    X, y = load(name, folder)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(X))[:12_000]
    a, b = len(order) // 2, 3 * len(order) // 4
    X, y = X.iloc[order].reset_index(drop=True), np.asarray(y)[order]
    coder = encoder(X.iloc[:a])
    net = train(coder.transform(X.iloc[:a]), y[:a], seed)
    teacher = TorchTeacher(
        net, classes=sorted(set(y.tolist())), preprocess=coder.transform, name="MLP 2 x 128"
    )
    features = Features.of(X)
    fit, test = features.rows(X.iloc[a:b]), features.rows(X.iloc[b:])
    queries = (sampler or Jitter()).draw(fit, settings.pop("queries", 20_000), rng)
    both = Rows(features, np.vstack([fit.values, queries.values]))
    labels = answers(teacher.scores(both.native()), teacher.task)
    weight = weights(len(fit), len(queries), 0.5)
    truth = np.array(teacher.task.classes)[answers(teacher.scores(test.native()), teacher.task)]
    started = time.perf_counter()
    method = SearchAndStitch(
        max_leaves=max(LEAVES), queries=len(queries), sampler=_Fixed(queries), **settings
    )
    found = method.distill(teacher, fit, np.random.default_rng(seed), quiet)
    seconds = time.perf_counter() - started
    out = {}
    for leaves in LEAVES:
        ours = max((t for t in found.frontier if t.size <= leaves), key=lambda t: t.size)
        nodes = grow(
            features, both.values, labels, weight, classes=len(teacher.task.classes),
            max_leaves=leaves, criterion="gini",
        )  # fmt: skip
        greedy = Tree.from_nodes(nodes, features, teacher.task)
        out[leaves] = (
            float((ours.predict(test) == truth).mean()),
            float((greedy.predict(test) == truth).mean()),
            seconds,
        )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", default=["breast_cancer", "digits", "adult", "compas"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("| teacher on | leaves | limbeck | greedy | difference | seeds won/tied/lost | seconds |")
    print("|---|---|---|---|---|---|---|")
    for name in args.sets:
        if name in ("adult", "compas") and not (args.data / "tabular").exists():
            print(f"| {name} | left out: {args.data} is not there |")
            continue
        runs = [run(name, args.data, seed) for seed in range(args.seeds)]
        for leaves in LEAVES:
            ours, greedy, seconds = np.array([r[leaves] for r in runs]).T
            won, lost = int((ours > greedy).sum()), int((ours < greedy).sum())
            print(
                f"| {name} | {leaves} | {ours.mean():.4f} | {greedy.mean():.4f} |"
                f" {(ours - greedy).mean():+.4f} | {won}/{len(runs) - won - lost}/{lost} |"
                f" {seconds.mean():.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

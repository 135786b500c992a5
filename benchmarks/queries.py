"""Trees of 4 to 32 leaves with and without queries, against scikit-learn's, on real tables.

Of the rows (14,300 at most) 35% train the teacher, 35% are distilled on, 30% judge: agreement with
the teacher, or R² with its values. Teachers: a network of 2 x 128 units and a random forest. Seeds
change the split, the teacher and the queries. Compared at each number of leaves:

* ``limbeck``: ``SearchAndStitch(max_leaves=32)`` as it comes, one run, from whose frontier the best
  tree of at most so many leaves is taken;
* ``limbeck, no queries``: the same with ``queries=0``;
* ``scikit-learn``: its tree with ``max_leaf_nodes`` on the rows with the teacher's answers;
* ``scikit-learn, queries``: the same with the queries that limbeck drew, at half of the weight.

    python benchmarks/queries.py [--data FOLDER] [--seeds 0-4 20-24] [--jobs 2] [--to FILE]

Results are kept in FILE, a line a run, and a run that is there is not made again; ``--table``
makes none. A cell is a table, a teacher and a number of leaves, over all seeds. It is won, tied
where both means are mathematically equal, as where two trees are the same, or lost.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
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

from limbeck.core.answers import answers
from limbeck.core.columns import Features, Rows
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.data.labels import positions
from limbeck.evaluation.predictions import score
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.weights import weights
from limbeck.samplers.named import TRIED
from limbeck.students.tree.greedy import grow
from limbeck.students.tree.tree import Tree
from limbeck.teachers import as_teacher
from limbeck.teachers.torch import TorchTeacher

LEAVES = (4, 8, 16, 32)
SETS = ("breast_cancer", "wine", "digits", "compas", "adult", "bike")
TEACHERS = ("network", "forest")
KINDS = ("limbeck", "limbeck, no queries", "scikit-learn", "scikit-learn, queries")
MOST_ROWS = 14_300
ROUNDING = 1e-12
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

    def of(self, sampler: str) -> list[Any]:
        """The queries of the sampler that was chosen: of its trial, and the rest.

        Asked about were the rows, then the queries of every trial in turn, then the rest, and
        where two trees disagree.
        """
        rest = 1 + len(TRIED)
        return (
            [] if sampler == "none" else [self.asked[i] for i in (1 + TRIED.index(sampler), rest)]
        )


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


def run(name: str, kind: str, seed: int, folder: Path) -> dict[str, Any]:
    """All four at every number of leaves."""
    bare, fit, test = prepare(name, kind, seed, folder)
    teacher, task = Kept(bare), bare.task
    truth, own = (answers(bare.scores(r.native()), task) for r in (test, fit))
    out: dict[str, Any] = {"set": name, "teacher": kind, "seed": seed, "rows": len(fit)}
    frontiers = {}
    for label, queries in (("limbeck", None), ("limbeck, no queries", 0)):
        started = time.process_time()
        method = SearchAndStitch(max_leaves=max(LEAVES), queries=queries)
        found = method.distill(
            teacher if queries is None else bare, fit, np.random.default_rng(seed), quiet
        )
        frontiers[label] = found.frontier
        out[f"{label}: seconds"] = round(time.process_time() - started, 2)
        out[f"{label}: tree"] = found.trace["tree"]
        if queries is None:
            out |= {"sampler": found.trace["sampler"], "tried": found.trace["samplers_tried"]}
    drawn = teacher.of(out["sampler"])
    told = np.concatenate([own, *(answers(bare.scores(X), task) for X in drawn)])
    both = np.vstack([fit.values, *(fit.features.encode(X) for X in drawn)])
    weight = weights(len(fit), len(both) - len(fit), 0.5)
    for size in LEAVES:
        cell = {}
        for label, trees in frontiers.items():
            best = max((t for t in trees if t.size <= size), key=lambda t: t.size)
            cell[label] = measured(best, test, truth, task)
        plain = greedy(fit, own, np.ones(len(fit)), size, task)
        cell["scikit-learn"] = measured(plain, test, truth, task)
        same = greedy(Rows(fit.features, both), told, weight, size, task)
        cell["scikit-learn, queries"] = measured(same, test, truth, task)
        out[str(size)] = cell
    return out


def table(runs: list[dict[str, Any]]) -> str:
    """Means over seeds, and where limbeck is ahead, level or behind."""
    lines = [
        "| rows of, teacher | leaves | limbeck | no queries | scikit-learn | the same with queries"
        " | limbeck is | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    verdicts, behind, differences = [], 0, []
    for name in SETS:
        for kind in TEACHERS:
            part = [r for r in runs if (r["set"], r["teacher"]) == (name, kind)]
            for size in LEAVES if part else ():
                means = [float(np.mean([r[str(size)][k] for r in part])) for k in KINDS]
                verdicts.append(verdict(means[0] - max(means[2:])))
                behind += verdict(means[1] - means[2]) == "behind"
                differences.append([means[0] - means[2], means[0] - means[3], means[1] - means[2]])
                shown = " | ".join(f"{m:.3f}" for m in means)
                lines.append(
                    f"| {name}, {kind} | {size} | {shown} | {verdicts[-1]} | {len(part)} |"
                )
    if not verdicts:
        return "No runs."
    mean = np.mean(differences, axis=0)
    lines += [
        "",
        f"Of {len(verdicts)} cells limbeck is ahead of both trees of scikit-learn in"
        f" {verdicts.count('ahead')}, level with the better one in {verdicts.count('level')} and"
        f" behind it in {verdicts.count('behind')}, by {mean[0]:+.3f} and {mean[1]:+.3f} on"
        f" average. Without queries it is behind the tree on rows in {behind}, and {mean[2]:+.3f}"
        " ahead on average.",
    ]
    return "\n".join(lines)


def verdict(difference: float) -> str:
    """What a cell shows: trees that answer alike are level, and neither won nor lost."""
    return "level" if abs(difference) <= ROUNDING else "ahead" if difference > 0 else "behind"


def seeds_of(given: list[str]) -> list[int]:
    """Seeds written singly or as ``first-last``."""
    ends = [[int(end) for end in text.split("-")] for text in given]
    return [seed for pair in ends for seed in range(pair[0], pair[-1] + 1)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("LIMBECK_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(data))
    parser.add_argument("--seeds", nargs="*", default=["0-4"], help="such as 0-4 10 11")
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--to", type=Path, default=Path("queries.jsonl"))
    parser.add_argument("--table", action="store_true", help="of what is in --to alone")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    torch.set_num_threads(1)
    lines = args.to.read_text().splitlines() if args.to.exists() else []
    runs = [json.loads(line) for line in lines]
    known = {(r["set"], r["teacher"], r["seed"]) for r in runs}
    seeds, there = seeds_of(args.seeds), (args.data / "tabular").exists()
    sets = [s for s in args.sets if there or s not in ("adult", "compas", "bike")]
    if len(sets) < len(args.sets):
        print(f"adult, compas and bike are left out: {args.data} is not there")
    cells = [(name, kind, seed) for seed in seeds for name in sets for kind in TEACHERS]
    todo = [] if args.table else [cell for cell in cells if cell not in known]
    with ProcessPoolExecutor(args.jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for done in as_completed([pool.submit(run, *cell, args.data) for cell in todo]):
            runs.append(done.result())
            with args.to.open("a") as file:
                file.write(json.dumps(runs[-1]) + "\n")
    print(table([r for r in runs if r["seed"] in seeds]))


if __name__ == "__main__":
    main()

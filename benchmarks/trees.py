"""How the time of a tree grows with rows, columns, classes, leaves: processor seconds, one thread.

A random forest of 100 trees is the teacher; rows are normal, classes the largest of k functions of
ten columns. From 5,000 rows, 10 columns, 2 classes, 16 leaves and 20,000 queries one number changes
at a time. ``distill`` is the method alone (the teacher's answers included; no control, certificate
or baselines), and ``scikit-learn`` its tree on the same number of rows and queries.

    OMP_NUM_THREADS=1 python benchmarks/trees.py [--only classes=30 columns=300] [--to FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.teachers import as_teacher

BASE = {"rows": 5000, "columns": 10, "classes": 2, "leaves": 16}
GROWTH = {
    "rows": (1250, 20_000),
    "columns": (30, 100, 300, 1000),
    "classes": (10, 30, 100),
    "leaves": (8, 32, 64),
}
QUERIES = 20_000


def table(rows: int, columns: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows and labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns))
    weights = rng.normal(size=(min(columns, 10), classes))
    scores = np.tanh(X[:, : len(weights)] @ weights + X[:, :1] * X[:, 1:2])
    return X, scores.argmax(axis=1)


def run(rows: int, columns: int, classes: int, leaves: int) -> dict[str, object]:
    """Processor seconds of the method and of scikit-learn's tree, and how both agree."""
    X, y = table(rows, columns, classes)
    forest = RandomForestClassifier(100, random_state=0, n_jobs=1).fit(X[:2000], y[:2000])
    method = SearchAndStitch(max_leaves=leaves, queries=QUERIES)
    teacher, features = as_teacher(forest), Features.of(X)
    started = time.process_time()
    found = method.distill(teacher, features.rows(X), np.random.default_rng(0), quiet)
    ours = time.process_time() - started
    drawn = np.random.default_rng(1).normal(size=(QUERIES, columns))
    both = np.vstack([X, drawn])
    told = forest.predict(both)
    started = time.process_time()
    peer = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(both, told)
    theirs = time.process_time() - started
    fresh = np.random.default_rng(2).normal(size=(5000, columns))
    truth, largest = forest.predict(fresh), found.frontier[-1]
    return {
        "rows": rows, "columns": columns, "classes": classes, "leaves": leaves,
        "distill": round(ours, 2), "scikit-learn": round(theirs, 2),
        "agreement": round(float((largest.predict(fresh) == truth).mean()), 3),
        "of scikit-learn": round(float((peer.predict(fresh) == truth).mean()), 3),
    }  # fmt: skip


def cases(only: list[str]) -> list[dict[str, int]]:
    """The base, and one number changed at a time; or those that are named."""
    if only:
        pairs = [dict(part.split("=") for part in one.split(",") if "=" in part) for one in only]
        return [{**BASE, **{k: int(v) for k, v in pair.items()}} for pair in pairs]
    changed = [{**BASE, name: value} for name, values in GROWTH.items() for value in values]
    return [BASE, *changed]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="such as columns=300 or base")
    parser.add_argument("--to", type=Path)
    args = parser.parse_args()
    for case in cases(args.only):
        line = json.dumps(run(**case))
        print(line, flush=True)
        if args.to:
            with args.to.open("a") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()

"""How long a tree takes to answer a million rows, beside scikit-learn's tree of the same nodes.

Run: python benchmarks/predict.py [--rows 1000000]
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from sklearn.tree import DecisionTreeClassifier

from limbeck.students.tree.tree import Tree

COLUMNS, TRAINING, REPEATS = 30, 20_000, 7


def seconds(functions: list[Callable[[], Any]]) -> list[float]:
    """The best time of each, taken in turns so that a busy moment hits all alike."""
    best = [float("inf")] * len(functions)
    for _ in range(REPEATS):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    n = parser.parse_args().rows
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, COLUMNS))
    y = (X[:TRAINING] @ rng.normal(size=COLUMNS) > 0).astype(int)
    gaps = X.copy()
    gaps[rng.random(X.shape) < 0.05] = np.nan
    print(f"{n} rows x {COLUMNS}; {platform.machine()}, Python {platform.python_version()},")
    print(f"numpy {np.__version__}, scikit-learn {sklearn.__version__}; best of {REPEATS}\n")
    print("leaves  rows          sklearn [ms]  limbeck [ms]  ratio")
    for leaves in (8, 32, 128):
        for name, rows in (("float64", X), ("float32", X.astype(np.float32)), ("5 % NaN", gaps)):
            peer = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
            peer.fit(rows[:TRAINING], y)
            tree = Tree(leaves).fit(rows[:TRAINING], y)
            a, b = seconds(
                [lambda p=peer, r=rows: p.predict(r), lambda t=tree, r=rows: t.predict(r)]
            )
            print(f"{leaves:6d}  {name:12s}  {1e3 * a:12.0f}  {1e3 * b:12.0f}  {b / a:5.2f}")


if __name__ == "__main__":
    main()

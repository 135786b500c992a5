"""What a few questions are worth: agreement of the tree by the number of queries.

    python benchmarks/few_queries.py [--rows 100] [--columns 100] [--teachers depth4 ...]

Teachers: random trees of depth 3 and 4 over columns of +-1 (as in reproductions/pac_trees.py,
asked directly, so that nothing shows their inside) and a network on breast cancer. Methods: search
and stitch, and columns first. Agreement is with the teacher, on 20,000 fresh rows or on the rows
left out of everything; means over seeds. Queries are those allowed; asked are means.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.columns_first import ColumnsFirst
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.teachers import as_teacher
from limbeck.teachers.callable import CallableTeacher

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reproductions"))
from pac_trees import Inputs, label, random_tree

METHODS = {"search and stitch": SearchAndStitch, "columns first": ColumnsFirst}


def planted(depth: int, seed: int, rows: int, d: int) -> tuple[Any, np.ndarray, np.ndarray, Any]:
    """A teacher, rows to distil on, fresh rows, and the teacher's answers there."""
    tree = random_tree(d, depth, np.random.default_rng([seed, depth]))
    inputs, rng = Inputs(d), np.random.default_rng(seed)
    X, fresh = inputs.numpy(rows, rng), inputs.numpy(20_000, rng)
    teacher = CallableTeacher(lambda X: label(tree, X).astype(int), classes=(-1, 1))
    return teacher, X, fresh, label(tree, fresh)


def cancer(seed: int) -> tuple[Any, np.ndarray, np.ndarray, Any]:
    """The same for a network on breast cancer."""
    X, y = load_breast_cancer(return_X_y=True)
    at = np.random.default_rng(seed).permutation(len(X))
    train, distil, judge = np.split(at, [200, 400])
    net = make_pipeline(StandardScaler(), MLPClassifier((64,), max_iter=500, random_state=seed))
    net.fit(X[train], y[train])
    return as_teacher(net), X[distil], X[judge], net.predict(X[judge])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--queries", type=int, nargs="*", default=[0, 100, 500, 2000, 20_000])
    parser.add_argument("--max-leaves", type=int, default=16)
    parser.add_argument("--teachers", nargs="*", default=["depth3", "depth4", "breast cancer"])
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    args = parser.parse_args()
    heads = " | ".join(f"{q:,}" for q in args.queries)
    print(f"| teacher | method | rows | {heads} | seconds at most |")
    print("|---" * (4 + len(args.queries)) + "|", flush=True)
    for name in args.teachers:
        for kind in args.methods:
            found: dict[int, list[float]] = {q: [] for q in args.queries}
            asked: dict[int, list[int]] = {q: [] for q in args.queries}
            seconds = 0.0
            for seed in range(args.seeds):
                depth = int(name[-1]) if name[-1].isdigit() else 0
                case = planted(depth, seed, args.rows, args.columns) if depth else cancer(seed)
                teacher, X, fresh, told = case
                for queries in args.queries:
                    started = time.process_time()
                    method = METHODS[kind](max_leaves=args.max_leaves, queries=queries)
                    rng = np.random.default_rng(seed)
                    result = method.distill(teacher, Features.of(X).rows(X), rng, quiet)
                    seconds = max(seconds, time.process_time() - started)
                    found[queries].append(float((result.student.predict(fresh) == told).mean()))
                    asked[queries].append(result.queries)
            cells = " | ".join(
                f"{np.mean(found[q]):.3f} ({np.mean(asked[q]):,.0f})" for q in args.queries
            )
            print(f"| {name} | {kind} | {len(X)} | {cells} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()

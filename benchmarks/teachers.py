"""What a teacher costs beside the runtime that it calls: time and memory, side by side.

    python benchmarks/teachers.py [--rows 1000000] [--repeats 5]

Each model is asked about the same rows by its runtime directly, in the same batches into one array,
and as a teacher. The two take turns batch by batch, who begins changes with each batch, and the
ratio of the sums of processor time counts: other load on the machine slows both. Memory is the peak
of what numpy allocates beside the answers (tracemalloc), for all rows and for a tenth of them.
Prints a markdown table.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import catboost
import lightgbm
import numpy as np
import onnxruntime
import xgboost
from numpy.typing import NDArray
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier

from limbeck import as_teacher

COLUMNS, BATCH = 10, 65_536
Ask = Callable[[NDArray[np.float64]], NDArray[Any]]


def models(
    folder: Path, X: NDArray[np.float64], y: NDArray[np.int64]
) -> Iterator[tuple[str, Ask, Path]]:
    """Name, how the runtime is called by itself, and file of each."""
    net = MLPClassifier((100, 100), max_iter=20, random_state=0).fit(X, y)
    file = folder / "net.onnx"
    made = to_onnx(net, X[:1].astype(np.float32), options={"zipmap": False})
    file.write_bytes(made.SerializeToString())
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    yield (
        "ONNX, 2 x 100 hidden units",
        lambda x: session.run(["probabilities"], {"X": np.ascontiguousarray(x, np.float32)})[0],
        file,
    )

    light = lightgbm.LGBMClassifier(n_estimators=50, verbose=-1).fit(X, y).booster_
    light.save_model(str(folder / "m.txt"))
    yield "LightGBM, 50 rounds", lambda x: light.predict(x, raw_score=True), folder / "m.txt"

    gradient = xgboost.XGBClassifier(n_estimators=50).fit(X, y).get_booster()
    gradient.save_model(folder / "m.ubj")
    yield (
        "XGBoost, 50 rounds",
        lambda x: gradient.inplace_predict(x, predict_type="margin"),
        folder / "m.ubj",
    )

    cat = catboost.CatBoostClassifier(
        iterations=50, verbose=False, allow_writing_files=False, loss_function="MultiClass"
    ).fit(X, y)
    cat.save_model(str(folder / "m.cbm"))
    yield (
        "CatBoost, 50 rounds",
        lambda x: cat.predict(x, prediction_type="RawFormulaVal"),
        folder / "m.cbm",
    )


def direct(ask: Ask, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """The runtime's answers in batches."""
    out = np.empty((len(X), 3))
    for start in range(0, len(X), BATCH):
        out[start : start + BATCH] = ask(X[start : start + BATCH])
    return out


def in_turns(ask: Ask, teacher: Any, X: NDArray[np.float64], first: int) -> tuple[float, float]:
    """Processor seconds of the runtime and of the teacher, batch by batch in turns."""
    out, spent = np.empty((BATCH, 3)), [0.0, 0.0]
    for number, start in enumerate(range(0, len(X), BATCH)):
        batch = X[start : start + BATCH]
        for own in ((number + first) % 2, (number + first + 1) % 2):
            begun = process_time()
            if own:
                teacher.scores(batch)
            else:
                out[: len(batch)] = ask(batch)
            spent[own] += process_time() - begun
    return spent[0], spent[1]


def peak(call: Callable[[NDArray[np.float64]], Any], X: NDArray[np.float64]) -> float:
    """The most that numpy holds beside the answers, in MB."""
    tracemalloc.start()
    found = call(X)
    most = tracemalloc.get_traced_memory()[1] - found.nbytes
    tracemalloc.stop()
    return most / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    settings = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(settings.rows, COLUMNS))
    few = X[:2_000]
    y = np.digitize(few[:, 0] + few[:, 1] * few[:, 2], [-0.5, 0.5])
    print(
        f"load {os.getloadavg()[0]:.1f}, onnxruntime {onnxruntime.__version__}, lightgbm"
        f" {lightgbm.__version__}, xgboost {xgboost.__version__}, catboost {catboost.__version__}\n"
    )
    print("| model | runtime, CPU s | teacher | ratio, median (range) | MB beside | of a tenth |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, ask, file in models(Path(folder), few, y):
            teacher = as_teacher(file, y, example=few, batch_size=BATCH)
            np.testing.assert_allclose(teacher.scores(few), direct(ask, few), atol=1e-6)
            turns = [in_turns(ask, teacher, X, turn) for turn in range(settings.repeats)]
            alone, wrapped = [a for a, _ in turns], [w for _, w in turns]
            ratios = [w / a for a, w in turns]
            memory = [peak(teacher.scores, X), peak(teacher.scores, X[: len(X) // 10])]
            print(
                f"| {name} | {median(alone):.2f} | {median(wrapped):.2f} | {median(ratios):.3f}"
                f" ({min(ratios):.3f} to {max(ratios):.3f}) | {memory[0]:.0f} | {memory[1]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

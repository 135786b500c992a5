"""Agreement of readable students with their teacher, by how many numbers a reader must hold.

    python benchmarks/readable.py --students sparse_sum tree scorecard linear/l1_path
    python benchmarks/readable.py --peers --students tree --rows 6000   # beside other packages
    python benchmarks/readable.py --table

35% of the rows train the teacher, 35% distil, 30% are judged. A student is distilled once, up to
the largest budget; at each budget the largest of its frontier that fits is judged. Any registered
student can be named, with a method after a slash. Agreement for classes, R2 with the teacher for
values. Results are appended to a file of JSON lines; what is there is not run again.

The second table has means over the tables of two classes, of more classes, and of values.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Memory
from readable_peers import PEERS, peers
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from limbeck.core.answers import answers
from limbeck.core.columns import Features, Rows
from limbeck.core.progress import quiet
from limbeck.selection.routes import method_for, methods_into
from limbeck.teachers import as_teacher

DATA = Path(
    os.environ.get("LIMBECK_DATA", Path(__file__).resolve().parent.parent.parent / "shared/data")
)
SETS = ("breast_cancer", "wine", "digits", "compas", "adult", "bike")
KINDS_OF_TABLE = {
    "two classes": ("breast_cancer", "compas", "adult"),
    "more classes": ("wine", "digits"),
    "values": ("bike",),
}
TEACHERS = ("network", "forest")
MOST_ROWS = 20_000
_KEPT = Memory(os.environ.get("LIMBECK_CASES"), verbose=0)  # trained teachers, if a folder is named


def table_of(name: str) -> tuple[pd.DataFrame, np.ndarray, bool]:
    """Rows, labels or values, and whether these are values."""
    if name in ("breast_cancer", "wine", "digits"):
        loader = {"breast_cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits}
        X, y = loader[name](return_X_y=True, as_frame=True)
        return X, y.to_numpy(), False
    if name == "compas":
        f = pd.read_parquet(DATA / "tabular/compas_two_years.parquet")
        f = f[f["in_propublica_sample"].astype(bool)]
        kept = ["sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count",
                "priors_count", "c_charge_degree", "length_of_stay_days"]  # fmt: skip
        return _categories(f[kept]), f["two_year_recid"].to_numpy(), False
    if name == "adult":
        f = pd.read_parquet(DATA / "tabular/adult.parquet").drop(columns="split")
        y = f.pop("income_gt_50k")
        return _categories(f), y.to_numpy(), False
    f = pd.read_parquet(DATA / "tabular/bike_sharing_hour.parquet")
    kept = ["season", "yr", "mnth", "hr", "holiday", "weekday", "workingday", "weathersit",
            "temp", "atemp", "hum", "windspeed"]  # fmt: skip
    return f[kept], f["cnt"].to_numpy(float), True


def _categories(f: pd.DataFrame) -> pd.DataFrame:
    text = [c for c in f.columns if not pd.api.types.is_numeric_dtype(f[c])]
    return f.astype(dict.fromkeys(text, "category"))


def model_of(kind: str, regression: bool, rows: int, seed: int) -> Any:
    """A teacher, untrained: a network of two layers of 64, or a forest of 100 trees."""
    if kind == "network":
        cls = MLPRegressor if regression else MLPClassifier
        last = cls(hidden_layer_sizes=(64, 64), max_iter=300, early_stopping=rows > 500,
                   random_state=seed)  # fmt: skip
    else:
        cls = RandomForestRegressor if regression else RandomForestClassifier
        last = cls(100, min_samples_leaf=2, random_state=seed)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False),
         make_column_selector(dtype_include="category")),
        remainder=make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
    )  # fmt: skip
    return make_pipeline(encode, last)


@lru_cache(maxsize=1)  # the students of a cell come one after the other
@_KEPT.cache
def case_of(
    name: str, kind: str, seed: int, most: int = MOST_ROWS
) -> tuple[Any, Rows, Rows, np.ndarray]:
    """A trained teacher, the rows that distil, the rows that judge, and its answers there."""
    X, y, regression = table_of(name)
    at = np.random.default_rng(seed).permutation(len(X))[:most]
    train, distil, judge = np.split(at, [int(0.35 * len(at)), int(0.7 * len(at))])
    model = model_of(kind, regression, len(train), seed).fit(X.iloc[train], y[train])
    features = Features.of(X)
    teacher = as_teacher(model, y[train])
    rows = Rows(features, features.encode(X.iloc[distil]))
    judged = Rows(features, features.encode(X.iloc[judge]))
    return teacher, rows, judged, answers(teacher.scores(judged.native()), teacher.task)


def agreement(predicted: np.ndarray, told: np.ndarray, teacher: Any) -> float:
    """Agreement, or R2."""
    if teacher.task.classifies:
        return float((predicted == teacher.task.labels[told]).mean())
    return float(1 - ((predicted - told) ** 2).mean() / told.var())


def frontier(name: str, teacher: Any, rows: Rows, most: int, seed: int) -> list[tuple[int, Any]]:
    """Students of all sizes with their numbers."""
    if name in PEERS:
        return peers(name, teacher, rows, most, seed)
    into, _, method = name.partition("/")
    cls = methods_into(into)[method] if method else next(iter(methods_into(into).values()))
    known = cls.__dataclass_fields__
    settings = {"max_numbers": most, "max_leaves": (most + 1) // 2}
    settings = {k: v for k, v in settings.items() if k in known and name != "linear"}
    made = method_for(into, settings, method or None)
    found = made.distill(teacher, rows, np.random.default_rng(seed), quiet)
    students = {id(s): s for s in (*found.frontier, found.student)}
    return sorted(((s.numbers, s.predict) for s in students.values()), key=lambda pair: pair[0])


def one(
    name: str, kind: str, seed: int, student: str, sizes: list[int], most: int = MOST_ROWS
) -> dict[str, Any]:
    """What one student reaches at each size, or why it could not."""
    teacher, rows, judged, told = case_of(name, kind, seed, most)
    start, began = time.process_time(), time.perf_counter()
    line: dict[str, Any] = {"data": name, "teacher": kind, "seed": seed, "student": student}
    try:
        made = frontier(student, teacher, rows, max(sizes), seed)
    except Exception as error:
        return {**line, "refused": f"{type(error).__name__}: {error}"[:200]}
    line["seconds"] = round(time.process_time() - start, 3)
    line["elapsed"] = round(time.perf_counter() - began, 3)
    line["found"] = {}
    for size in sizes:
        fits = [pair for pair in made if pair[0] <= size]
        if fits:
            held, predict = fits[-1]
            line["found"][size] = [int(held), round(agreement(predict(judged), told, teacher), 4)]
    return line


def tables(lines: list[dict[str, Any]], sizes: list[int]) -> str:
    """Means over seeds, a row for each data set, teacher and student."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        groups[line["data"], line["teacher"], line["student"]].append(line)
    head = " | ".join(f"{s} numbers" for s in sizes)
    out = [
        f"| data, teacher | student | {head} | seconds | seeds |",
        "|---" * (4 + len(sizes)) + "|",
    ]
    order = {name: i for i, name in enumerate(SETS)}
    for (data, kind, student), found in sorted(
        groups.items(), key=lambda g: (order[g[0][0]], -TEACHERS.index(g[0][1]), g[0][2])
    ):
        good = [f for f in found if "found" in f]
        if not good:
            continue
        cells = []
        for size in sizes:
            values = [f["found"][str(size)][1] for f in good if str(size) in f["found"]]
            cells.append(f"{np.mean(values):.3f}" if len(values) == len(good) else "—")
        seconds = np.mean([f["seconds"] for f in good])
        out.append(
            f"| {data}, {kind} | {student} | {' | '.join(cells)} | {seconds:.2f} | {len(good)} |"
        )
    return "\n".join([*out, "", *means(groups, sizes)])


def means(groups: dict[tuple[str, str, str], list[dict[str, Any]]], sizes: list[int]) -> list[str]:
    """Means over tables of one kind, for the students that have all of their cells."""
    out = [f"| mean | student | {' | '.join(f'{s} numbers' for s in sizes)} | cells |"]
    out.append("|---" * (3 + len(sizes)) + "|")
    for what, sets in KINDS_OF_TABLE.items():
        cells = sorted({(data, kind) for data, kind, _ in groups if data in sets})
        for student in sorted({student for _, _, student in groups}):
            found = [x for c in cells for x in groups.get((*c, student), []) if "found" in x]
            if not found or len({(x["data"], x["teacher"]) for x in found}) < len(cells):
                continue
            reached = []
            for size in sizes:
                by_cell: dict[tuple[str, str], list[float | None]] = defaultdict(list)
                for x in found:
                    value = x["found"].get(str(size), [0, None])[1]
                    by_cell[x["data"], x["teacher"]].append(value)
                whole = all(None not in values for values in by_cell.values())
                mean = np.mean([np.mean(values) for values in by_cell.values()]) if whole else None
                reached.append("—" if mean is None else f"{mean:.3f}")
            out.append(f"| {what} | {student} | {' | '.join(reached)} | {len(cells)} |")
    return out


def all_cells(
    out: Path, keys: Sequence[str], cells: list[Any], run: Callable[..., Any], jobs: int
) -> list[dict[str, Any]]:
    """The lines of a file; those of cells that it lacks are measured first, and appended."""
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    done = {tuple(line[key] for key in keys) for line in lines}
    todo = [cell for cell in cells if cell not in done]
    with ProcessPoolExecutor(jobs) as pool:
        for made in as_completed([pool.submit(run, *cell) for cell in todo]):
            text = json.dumps(made.result())
            with out.open("a") as file:
                file.write(text + "\n")
            lines.append(json.loads(text))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", nargs="*", default=[])
    parser.add_argument("--data", nargs="*", default=list(SETS))
    parser.add_argument("--teachers", nargs="*", default=list(TEACHERS))
    parser.add_argument("--peers", action="store_true", help="students of other packages")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=MOST_ROWS, help="of a table, at most")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--sizes", type=int, nargs="*", default=[8, 16, 32, 64])
    parser.add_argument("--out", type=Path, default=Path("build/readable.jsonl"))
    parser.add_argument("--table", action="store_true", help="print what was measured, run nothing")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    students = [*args.students, *(PEERS if args.peers else ())] or ["sparse_sum", "tree"]
    cells = [
        (name, kind, seed, student)
        for seed in range(args.seeds) for name in args.data for kind in args.teachers
        for student in students
    ]  # fmt: skip
    keys = ("data", "teacher", "seed", "student")
    run = partial(one, sizes=args.sizes, most=args.rows)
    lines = all_cells(args.out, keys, [] if args.table else cells, run, args.jobs)
    print(tables(lines, args.sizes))


if __name__ == "__main__":
    main()

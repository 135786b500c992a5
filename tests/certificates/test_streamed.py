from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from limbeck import certify, verify
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.data.cases import case_hashes
from limbeck.data.duplicates import row_hashes
from limbeck.data.row_batches import RowBatches
from limbeck.students.tree.tree import Tree

NAMES = ("a", "b", "c")
X = pd.DataFrame(np.random.default_rng(0).normal(size=(1500, 3)), columns=NAMES)
ANSWERS = np.where(X["a"] + 0.3 * X["b"] > 0, "yes", "no")


def batches(frame: pd.DataFrame, size: int = 700) -> RowBatches:
    return RowBatches(lambda: (frame[i : i + size] for i in range(0, len(frame), size)))


def named(student):
    student.features_ = Features.of(X[:1])
    return student


@pytest.fixture
def student(threshold):
    return named(threshold())


TABLE = X.assign(teacher=ANSWERS)


def test_the_certificate_is_that_of_the_same_rows_in_memory(student) -> None:
    seen = row_hashes(np.random.default_rng(1).normal(size=(50, 3)))
    for settings in ({}, {"epsilon": 0.05, "candidates": 3}, {"seen": seen}):
        here = certify(student, X, ANSWERS, **settings)
        assert certify(student, batches(TABLE), "teacher", **settings) == here
    assert certify(student, batches(TABLE, 97), "teacher", seen=seen) == here
    assert verify(here, student, batches(TABLE, 5000), "teacher", seen=seen).ok
    assert verify(certify(student, batches(TABLE), "teacher"), student, X, ANSWERS).ok


def test_answers_may_be_the_teachers_own_function(student) -> None:
    def teacher(rows):
        assert list(rows) == list(NAMES)
        return np.where(rows["a"] + 0.3 * rows["b"] > 0, "yes", "no")

    assert certify(student, batches(TABLE), teacher) == certify(student, X, ANSWERS)


def test_values_within_a_fixed_tolerance(scale) -> None:
    own = named(scale())
    values = X["a"] + 0.1 * X["b"]
    here = certify(own, X, values, tolerance=0.2)
    assert certify(own, batches(X.assign(y=values)), "y", tolerance=0.2) == here
    with pytest.raises(InvalidInput, match="no tolerance is found"):
        certify(own, batches(X.assign(y=values)), "y")


def test_a_parquet_folder_and_a_pattern(student, tmp_path) -> None:
    pytest.importorskip("pyarrow")
    for i in range(3):
        TABLE[1000 * i : 1000 * i + 1000].assign(more=i).to_parquet(tmp_path / f"{i}.parquet")
    here = certify(student, X, ANSWERS)
    assert certify(student, tmp_path, "teacher") == here
    assert certify(student, str(tmp_path / "*.parquet"), "teacher") == here


def repeated() -> pd.DataFrame:
    """Rows copied exactly, as float32, beside the middle of two float32, and answered otherwise."""
    edge = np.float64(np.nextafter(np.float32(0.5), np.float32(1))) / 2 + 0.25
    middle = pd.DataFrame([[edge * (1 - 2e-12), 0, 0], [edge * (1 + 2e-12), 0, 0]], columns=NAMES)
    rows = pd.concat([X, X[:40], X[100:130].astype(np.float32), middle], ignore_index=True)
    table = rows.assign(teacher=np.where(rows["a"] + 0.3 * rows["b"] > 0, "yes", "no"))
    table.loc[1500:1510, "teacher"] = np.where(table.loc[1500:1510, "a"] > 0, "no", "yes")
    return table.astype(dict.fromkeys(NAMES, np.float64))


@pytest.mark.parametrize("rule", ["drop", "keep"])
def test_identical_rows_count_as_in_memory(student, rule) -> None:
    table = repeated()
    here = certify(student, table[[*NAMES]], table["teacher"], duplicates=rule)
    assert here.settings["copies" if rule == "drop" else "coincidences"] == 71
    assert certify(student, batches(table), "teacher", duplicates=rule) == here


def test_what_is_refused(student) -> None:
    with pytest.raises(InvalidInput, match="71 of 1,572 rows are identical"):
        certify(student, batches(repeated()), "teacher")
    with pytest.raises(InvalidInput, match="Training saw 3 of these 1,500 rows"):
        certify(student, batches(TABLE), "teacher", seen=row_hashes(X[5:8].to_numpy()))
    with pytest.raises(InvalidInput, match="no column 'label'"):
        certify(student, batches(TABLE), "label")
    with pytest.raises(InvalidInput, match="are a ndarray"):
        certify(student, batches(TABLE), ANSWERS)
    without = batches(TABLE.assign(case=np.where(TABLE.index == 9, None, "one")))
    with pytest.raises(InvalidInput, match="The case of 1 rows is missing"):
        certify(student, without, "teacher", cases="case")
    with pytest.raises(InvalidInput, match="The cases of rows that are read in batches are a list"):
        certify(student, batches(TABLE), "teacher", cases=[1] * len(TABLE))
    with pytest.raises(InvalidInput, match="fewer than 10"):
        certify(student, batches(TABLE[:4]), "teacher")
    with pytest.raises(InvalidInput, match="fewer than 10"):
        certify(student, batches(TABLE[:0]), "teacher")
    with pytest.raises(InvalidInput, match="is missing"):
        certify(student, batches(TABLE.assign(teacher=None)), "teacher")


def test_verification_sees_a_changed_answer(student) -> None:
    found = certify(student, batches(TABLE), "teacher")
    other = TABLE.assign(teacher=np.where(TABLE.index == 7, "no", TABLE["teacher"]))
    changed = TABLE["teacher"][7] != "no"
    assert verify(found, student, batches(other), "teacher").ok is not changed
    assert not verify(replace(found, n=found.n + 1), student, batches(TABLE), "teacher").ok


MEMORY = """
import resource, sys
import numpy as np, pandas as pd
from limbeck import certify
from limbeck.data.row_batches import RowBatches
from limbeck.students import Tree
names = [f"x{j}" for j in range(50)]
def made(n):
    for i in range(n):
        rows = np.random.default_rng(i).normal(size=(20_000, 50))
        yield pd.DataFrame(rows, columns=names).assign(y=rows[:, 0] + 0.1 * rows[:, 1] > 0)
first = next(made(1))
student = Tree(max_leaves=4).fit(first[names][:1000], first["y"][:1000])
for n in map(int, sys.argv[1:]):
    done = certify(student, RowBatches(lambda: made(n)), "y").n
    print(done, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_ten_million_rows_of_fifty_columns_take_the_memory_of_few() -> None:
    batches_of_20_000 = (5, 500)  # 9,900,000 rows more, which take 4 GB
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *map(str, batches_of_20_000)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [[*map(int, line.split())] for line in done.stdout.splitlines()]
    assert [n for n, _ in found] == [20_000 * b for b in batches_of_20_000]
    grown = (found[-1][1] - found[0][1]) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 50e6


def test_memory_does_not_grow_with_rows() -> None:
    names = [f"x{j}" for j in range(50)]

    def made(n: int) -> Iterator[pd.DataFrame]:
        for i in range(n):
            rows = np.random.default_rng(i).normal(size=(2000, 50))
            yield pd.DataFrame(rows, columns=names).assign(y=rows[:, 0] + 0.1 * rows[:, 1] > 0)

    first = next(made(1))
    student = Tree(max_leaves=4).fit(first[names], first["y"])

    def peak(n: int) -> int:
        tracemalloc.start()
        try:
            assert certify(student, RowBatches(lambda: made(n)), "y").n == 2000 * n
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(6) - peak(1) < 1.5e6  # 10,000 rows more, which take 4 MB


@pytest.mark.parametrize("rule", ["drop", "keep"])
@pytest.mark.parametrize("size", [61, 5000])
def test_groups_are_counted_as_in_memory(student, rule, size) -> None:
    table = repeated()
    table["kind"] = np.random.default_rng(2).integers(0, 12, size=len(table))
    here = certify(
        student, table[[*NAMES]], table["teacher"], duplicates=rule, groups=table["kind"]
    )
    assert len(here.groups) == 12
    found = certify(student, batches(table, size), "teacher", duplicates=rule, groups="kind")
    assert found == here
    assert verify(here, student, batches(table), "teacher", groups="kind").ok


@pytest.mark.parametrize("bound", ["betting", "empirical-bernstein"])
def test_losses_in_a_range_are_bounded_bit_for_bit_as_in_memory(scale, bound) -> None:
    own, values = named(scale()), X["a"] + 0.1 * X["b"]
    table = X.assign(y=values, kind=np.where(X["c"] > 1, "high", "low"))
    asked = {"loss": "absolute", "loss_range": (0, 9), "bound": bound, "epsilon": 0.08}
    here = certify(own, X, values, groups=table["kind"], **asked)
    assert here.settings["plan"] is not None
    for size in (61, 5000):
        assert certify(own, batches(table, size), "y", groups="kind", **asked) == here
    assert verify(here, own, batches(table), "y", groups="kind").ok
    if bound == "betting":  # which depends on the order
        assert not verify(here, own, batches(table[::-1]), "y", groups="kind").ok
    with pytest.raises(InvalidInput, match="The loss of row 17 is"):
        certify(
            own, batches(table.assign(y=table["y"] + 99 * (table.index == 17)), 5), "y", **asked
        )


@pytest.mark.parametrize("rule", ["drop", "keep"])
def test_losses_of_identical_rows_count_as_in_memory(scale, rule) -> None:
    own, table = named(scale()), repeated()
    rng = np.random.default_rng(3)
    table["y"] = table["a"] + rng.uniform(-1, 1, size=len(table))
    table["kind"] = rng.integers(0, 5, size=len(table))
    settings = {"loss": "squared", "loss_range": (0, 99), "duplicates": rule}
    here = certify(own, table[[*NAMES]], table["y"], groups=table["kind"], **settings)
    for size in (113, 997):
        assert certify(own, batches(table, size), "y", groups="kind", **settings) == here


@pytest.mark.parametrize(("rule", "kind"), [("drop", "text"), ("keep", "int")])
def test_cases_count_as_in_memory(student, rule, kind) -> None:
    table, rng = repeated(), np.random.default_rng(4)
    numbers = rng.integers(0, 200, size=len(table))  # copies lie in other cases, and join them
    table["case"] = numbers if kind == "int" else [f"p{i}" for i in numbers]
    table["kind"] = rng.choice(["x", "y", "z"], size=len(table))
    seen = np.stack([np.arange(7), np.arange(7)], axis=1).astype(np.uint64)
    settings = {"duplicates": rule, "seen": seen, "epsilon": 0.01}
    here = certify(
        student, table[[*NAMES]], table["teacher"], groups=table["kind"], cases=table["case"],
        **settings,
    )  # fmt: skip
    assert (here.settings["merged"] > 0) is (rule == "drop")
    for size in (113, 997):
        found = certify(
            student, batches(table, size), "teacher", groups="kind", cases="case", **settings
        )
        assert found == here
    assert verify(
        here, student, batches(table), "teacher", groups="kind", cases="case", seen=seen
    ).ok
    mixed = batches(table.assign(case=table["case"].to_numpy()[::-1]))
    assert not verify(here, student, mixed, "teacher", groups="kind", cases="case").ok
    seen[0, 1] = case_hashes(table["case"][5:6].to_numpy())[0]
    with pytest.raises(InvalidInput, match="Training saw 1 of these 200 cases"):
        certify(student, batches(table), "teacher", cases="case", duplicates=rule, seen=seen)

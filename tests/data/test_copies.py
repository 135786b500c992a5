from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from limbeck.audits.table import read_table
from limbeck.data.copies import Copies, find_copies
from limbeck.data.duplicates import identical_rows


def people(seed: int = 0, n: int = 1000) -> pd.DataFrame:
    """Few values in every column, so that most people agree with somebody in all of them."""
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({c: rng.integers(0, 4, n) for c in "abc"})
    z = df["a"] + 0.5 * df["b"] - 2
    df["score"] = np.round(2 * z + rng.normal(size=n))
    df["outcome"] = (rng.random(n) < expit(z)).astype(int)
    return df


def judged(df: pd.DataFrame, frequency: np.ndarray | None = None, **more: bool) -> Copies:
    count = np.ones(len(df), dtype=np.int64) if frequency is None else frequency
    return find_copies(
        df.drop(columns="outcome").to_numpy(float), df["outcome"].to_numpy(float), count,
        more.get("continuous", False),
    )  # fmt: skip


def test_rows_are_compared_as_float32_and_missing_agrees_with_missing() -> None:
    x = np.array([0.1, 0.1 * (1 + 1e-12), np.nan, np.nan, 0.2])
    codes = identical_rows(np.column_stack([x, [0, 0, np.nan, np.nan, 0]]))
    assert codes[0] == codes[1] != codes[4]
    assert codes[2] == codes[3] != codes[0]


def test_long_numbers_that_float32_merges_are_no_copies() -> None:
    """Numbers of households, nine digits long, keep people apart who agree in all else."""
    df = people(n=400).assign(household=900_000_000 + np.arange(400) // 2, c=np.arange(400) % 2)
    table = read_table(df, score="score", outcome="outcome")
    assert table.counting == "400 rows, each one case."


@pytest.mark.parametrize("seed", range(3))
def test_people_who_agree_by_chance_stay_people(seed: int) -> None:
    found = judged(people(seed))
    assert found.kind == "chance"
    assert found.identical > 400
    assert (found.count == 1).all()
    assert abs(found.agreement) < 0.1


@pytest.mark.parametrize("times", [2, 10])
def test_a_table_written_several_times_counts_once(times: int) -> None:
    df = people()
    found = judged(pd.concat([df] * times, ignore_index=True))
    assert (found.kind, found.times) == ("multiples", times)
    assert found.count.sum() == len(df)
    kept = pd.concat([df] * times, ignore_index=True)[found.count > 0]
    assert (kept.sort_values(list(df)).to_numpy() == df.sort_values(list(df)).to_numpy()).all()


def test_unequal_copies_are_found_where_people_rarely_agree() -> None:
    rng = np.random.default_rng(1)
    df = people()
    df["d"] = rng.integers(0, 400, len(df))
    again = df.loc[df.index.repeat(rng.integers(1, 11, len(df)))].reset_index(drop=True)
    found = judged(again)
    assert found.kind == "copies"
    assert found.agreement > 0.8
    assert found.count.sum() == len(df.drop_duplicates())
    assert judged(df).kind in ("chance", "none")


def test_in_a_continuous_column_nobody_agrees_by_chance() -> None:
    df = people(n=300).assign(x=lambda d: np.random.default_rng(2).normal(size=len(d)))
    again = pd.concat([df, df[:40]], ignore_index=True)
    found = judged(again, continuous=True)
    assert (found.kind, found.identical) == ("copies", 40)
    assert (found.count == np.r_[np.ones(300), np.zeros(40)]).all()


def test_a_few_rows_that_agree_prove_nothing() -> None:
    df = people(n=600).assign(d=np.arange(600))
    for few, kind in ((8, "chance"), (60, "copies")):
        assert judged(pd.concat([df, df[:few]], ignore_index=True)).kind == kind


def test_frequency_weights_are_judged_as_the_rows_written_out() -> None:
    df = people()
    table = df.value_counts().reset_index(name="n")
    rows = table.drop(columns="n")
    found = judged(rows, table["n"].to_numpy())
    written = judged(df)
    assert found.kind == written.kind == "chance"
    assert found.agreement == pytest.approx(written.agreement, abs=0.02)
    assert found.count.sum() == len(df)
    tripled = judged(rows, 3 * table["n"].to_numpy())
    assert (tripled.kind, tripled.times) == ("multiples", 3)
    assert (tripled.count == table["n"]).all()
    lone = people(n=2000).assign(d=np.arange(2000) % 500)
    lone = lone.drop_duplicates().reset_index(drop=True)
    rng = np.random.default_rng(3)
    assert judged(lone, rng.integers(1, 6, len(lone))).kind == "copies"


def test_columns_that_record_the_outcome_make_nobody_a_copy() -> None:
    """COMPAS: people alike in all columns, among them one that tells the outcome, stay people."""
    rng = np.random.default_rng(0)
    n = 4000
    df = pd.DataFrame({f"x{j}": rng.integers(0, 5, n) for j in range(4)})
    df["score"] = rng.integers(1, 5, n)
    df["outcome"] = (rng.random(n) < 0.2 + 0.1 * df["x0"]).astype(int)
    df["recorded"] = np.where(rng.random(n) < 0.97, df["outcome"], 1 - df["outcome"])
    df["number"] = np.arange(n)
    found = read_table(df, score="score", outcome="outcome", features=["x0", "x1", "x2", "x3"])
    assert len(found) == n
    assert "nothing says that they are copies" in found.counting


def test_without_identical_rows_there_are_no_copies() -> None:
    people = np.ones(4, dtype=np.int64)
    found = find_copies(np.arange(8.0).reshape(4, 2), None, people, continuous=False)
    assert (found.times, found.kind, found.identical) == (1, "none", 0)
    assert found.count.tolist() == people.tolist()

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.audits.table import read_table
from limbeck.core.errors import InvalidInput
from limbeck.data.tables import read_table as read_file


def frame(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 70, n),
            "race": rng.choice(["a", "b", "c"], n),
            "happy": rng.random(n) < 0.5,
            "score": rng.integers(1, 11, n),
            "outcome": rng.integers(0, 2, n),
            "weight": rng.integers(1, 5, n),
        }
    )


def read(df: Any, **given: Any) -> Any:
    return read_table(df, **{"score": "score", "outcome": "outcome", "drop": ["weight"], **given})


def test_reads_what_it_should() -> None:
    df = frame()
    table = read(df, groups="race")
    assert table.features.names == ("age", "race", "happy")
    assert table.values.shape == (400, 3)
    assert len(table) == 400
    assert set(table.outcome) == {0.0, 1.0}
    assert table.groups["race"].tolist() == df["race"].tolist()
    assert (table.mass == 1).all()
    assert not table.caveats
    assert table.counting.startswith("400 rows, each one case")
    weighted = read(df, sampling_weight="weight", drop=())
    assert weighted.mass.sum() == df["weight"].sum()
    w = df["weight"]
    assert weighted.evidence.sum() == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert table.without("race").features.names == ("age", "happy")
    assert read(df, outcome=None, drop=["outcome", "weight"]).dropped[0][0] == "outcome"
    assert read(df, features=["age"]).features.names == ("age",)


@pytest.mark.parametrize(
    ("change", "given", "words", "remedy"),
    [
        ({"score": "High"}, {}, "holds text", "Code its levels"),
        ({"score": pd.Timestamp("2020-01-01")}, {}, "text or dates", "Code"),
        ({"score": 3}, {}, "All scores", "column that holds the scores"),
        ({"score": np.inf}, {}, "infinite", "Drop"),
        ({"outcome": 1}, {}, "All outcomes", "Leave the outcome out"),
        ({"weight": -1}, {"sampling_weight": "weight"}, "negative", "0 or more"),
        ({"weight": 1.5}, {"frequency_weight": "weight"}, "part of a person", "sampling_weight"),
        (
            {},
            {"frequency_weight": "weight", "sampling_weight": "age"},
            "a frequency weight and 'age' a sampling weight",
            "Give one",
        ),
        (
            {},
            {"frequency_weight": "weight", "cases": "age"},
            "several rows stand for one",
            "one of the two",
        ),
        ({"weight": "much"}, {"sampling_weight": "weight"}, "no number", "Give numbers"),
        ({}, {"score": "scor"}, "no column 'scor'", "Did you mean 'score'"),
        ({}, {"drop": ["x"]}, "no column 'x'", "Known"),
        ({}, {"outcome": "score"}, "two roles", "different columns"),
        ({}, {"score": "outcome", "outcome": "score"}, "look swapped", "score='score'"),
        ({}, {"features": ["score"]}, "No feature", "neither score nor outcome"),
    ],
)
def test_bad_input_gets_a_sentence_and_a_remedy(
    change: dict[str, Any], given: dict[str, Any], words: str, remedy: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        read(frame().assign(**change), **given)
    assert remedy in caught.value.remedy


def test_outcomes_that_are_not_0_and_1() -> None:
    df = frame()
    three = df.assign(outcome=np.arange(400) % 3)
    with pytest.raises(InvalidInput, match="has 3 values"):
        read(three)
    words = df.assign(outcome=np.where(df["outcome"] == 1, "yes", "no"))
    with pytest.raises(InvalidInput, match="which of them happened"):
        read(words)
    twos = df.assign(outcome=df["outcome"] + 1)
    with pytest.raises(InvalidInput, match="coded"):
        read(twos)
    assert read(df.assign(outcome=df["outcome"] == 1)).outcome.sum() == df["outcome"].sum()


def test_no_frame_few_rows_and_duplicate_names() -> None:
    with pytest.raises(InvalidInput, match="DataFrame"):
        read(np.zeros((3, 3)))
    with pytest.raises(InvalidInput, match=r"40 rows.*cannot conclude"):
        read(frame(40))
    df = frame()
    df.columns = ["age", "race", "age", "score", "outcome", "weight"]
    with pytest.raises(InvalidInput, match="Two columns are called 'age'"):
        read(df)


def test_missing_scores_and_outcomes_are_counted() -> None:
    df = frame().astype({"score": float, "outcome": float})
    df.loc[:9, "score"] = np.nan
    df.loc[5:19, "outcome"] = np.nan
    table = read(df)
    assert len(table) == 380
    assert [c.subject for c in table.caveats] == ["score", "outcome"]
    assert "10 of 400 rows" in table.caveats[0].problem


def test_columns_that_cannot_be_audited_are_dropped_with_a_reason() -> None:
    n = 1200
    rng = np.random.default_rng(1)
    df = frame(n)
    nearly = np.full(n, np.nan)
    nearly[:24] = 1.0
    df = df.assign(
        id=np.arange(n),
        name=[f"person {i}" for i in range(n)],
        when=pd.date_range("2020-01-01", periods=n),
        day=[f"2020-01-{1 + i % 28:02d}" for i in range(n)],
        nearly=nearly,
        always=1,
        code=[f"c{v}" for v in rng.integers(0, 800, n)],
        copy=df["outcome"],
        other=1 - df["outcome"],
        grade=df["score"] ** 2,
        listed=[[i % 2] for i in range(n)],
    )
    table = read(df)
    reasons = dict(table.dropped)
    assert table.features.names == ("age", "race", "happy")
    for name, words in {
        "id": "numbers the rows",
        "name": "names the rows",
        "when": "dates",
        "day": "dates as text",
        "weight": "left out as asked",
        "nearly": "98.0% of its values are missing",
        "always": "same value",
        "code": "levels",
        "copy": "outcome itself",
        "other": "outcome itself",
        "grade": "each of its values goes with one value of the score",
        "listed": "neither numbers nor text",
    }.items():
        assert words in reasons[name]
    assert len(table.caveats) == 11
    assert all(c.remedy for c in table.caveats)


def test_a_leak_is_flagged_and_kept() -> None:
    df = frame()
    rng = np.random.default_rng(0)
    df["months"] = np.where(df["outcome"] == 1, rng.normal(50, 1, 400), rng.normal(0, 1, 400))
    df["court"] = np.where(df["outcome"] == 1, "upheld", "none")
    table = read(df)
    leaks = [c for c in table.caveats if c.problem.startswith("Leak")]
    assert [c.subject for c in leaks] == ["months", "court"]
    assert "alone tells the outcome" in leaks[0].problem
    assert "drop=('months',)" in leaks[0].remedy
    assert "months" in table.features.names


def test_what_was_made_from_the_score_is_flagged() -> None:
    df = frame()
    df["band"] = np.where(df["score"] > 7, "high", np.where(df["score"] > 4, "middle", "low"))
    found = read(df).caveats
    assert [c.subject for c in found] == ["band"]
    assert "follows from the score" in found[0].problem


def test_a_category_that_says_nothing_is_no_leak() -> None:
    df = frame(600)
    df["town"] = [f"t{v}" for v in np.random.default_rng(2).integers(0, 300, 600)]
    assert not read(df).caveats


def test_often_missing_is_told_and_kept() -> None:
    df = frame()
    df["income"] = np.where(np.arange(400) % 3 == 0, np.arange(400.0), np.nan)
    table = read(df)
    assert "66% of income is missing" in table.caveats[0].problem
    assert "income" in table.features.names


def test_group_labels_keep_missing_values() -> None:
    df = frame()
    df["race"] = df["race"].where(df.index > 3, None)
    assert "missing" in read(df, groups=["race"]).groups["race"]


def doubled(tmp_path: Path, name: str, same: bool) -> pd.DataFrame:
    df = frame().drop(columns="weight")
    again = df[name] if same else df[name].sample(frac=1, random_state=0).to_numpy()
    df.insert(0, f"{name} ", again)
    df.columns = [c.strip() for c in df.columns]
    df.to_csv(tmp_path / "twice.csv", index=False)
    return read_file(tmp_path / "twice.csv")


@pytest.mark.parametrize("name", ["score", "outcome", "race"])
def test_columns_of_one_name_are_not_chosen_between(tmp_path: Path, name: str) -> None:
    """A file with two different columns called score: the first was audited."""
    given = {"score": "score", "outcome": "outcome", "groups": "race"}
    with pytest.raises(InvalidInput, match=f"Two columns of the file are called '{name}'"):
        read_table(doubled(tmp_path, name, False), **given)
    table = read_table(doubled(tmp_path, name, True), **given)
    assert len(table) == 400

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.audits.roles import group_labels, read_outcome, read_score
from limbeck.audits.table import read_table
from limbeck.core.errors import InvalidInput


def test_ordered_categories_are_scores() -> None:
    levels = ["Low", "Medium", "High"]
    column = pd.Series(pd.Categorical(["High", None, "Low"], levels, ordered=True))
    score, told = read_score(column, "s", None, ())
    np.testing.assert_array_equal(score, [3, np.nan, 1])
    assert told.note == "counted as Low 1, Medium 2, High 3"
    text = pd.Series(["High", None, "Low"])
    with pytest.raises(InvalidInput, match="holds text") as caught:
        read_score(text, "s", None, ())
    assert "--score-levels Low,Medium,High" in caught.value.remedy
    np.testing.assert_array_equal(read_score(text, "s", levels, ())[0], [3, np.nan, 1])
    with pytest.raises(InvalidInput, match="holds 'High'"):
        read_score(text, "s", ["Low", "Medium"], ())
    assert read_score(pd.Series(["10%", "25%"]), "s", None, ())[0].tolist() == [10, 25]


def test_the_positive_value_is_named() -> None:
    column = pd.Series(["Yes", "No", None, "Yes"])
    with pytest.raises(InvalidInput, match="which of them happened") as caught:
        read_outcome(column, "o", None, ())
    assert "--positive Yes" in caught.value.remedy
    outcome, told = read_outcome(column, "o", "Yes", ())
    np.testing.assert_array_equal(outcome, [1, 0, np.nan, 1])
    assert told.note == "1 where it is 'Yes'"
    np.testing.assert_array_equal(read_outcome(pd.Series([2, 1]), "o", "1", ())[0], [0, 1])
    np.testing.assert_array_equal(read_outcome(pd.Series(["1", "0"]), "o", None, ())[0], [1, 0])
    with pytest.raises(InvalidInput, match="positive is 'yse'"):
        read_outcome(column, "o", "yse", ())
    three = pd.Series(["paid", "charged off", "current"])
    with pytest.raises(InvalidInput, match="3 values"):
        read_outcome(three, "o", "paid", ())


def test_groups_are_cut_and_crossed() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"age": rng.integers(18, 80, 400) * 1.0, "sex": rng.choice(["F", "M"], 400)})
    df.loc[0, "age"] = np.nan
    labels, notes = group_labels(df, ["age", ("sex", "age"), "age x sex"])
    assert list(labels) == ["age", "sex x age", "age x sex"]
    ages = labels["age"]
    assert ages[0] == "missing"
    for label in set(ages) - {"missing"}:
        assert 70 < (ages == label).sum() < 130
    first = df["age"][ages == min(set(ages) - {"missing"})]
    assert first.max() == float(min(set(ages) - {"missing"}).rpartition(" ")[2])
    assert labels["sex x age"][1] == f"{df['sex'][1]}, {ages[1]}"
    gone, _ = group_labels(df.fillna(999), ["age"], (999,))
    assert (gone["age"] == ages).all()
    assert notes == ["age was cut at its quartiles to make groups."]


def test_every_column_is_listed_as_it_was_read() -> None:
    rng = np.random.default_rng(0)
    n = 400
    df = pd.DataFrame({
        "id": [f"c{i}" for i in range(n)],
        "rate": [f"{v}%" for v in rng.integers(0, 90, n)],
        "income": [f"${v:,}" for v in rng.integers(10_000, 90_000, n)],
        "when": "2020-01-01",
        "age": np.where(rng.random(n) < 0.05, 999, rng.integers(18, 60, n)),
        "score": rng.normal(size=n),
        "happened": rng.choice(["Yes", "No"], n),
        "unused": rng.normal(size=n),
    })  # fmt: skip
    table = read_table(df, score="score", outcome="happened", positive="Yes", drop=["unused"])
    assert [c.name for c in table.columns] == list(df)
    told = {c.name: c for c in table.columns}
    assert told["rate"].note == "percent signs left out, so that 45% is 45"
    assert told["income"].kind == "number"
    assert (told["id"].role, told["id"].note) == ("left out", "it names the rows")
    assert "dates" in told["when"].note
    assert told["unused"].role == "left out"
    assert told["happened"].role == "outcome"
    (doubt,) = (c for c in table.caveats if c.subject == "age")
    assert "--missing 999" in doubt.remedy
    assert table.features.names == ("rate", "income", "age")

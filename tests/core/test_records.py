from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.records import are_records, as_table

RNG = np.random.default_rng(0)
COLUMNS = {"age": RNG.integers(18, 80, 300), "place": RNG.choice(["a", "b"], 300)}
RECORDS = [{"age": int(a), "place": str(p)} for a, p in zip(*COLUMNS.values(), strict=True)]


def test_dictionaries_and_records_are_the_same_table():
    table = pd.DataFrame(COLUMNS)
    pd.testing.assert_frame_equal(as_table(COLUMNS), table)
    pd.testing.assert_frame_equal(as_table(RECORDS), table, check_dtype=False)
    assert as_table(table) is table
    features = Features.of(COLUMNS)
    np.testing.assert_array_equal(features.encode(RECORDS), features.encode(table))


def test_a_column_of_several_numbers_is_spread():
    found = as_table({"x": RNG.normal(size=(5, 2, 2)), "y": [1, 2, 3, 4, 5]})
    assert list(found.columns) == ["x[0]", "x[1]", "x[2]", "x[3]", "y"]


def test_pairs_of_texts():
    pairs = [("a b", "c"), ("d", "")]
    assert as_table(pairs).to_dict("list") == {"text": ["a b", "d"], "text_pair": ["c", ""]}
    pd.testing.assert_frame_equal(as_table(np.array(pairs, dtype=object)), as_table(pairs))
    assert not are_records(["a", "b"])
    assert not are_records([["a", 1.0]])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({}, "no columns"),
        ({"a": [1, 2], "b": [1]}, "'a' has 2 rows, and 'b' has 1"),
        ([{"a": 1}, {"b": 1}], r"Row 1 is \{'b': 1\}"),
        ([("a", "b")] * 150 + [("a", "b", "c")], "Row 150"),
    ],
)
def test_what_is_no_table_is_refused(rows, message):
    with pytest.raises(InvalidInput, match=message):
        as_table(rows)


def test_a_dictionary_is_distilled_and_predicted():
    found = limbeck.distill(
        lambda rows: (rows["age"] > 40) & (rows["place"] == "a"), COLUMNS, into="tree",
        classes=[False, True], max_leaves=4, queries=0, progress=False,
    )  # fmt: skip
    expected = found.student.predict(pd.DataFrame(COLUMNS))
    np.testing.assert_array_equal(found.student.predict(COLUMNS), expected)
    np.testing.assert_array_equal(found.student.predict(RECORDS), expected)


def test_a_table_with_texts_is_one_text_a_row_for_the_student_and_a_table_for_the_teacher(tmp_path):
    table = pd.DataFrame(
        {
            "text": [f"{RNG.choice(['good', 'bad', 'a'])} film number {i}" for i in range(120)],
            "age": RNG.integers(18, 80, 120),
            "plan": pd.Categorical(RNG.choice(["x", "y"], 120)),
        }
    )
    seen = []

    def teacher(rows):
        seen.append(rows)
        return (rows["text"].str.contains("good") & (rows["plan"] == "x")).to_numpy()

    found = limbeck.distill(
        teacher, table, into="text_classifier", classes=[False, True], progress=False
    )
    assert all((rows.dtypes == table.dtypes).all() for rows in seen)
    assert "name: value" in " ".join(found.notes)
    assert found.student.features_.texts(table)[0] == (
        f"text: {table.text[0]}\nage: {table.age[0]}\nplan: {table.plan[0]}"
    )
    found.save(tmp_path / "run")
    again = limbeck.load(tmp_path / "run")
    np.testing.assert_array_equal(again.student.predict(table), found.student.predict(table))
    with pytest.raises(InvalidInput, match="'plan' is not in the rows"):
        found.student.predict(table.drop(columns="plan"))
    with pytest.raises(InvalidInput, match="3 columns were expected"):
        found.student.predict(["good film"])


def test_missing_values_of_a_written_row_are_empty():
    table = pd.DataFrame({"text": ["a", None], "age": [1.5, np.nan]})
    features = Features.of_written(table)
    assert features.texts(table).tolist() == ["text: a\nage: 1.5", "text:\nage:"]
    pd.testing.assert_frame_equal(
        features.rows(table)[[1]].native(), table[1:].reset_index(drop=True)
    )

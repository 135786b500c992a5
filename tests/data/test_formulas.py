from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.data.formulas import FORMULA, with_formulas, without_formulas

TEXT = st.text(st.sampled_from("=+-@\t\r'ab"), max_size=4)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=6), name=TEXT)
def test_no_cell_begins_like_a_formula_and_all_come_back(texts: list[str], name: str) -> None:
    frame = pd.DataFrame({name: texts, "number": np.arange(len(texts)) - 1.5})
    safe = without_formulas(frame)
    assert not any(t.startswith(FORMULA) for t in (*safe.iloc[:, 0], *safe.columns))
    pd.testing.assert_frame_equal(with_formulas(safe).astype(object), frame.astype(object))


def test_the_csv_of_a_table_holds_no_formula() -> None:
    frame = pd.DataFrame(
        {"=cmd|' /C calc'!A0": pd.Categorical(["@sum", "b", None]), "n": [-1.0, np.nan, 2.0]}
    )
    text = without_formulas(frame).to_csv(index=False)
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["'=cmd|' /C calc'!A0", "n"]
    assert [row[0] for row in rows[1:]] == ["'@sum", "b", ""]
    assert rows[1][1] == "-1.0"  # numbers stay numbers
    back = with_formulas(pd.read_csv(io.StringIO(text)))
    assert list(back.columns) == list(frame.columns)
    assert back.iloc[:2, 0].tolist() == ["@sum", "b"]


def test_tables_without_formulas_keep_their_types() -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(["a", "b"]), "n": [1, 2]})
    pd.testing.assert_frame_equal(without_formulas(frame), frame)

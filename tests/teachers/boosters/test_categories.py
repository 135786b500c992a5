from __future__ import annotations

import pandas as pd
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.boosters.categories import as_categories, check_codes, textual

KNOWN = {"c": ["w", "u", "v"]}


@pytest.mark.parametrize("kind", ["category", "object", "string"])
def test_codes_are_those_of_the_booster_whatever_the_table_holds(kind):
    batch = pd.DataFrame({"c": pd.Series(["u", None, "w", "x"]).astype(kind), "n": range(4)})
    found = as_categories("m", batch, KNOWN)
    assert found["c"].cat.codes.tolist() == [1, -1, 0, -1]
    assert found["c"].cat.categories.tolist() == KNOWN["c"]
    assert found["n"].tolist() == batch["n"].tolist()
    with pytest.raises(InvalidInput, match=r"'c' holds 'x', and m was not trained on it. It knows"):
        as_categories("m", batch, KNOWN, "refused")
    assert as_categories("m", batch.iloc[:3], KNOWN, "refused")["c"].cat.codes.tolist() == [
        1,
        -1,
        0,
    ]


def test_a_table_in_the_order_of_the_booster_is_not_copied():
    batch = pd.DataFrame({"c": pd.Categorical(["u"], categories=KNOWN["c"])})
    assert as_categories("m", batch, KNOWN, "refused") is batch


def test_numbers_and_texts_are_not_taken_for_each_other():
    numbers = pd.DataFrame({"c": [1, 2]})
    with pytest.raises(InvalidInput, match="'c' holds numbers, and m was trained on the texts 'w'"):
        as_categories("m", numbers, KNOWN)
    with pytest.raises(InvalidInput, match="'c' holds texts, and m was trained on the numbers 1"):
        as_categories("m", pd.DataFrame({"c": ["1"]}), {"c": [1, 2, 3, 4, 5, 6]})
    assert as_categories("m", numbers, {"c": [2, 1]})["c"].cat.codes.tolist() == [1, 0]
    nothing = pd.DataFrame({"c": [None, None]})  # all missing: of neither kind
    assert as_categories("m", nothing, {"c": [2, 1]})["c"].isna().all()


def test_names_are_refused_where_codes_alone_are_known():
    batch = pd.DataFrame({
        "a": ["u", "v"], "b": [1.5, 2.5], "c": pd.Categorical([1, 0]), "d": [True, False],
        "e": pd.Categorical(["u", "v"]), "f": pd.to_datetime(["2026-01-01"] * 2),
    })  # fmt: skip
    assert textual(batch) == ["a", "c", "e"]
    check_codes("m", batch, ["b", "c", "d"])  # categories 0, 1, ... are their own codes
    for column in ("a", "e"):
        with pytest.raises(InvalidInput, match=f"categories of '{column}' by number"):
            check_codes("m", batch, [column])

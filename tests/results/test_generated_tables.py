from __future__ import annotations

from dataclasses import replace

from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import Comparison, ModelResult
from limbeck.results.generated_record import RealControl
from limbeck.results.generated_tables import sentences, tables


def control(written_as=float("nan")):
    entry = ModelResult("student", "s", "", Measured(0.8, 0.7, 0.9), None)
    return RealControl(4, 1, written_as, Comparison((entry,), (), 0.95))


def test_what_is_said_of_a_set(generated_sets):
    found = generated_sets()
    bill = "Bill: 2 requests sent, 0 answered from the store."
    assert sentences(found) == ["Kept: 1 row by m.", bill, "A note."]
    stopped = replace(found, stopped="the budget is spent", settings={"model": "m", "n": 1_000})
    assert sentences(stopped)[1] == "Fewer than was asked for (1,000): the budget is spent."
    empty = sentences(replace(found, rows=()))
    assert empty[0] == "Kept: 0 rows by m."
    assert empty[1].startswith("There is nothing to learn from")


def test_the_share_written_as_asked_is_told_where_it_is_known(generated_sets):
    told = sentences(generated_sets(control=control(0.875)))
    assert any(s.startswith("The teacher gives 87.5% of the generated texts") for s in told)
    assert not any("written for" in s for s in sentences(generated_sets(control=control())))


def test_tables_without_rows_are_left_out(generated_sets):
    assert list(tables(generated_sets())) == ["filters", "diversity", "rows"]
    assert list(tables(generated_sets(rows=(), diversity=()))) == ["filters"]
    found = tables(generated_sets(control=control()))
    assert list(found) == ["filters", "diversity", "control", "rows"]
    assert found["control"].caption == "On 1 real row that no student saw"
    assert "accuracy" not in found["control"].to_frame()


def test_shares_are_of_what_the_line_counts_in(generated_sets):
    found = generated_sets()
    nothing = replace(found.funnel[0], of=0)
    frame = tables(replace(found, funnel=(*found.funnel, nothing, nothing)))["filters"].to_frame()
    assert list(frame["share"][:3]) == [1.0, 0.75, 0.25]
    assert frame["share"].isna().tolist() == [False, False, False, True, True]


def test_columns_that_no_row_fills_are_left_out(generated_sets):
    found = tables(generated_sets())
    assert "spread" not in found["diversity"].to_frame()
    assert found["diversity"].caption.endswith("measured on 2 tokens drawn from it")
    rows = found["rows"].to_frame()
    assert {"input", "label", "nearest"}.isdisjoint(rows.columns)
    assert rows["requests"][0] == "0, 1"

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from limbeck.core.certificate import GroupBound
from limbeck.core.measured import Measured
from limbeck.evaluation.by_class import ClassAgreement, ClassShare
from limbeck.evaluation.comparison import Difference
from limbeck.results.distillation_sections.models import (
    class_table,
    difference_table,
    group_table,
    influence_table,
    layer_table,
    model_table,
    size_table,
)


def by_class(label: str, rows: int, value: float | None, predicted: int = 5) -> ClassAgreement:
    share = ClassShare(0, value, 0.1, 0.9, predicted)
    return ClassAgreement(label, rows, {"student": share})


def groups(certificate: Any, *names: str) -> Any:
    found = tuple(GroupBound(g, 0.1 * (i + 1), 0.01, 9, 0.05) for i, g in enumerate(names))
    return replace(certificate, groups=found)


def test_the_teacher_agrees_with_itself_and_levels_are_exact(record: Any) -> None:
    sharp = replace(record().comparison, level=0.995)
    table = model_table(record(comparison=sharp))
    assert "99.5% intervals" in table.caption
    assert "1,000 rows" in table.caption
    frame = table.to_frame()
    assert frame["role"].tolist() == ["teacher", "student", "control"]
    assert frame["agreement"].isna().tolist() == [True, False, False]
    assert "itself" in table.to_html()
    bare = tuple(replace(e, accuracy=None) for e in sharp.entries)
    assert "accuracy" not in model_table(record(comparison=replace(sharp, entries=bare))).to_frame()


def test_of_many_classes_the_worst_are_shown_and_their_bounds_only_where_groups_are_classes(
    record: Any,
) -> None:
    classes = (by_class("a", 9, 0.9), by_class("b", 9, 0.2, 0), by_class("c", 9, 0.5),
               by_class("none", 0, None))  # fmt: skip
    comparison = replace(record().comparison, classes=classes)
    result = record(comparison=comparison)
    assert class_table(result).to_frame()["class"].tolist() == ["a", "b", "c", "none"]
    worst = class_table(result, 2)
    assert worst.to_frame()["class"].tolist() == ["b", "c"]
    assert "certified" not in worst.to_frame()
    assert [c.label for c in classes if worst.style(c)] == ["b"]  # never predicted
    bound = groups(result.certificate, "c", "b", "a")
    frame = class_table(replace(result, certificate=bound)).to_frame()
    assert frame["certified"].tolist()[:3] == [0.1 * 3, 0.1 * 2, 0.1]
    assert math.isnan(frame["certified"][3])
    other = groups(result.certificate, "a", "b")
    assert "certified" not in class_table(replace(result, certificate=other)).to_frame()
    assert class_table(record()) is None


def test_differences_have_a_verdict_only_where_they_are_judged() -> None:
    found = [Difference("agreement", 0.2, 0.1, 0.3), Difference("accuracy", 0.0, -0.1, 0.1)]
    table = difference_table(found, 0.999)
    assert "99.9% intervals" in table.caption
    assert table.to_frame()["distilling"].tolist() == ["helped", "no evidence"]
    assert [table.strong(d) for d in found] == [True, False]
    short = difference_table(found, 0.95, judged=False)
    assert "distilling" not in short.to_frame()
    assert not any(short.strong(d) for d in found)
    assert difference_table([], 0.95) is None


def test_of_many_groups_the_largest_bounds_are_shown_and_rounded_up(record: Any) -> None:
    certificate = groups(record().certificate, "x", "y", "z")
    assert group_table(certificate, 2).to_frame()["group"].tolist() == ["z", "y"]
    assert group_table(certificate, 3).to_frame()["group"].tolist() == ["x", "y", "z"]
    assert "probability at least 97%" in group_table(certificate).caption
    tiny = replace(certificate, groups=(GroupBound("x", 0.12341, 1e-5, 9, 0.0),))
    assert "probability at least 99.999%" in group_table(tiny).caption
    assert "12.4%" in group_table(tiny).to_html()
    assert group_table(record().certificate) is None


def test_sizes_and_layers_are_those_of_the_search(record: Any) -> None:
    frontier = tuple({"size": s, "cost": math.nan, "agreement": 0.3 * s} for s in (1, 2, 3))
    table = size_table(record(frontier=frontier))
    assert table.to_frame()["size"].tolist() == [1, 2, 3]
    assert "cost" not in table.to_frame()
    assert [f["size"] for f in frontier if table.strong(f)] == [2]
    layer = {"layer": 3, "width": 8, "rank": 2, "answers_r2": 0.9, "clauses_r2": -0.1}
    (row,) = layer_table(record(trace={"layers": [layer]})).to_frame().to_dict("records")
    assert row == {**layer, "layer": "3"}
    assert size_table(record()) is None
    assert layer_table(record()) is None


def test_influences_have_intervals_only_where_they_were_measured(record: Any) -> None:
    found = {"a": {"influence": 0.4, "low": 0.3, "high": 0.5}, "b": {"influence": 0.01}}
    rest = {"influence": 0.02, "low": 0.0, "high": 0.04}
    trace = {"influences": found, "kept": ["a"], "left_out": rest}
    table = influence_table(record(trace=trace))
    assert table.to_frame()["variable"].tolist() == ["a", "b", "all left out, together"]
    assert [table.columns[1].value(row) for row in table.rows] == [
        Measured(0.4, 0.3, 0.5), 0.01, Measured(0.02, 0.0, 0.04),
    ]  # fmt: skip
    assert table.to_frame()["kept"].tolist() == ["kept", "", ""]
    assert influence_table(record()) is None

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from limbeck.core.measured import Measured
from limbeck.evaluation.inherited import InheritedMistakes
from limbeck.methods.text_tournament import TextCandidate
from limbeck.results.distillation_sections.texts import inherited_table, text_student_table

TAKEN = TextCandidate("ngrams", 0.91, 0.012, 2000, 0.05, 1.5, True)
LEFT_OUT = TextCandidate("encoder", why="needs the package tokenizers")
SHARE = Measured(0.4, 0.2, 0.6)
UNKNOWN = Measured(*[math.nan] * 3)


def test_a_kind_that_took_no_part_has_only_its_reason(record: Any) -> None:
    table = text_student_table(
        record(trace={"text_students": [vars(row) for row in (TAKEN, LEFT_OUT)]})
    )
    assert table is not None
    one, other = table.to_frame().to_dict("records")
    assert (one["kind"], one["agreement"], one["taken"]) == ("n-grams", "0.910 ± 0.012", "taken")
    assert (one["bytes"], one["milliseconds"], one["seconds"]) == (2000, 0.05, 1.5)
    assert (other["kind"], other["taken"]) == ("encoder (ONNX)", LEFT_OUT.why)
    assert all(
        other[n] is None or other[n] != other[n]
        for n in ("agreement", "bytes", "milliseconds", "seconds")
    )
    assert text_student_table(record()) is None


def test_the_column_says_whether_texts_were_chosen(record: Any) -> None:
    def head(**trace: int) -> str:
        table = text_student_table(record(trace={"text_students": [vars(TAKEN)], **trace}))
        assert table is not None
        return table.columns[1].title

    assert head() == "agreement on\ntexts left out"
    assert head(labels=9, labelled_at_random=9) == "agreement on\ntexts left out"
    assert head(labels=9, labelled_at_random=4) == "agreement on\nchosen texts"


def test_mistakes_of_the_teacher_are_told_for_all_labels_and_the_first(record: Any) -> None:
    def inherited(wrong: int) -> Any:
        rows = tuple(
            InheritedMistakes(label, 20, wrong, {"student": same}, {"student": SHARE})
            for label, same in (("all", SHARE), ("a", UNKNOWN), ("b", SHARE))
        )
        return record(comparison=replace(record().comparison, inherited=rows))

    table = inherited_table(inherited(3))
    assert table is not None
    assert [c.name for c in table.columns] == [
        "label", "rows", "teacher_wrong", "student_same", "own",
    ]  # fmt: skip
    assert [table.columns[3].value(row) for row in table.rows] == [SHARE, None, SHARE]
    short = inherited_table(inherited(3), most=1)
    assert short is not None
    assert [row.label for row in short.rows] == ["all", "a"]  # all rows, and one class
    assert inherited_table(inherited(0)) is None
    assert inherited_table(record()) is None

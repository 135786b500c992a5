from __future__ import annotations

from dataclasses import replace

import pytest

from limbeck.core.measured import Measured
from limbeck.results.tournament_record import StudentStatement, certified_bound


def test_the_recommended_student_is_taken_where_it_is_good_enough(tournaments):
    assert tournaments().sentence == (
        "Take the linear of 5 numbers (by way): with 95% confidence it differs from the teacher on"
        " at most 7.64% of inputs."
    )
    assert tournaments((0.05,), recommended=0).sentence.startswith("Take the tree of 3 numbers")


def test_a_larger_one_is_taken_where_the_recommended_is_not(tournaments):
    found = tournaments((0.2, 0.09, 0.04))
    assert found.sentence == (
        "Take the tree of 9 numbers (by way), which is certified to differ on at most 4% of"
        " inputs; smaller ones are not certified for 8%."
    )
    none = tournaments((0.2, 0.12, 0.09001))
    assert none.sentence == (
        "No readable student within 9 numbers reaches 8%; the best reaches 9.01% (certified)."
        " Nearest for its size is the linear of 5 numbers (by way)."
    )


def test_of_values_the_certificate_speaks(tournaments):
    found = tournaments()
    own = [replace(f, certificate=replace(f.certificate, tolerance=0.5)) for f in found.finalists]
    assert replace(found, finalists=tuple(own)).sentence == (
        "Take the linear of 5 numbers (by way). Within 0.0764."
    )
    assert [certified_bound(one.certificate) for one in (found.finalists[1], own[1])] == [
        0.0764, 0.5,
    ]  # fmt: skip


def test_columns_that_every_fit_uses_are_told_from_others(tournaments):
    found = tournaments()
    assert found.steadiness == ("Fitted 6 times, it used age each time; in fewer fits: height (2).")

    def with_columns(columns):
        own = [replace(c, columns=columns) for c in found.candidates]
        return replace(found, candidates=tuple(own)).steadiness

    assert with_columns({"age": 6}) == "Fitted 6 times, it used age each time, and no other."
    assert with_columns({"age": 5}).startswith("Fitted 6 times, it used no column each time; in")
    assert with_columns({}).endswith("uses no column: it answers every row alike.")
    many = with_columns({f"c{i}": 6 for i in range(14)})
    assert "c11 and 2 more each time" in many
    assert "c12" not in many


def test_statements_are_sorted_by_how_often_they_return(tournaments):
    def statement(text, share, near):
        return StudentStatement(text, Measured(share, 0.86, 1.0), near)

    found = tournaments(
        statements=(statement("A", 1, 3), statement("B", 1, 2), statement("C", 0.5, 3),
                    statement("D", 0.45, 3)), refits=20, near=3,
    )  # fmt: skip
    assert found.steadiness == (
        "Fitted again 20 times on bags of the rows, and beside 3 students that agree as well within"
        " the margin. All of them say: A. All refits, but not all of those students, say: B. (With"
        " 95% confidence such a statement returns in 86% or more.) In half of the refits or more:"
        " C (10). Not to be relied on, in fewer: D (9)."
    )
    many = tuple(statement(f"S{i}", 1, 3) for i in range(10))
    told = replace(found, statements=many).steadiness
    assert "; S7; and 2 more. (With" in told


@pytest.mark.parametrize(("queries", "told"), [(0, ""), (40, " and queries made from them")])
def test_what_students_were_chosen_by(tournaments, queries, told):
    found = tournaments()
    found = replace(found, settings={**found.settings, "judged_queries": queries})
    assert found.judged_on == f"rows left out{told}"

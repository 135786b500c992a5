from __future__ import annotations

from dataclasses import replace

from limbeck.results.conversion_sections import (
    model_table,
    preference_table,
    recall_table,
    sentences,
    tables,
)


def test_tables_without_rows_are_left_out(conversions):
    every = ["models", "differences", "recall", "preferences", "history"]
    assert list(tables(conversions())) == every
    bare = conversions(recalled={}, preferred={}, history=())
    assert list(tables(bare)) == ["models", "differences"]


def test_a_row_per_model_with_what_it_keeps_of_a_text(conversions):
    sheet = model_table(conversions())
    frame = sheet.to_frame()
    assert list(frame["role"]) == ["teacher", "student", "start"]
    assert list(frame["overlap"].isna()) == [True, False, False]  # the teacher is itself
    assert list(frame["divergence"]) == [0.0, 0.1, 0.2]
    assert list(frame["state"]) == [64.0, 32.0, 16.0]  # kB
    column = next(c for c in sheet.columns if c.name == "state_long")
    assert [column.texts(row)[0] for row in sheet.rows] == ["999", "1,999", "3,998"]
    assert sheet.caption == (
        "On 40 texts that no training saw, 5,120 tokens; 95% intervals by text."
    )


def test_a_model_without_facts_has_dashes(conversions):
    found = conversions()
    frame = model_table(replace(found, facts={"teacher": found.facts["teacher"]})).to_frame()
    assert list(frame["divergence"].isna()) == [False, True, True]


def test_intervals_of_several_seeds_are_said_to_cover_them(conversions):
    found = conversions()
    several = replace(
        found, settings={**found.settings, "seeds": [0, 1]},
        comparison=replace(found.comparison, level=0.999),
    )  # fmt: skip
    assert model_table(several).caption.endswith(
        "; 99.9% intervals by text; means and intervals cover other seeds, too."
    )


def test_recall_by_distance_with_a_column_for_each_model(conversions):
    frame = recall_table(conversions()).to_frame()
    assert list(frame["task"]) == ["copying", "copying"]
    assert list(frame["distance"]) == [8, 64]
    got = [list(frame[role]) for role in ("teacher", "student", "start")]
    assert got == [[0.75, 0.0], [0.75, 0.25], [0.75, 0.5]]
    assert "control" not in frame


def test_preferences_are_counted(conversions):
    sheet = preference_table(conversions())
    assert sheet.caption.startswith("Share of 30 pairs set aside")
    assert sheet.to_frame().iloc[0].to_dict() == {
        "model": "teacher", "chosen": 0.8, "chosen_low": 0.6, "chosen_high": 0.9,
    }  # fmt: skip


def test_sentences_have_names(conversions):
    found = conversions()
    assert list(sentences(found)) == [
        ("training", "All stages ran to their end."), ("verdict", found.comparison.sentence),
        ("note", "A note."),
    ]  # fmt: skip

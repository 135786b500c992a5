from __future__ import annotations

from dataclasses import replace

import pytest

from limbeck.certificates.texts import CHUNK_LOSS
from limbeck.core.measured import Measured
from limbeck.reports.printed import plain_text
from limbeck.results.language_sections.tables import (
    bill_table,
    certificate_table,
    crossed,
    generation_table,
    history_table,
    language_table,
    overlap_table,
    tables,
    text_table,
)


def test_tables_without_rows_are_left_out(languages):
    assert list(tables(languages())) == [
        "models", "texts", "differences", "second differences", "certificate", "bill",
        "generations", "preflight", "history",
    ]  # fmt: skip
    bare = languages(certificate=None, second=(), generations=(), preflight=(), history=())
    assert list(tables(bare)) == ["models", "texts", "differences", "bill"]


def test_a_model_is_compared_with_its_teacher_and_the_teacher_with_none(languages):
    sheet = overlap_table(languages())
    frame = sheet.to_frame()
    assert list(frame["role"]) == ["teacher", "student", "control"]
    assert list(frame["parameters"]) == [3_000_000, 1_500_000, 1_000_000]
    assert list(frame["own_overlap"].isna()) == [True, False, False]
    assert list(frame["own_overlap_low"][1:]) == [0.781, 0.781]
    assert "real_overlap" not in frame  # nobody measured it
    lines = plain_text(sheet.to_rich()).splitlines()
    assert [line.split() for line in lines if "0.812" in line or "itself" in line] == [
        ["teacher", "3.0", "M", "itself"], ["student", "1.5", "M", "0.812"],
        ["control", "1.0", "M", "0.812"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "told"),
    [(999_949, "999.9 k"), (999_950, "1.0 M"), (1_550_000, "1.6 M"), (500, "0.5 k")],
)
def test_sizes_are_written_in_the_unit_that_fits(languages, count, told):
    found = languages()
    facts = {"student": replace(found.facts["student"], parameters=count)}
    column = overlap_table(replace(found, facts=facts)).columns[1]
    assert column.texts(("student", facts["student"])) == (told, "")


def test_metrics_of_the_user_come_last(languages):
    found = languages()
    own = {**found.facts["student"].measured, "exact_match": Measured(0.5, 0.4, 0.6)}
    facts = {**found.facts, "student": replace(found.facts["student"], measured=own)}
    sheet = text_table(replace(found, facts=facts))
    assert sheet.shown[-1].title == "exact\nmatch"
    assert [c.name for c in sheet.shown] == ["role", "log_p", "distinct", "exact_match"]


def test_other_tokenizers_are_compared_by_chunks(languages):
    found = languages()
    other = replace(found, certificate=replace(found.certificate, loss=CHUNK_LOSS))
    assert [crossed(found), crossed(other), crossed(languages(certificate=None))] == [
        False, True, False,
    ]  # fmt: skip
    assert overlap_table(found).caption.startswith("Overlap of next-token distributions")
    assert overlap_table(other).caption.startswith("Ratio of chunk likelihoods")
    assert "nats a token of the student." in text_table(other).caption
    assert "one less the ratio of chunk likelihoods" in certificate_table(other).caption


def test_bounds_and_bill(languages):
    sheet = certificate_table(languages())
    assert sheet.caption.endswith("hold at once with probability 0.98.")
    assert sheet.to_frame().to_dict("list") == {
        "texts": ["own texts", "real texts"], "mean": [0.2, 0.2], "bound": [0.25, 0.26],
        "prompts": [60, 60],
    }  # fmt: skip
    assert bill_table(languages()).to_frame().iloc[0].to_dict() == {
        "role": "student", "updates": 40, "tokens": 1_200, "written": 300, "training": 1.5,
        "teacher": 2.0, "sampling": 0.5, "total": 4.0,
    }  # fmt: skip


def test_texts_are_cut_in_a_terminal_alone(languages):
    few, every = (generation_table(languages(), most).to_frame() for most in (4, None))
    assert (len(few), len(every)) == (4, 6)
    assert few["prompt"][0] == "p" * 100  # its end is what is gone on with
    assert every["prompt"][0] == "0 " + "p" * 150
    assert few["teacher"][0] == "t" * 100 + "..."
    assert few["student"][0] == "s" * 100
    assert every["teacher"][0] == "t" * 101
    assert "after 4 of 6 test prompts" in generation_table(languages(), 4).caption


def test_history_has_every_name_that_any_epoch_has(languages):
    frame = history_table(languages()).to_frame()
    assert list(frame.columns) == ["seed", "role", "loss", "score"]
    assert list(frame["score"].isna()) == [True, False]


def test_a_terminal_ends_with_the_sentences(languages):
    found = languages()
    told = " ".join(plain_text(language_table(found)).split())
    assert told.index("It is near.") < told.index(found.comparison.sentence[:30])
    assert told.endswith("note <u>Tokens</u> differ.")

from __future__ import annotations

import pytest

from limbeck.evaluation.comparison import Comparison, Difference
from limbeck.language.generated.tasks import DroppedText, GeneratedRow
from limbeck.language.generated.writing_log import WritingLog, WritingRequest
from limbeck.results.generated_record import RealControl, funnel_of


def log(*finishes, dropped=(), instructions=0):
    made = WritingLog(None)
    for number, finish in enumerate(finishes):
        made.requests.append(WritingRequest(number, "writing", "p", "a", finish))
    made.dropped += [DroppedText("t", why, 0, level) for level, why in dropped]
    made.kept_instructions = instructions
    return made


def rows(n, label=None):
    return [GeneratedRow(f"r{i}", "do", "text", "out", label=label) for i in range(n)]


def told(lines):
    return [(line.unit, line.what, line.count, line.of) for line in lines]


def test_tasks_are_counted_from_prompts_to_rows():
    asked = log(
        "stop", "none", "stop", instructions=3,
        dropped=[("answer", "cut"), ("instruction", "long"), ("instance", "empty"),
                 ("instance", "empty"), ("instance", "copy"), ("row", "near")],
    )  # fmt: skip
    written = rows(4)
    assert told(funnel_of(asked, written, written[:3])) == [
        ("prompts", "writing", 3, 3), ("prompts", "writing: no answer", 1, 3),
        ("answers", "dropped: cut", 1, 3),
        ("instructions", "written", 4, 4), ("instructions", "dropped: long", 1, 4),
        ("instructions", "kept", 3, 4),
        ("instances", "written", 7, 7), ("instances", "dropped: empty", 2, 7),
        ("instances", "dropped: copy", 1, 7), ("instances", "kept", 4, 7),
        ("rows", "dropped: near", 1, 4), ("rows", "kept", 3, 4),
    ]  # fmt: skip


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_texts_of_classes_are_texts_however_many_are_kept(kept):
    near = [("row", "near")] * (2 - kept)
    written = rows(2, "yes")
    lines = told(
        funnel_of(log("stop", dropped=[("text", "short"), *near]), written, written[:kept])
    )
    assert lines[1:4] == [
        ("texts", "written", 3, 3), ("texts", "dropped: short", 1, 3), ("texts", "kept", 2, 3),
    ]  # fmt: skip
    assert lines[-1] == ("rows", "kept", kept, 2)
    assert {unit for unit, *_ in lines} == {"prompts", "texts", "rows"}


def test_nothing_written_is_no_line():
    assert funnel_of(log(), [], []) == ()
    assert told(funnel_of(log("none"), [], [])) == [
        ("prompts", "writing", 1, 1), ("prompts", "writing: no answer", 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "start", "verdict"),
    [((0.05, 0.15), "Generating helped", "helped"), ((-0.3, -0.1), "Generating hurt", "hurt"),
     ((-0.1, 0.1), "No evidence that generating helped", "no evidence")],
)  # fmt: skip
def test_the_control_gives_its_numbers(ends, start, verdict):
    gain = Difference("accuracy", sum(ends) / 2, *ends)
    found = RealControl(1_000, 50, 0.5, Comparison((), (gain,), 0.999))
    assert found.verdict == verdict
    assert found.sentence == (
        f"{start} accuracy: {sum(ends) / 2:+.3f} (99.9% interval {ends[0]:+.3f} to {ends[1]:+.3f})"
        " against the same student on 1,000 random real rows with the teacher's labels."
    )


def test_texts_and_labels_are_those_of_the_rows(generated_sets):
    own = (GeneratedRow("a", "Do.", "", "x"), GeneratedRow("b", "Do.", "it", "x"),
           GeneratedRow("c", "Do.", "it", "x", label=1))  # fmt: skip
    found = generated_sets(rows=own)
    assert (found.texts, found.labels) == (["Do.", "Do.\n\nit", "it"], [None, None, 1])
    assert len(found) == 3

from __future__ import annotations

from limbeck.language.generated.answered_tasks import answered_rows
from limbeck.language.generated.instruction_filters import InstructionFilters
from limbeck.language.generated.pool import InstructionPool
from limbeck.teachers.completions import Completion

TASKS = {
    "Explain how bread is baked.": " With heat. ",
    "Name three rivers of Asia.": "I am SORRY, I cannot.",
    "Translate a word into Latin.": "...",
    "Count from one to nine.": Completion("one two", "length"),
    "Write some lines about rain.": Completion("", "none", "refused"),
    "Tell a joke about doctors.": "sorry " + "word " * 80,
}


def test_answers_that_say_nothing_are_dropped_and_rows_are_traced(scripted):
    log = scripted(lambda prompt, n: TASKS[prompt])
    pool = InstructionPool([], InstructionFilters(), log)
    assert all(pool.offer(text, ("s",), i) for i, text in enumerate(TASKS))
    rows = answered_rows(log, pool, "evolve", 32)
    assert [(r.instruction, r.output, r.id) for r in rows] == [
        ("Explain how bread is baked.", "With heat.", "row_0.0"),
        ("Tell a joke about doctors.", TASKS["Tell a joke about doctors."].strip(), "row_5.0"),
    ]
    assert (rows[1].requests, rows[1].method, rows[1].model) == ((5, 5), "evolve", "w")
    assert [d.filter for d in log.dropped] == [
        "an answer that says sorry", "an answer without letters", "cut at the length limit",
    ]  # fmt: skip


def test_rows_that_were_answered_stay_where_no_request_is_left(scripted):
    log = scripted(lambda prompt, n: "fine", max_requests=64)
    pool = InstructionPool([], InstructionFilters(similarity=1.0), log)
    for i in range(65):
        assert pool.offer(f"Explain to me number {i} please.", (), 0)
    assert len(answered_rows(log, pool, "evolve", 32)) == 64
    assert log.stopped == "max_requests=64 was reached"

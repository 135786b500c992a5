from __future__ import annotations

from limbeck.language.generated.cleaning import cleaned
from limbeck.language.generated.tasks import GeneratedRow

WORDS = [f"word{i}" for i in range(60)]
LONG = " ".join(WORDS[:30])
ROWS = [
    GeneratedRow("a", "Say.", "", LONG, requests=(0, 3)),
    GeneratedRow("b", "Say.", "", LONG + " more", requests=(1, 4)),
    GeneratedRow("c", "Say.", "", "quite another text of few words", requests=(2, 5)),
]


def test_copies_of_the_test_set_and_of_earlier_rows_are_taken_out(scripted):
    log = scripted(lambda prompt, n: "")
    test = ["other", " ".join(["x", *WORDS[10:14], "y"])]
    assert cleaned(ROWS, log, test=test, overlap=13) == [ROWS[0], ROWS[2]]
    (found,) = log.dropped
    assert (found.filter, found.beside, found.request) == ("near-duplicate (MinHash)", "a", 4)
    assert cleaned(ROWS, log, test=test, overlap=4, near=None) == [ROWS[2]]
    assert [(d.filter, d.beside) for d in log.dropped[1:]] == [
        ("shares 4 words with a test row", "test row 1")
    ] * 2
    assert cleaned(ROWS, log, near=None) == ROWS
    test = ["quite another text of few words"]
    assert cleaned(ROWS[::-1], log, test=test, overlap=4) == [ROWS[1]]
    assert [d.beside for d in log.dropped[3:]] == ["test row 0", "b"]


def test_the_question_of_a_class_is_no_part_of_its_texts(scripted):
    question = " ".join(WORDS)
    rows = [GeneratedRow(str(i), question, text, "no", label="no", requests=(i,))
            for i, text in enumerate(["a dull film", "a bad play"])]  # fmt: skip
    assert cleaned(rows, scripted(lambda prompt, n: ""), test=[question], overlap=13) == rows

from __future__ import annotations

import math

import pytest

from limbeck.teachers.endpoints.probe import log_probabilities_fault, probe_of

GOOD = {"text": "A", "top": [["A", math.log(0.7)], ["B", math.log(0.2)]]}


@pytest.mark.parametrize(
    ("replies", "fault"),
    [
        ([GOOD, GOOD], ""),
        ([], "no log-probabilities"),
        ([GOOD, {"text": "A"}], "no log-probabilities"),
        ([GOOD, {"top": [["A", -0.1]]}], "of one token only"),
        ([{"top": [["A", -1.0], ["B", -1.0]]}], "the same log-probability for all"),
        ([{"top": [["A", 0.2], ["B", -1.0]]}], "above 0"),
    ],
)
def test_what_is_wrong_with_log_probabilities(replies, fault):
    found = log_probabilities_fault(replies)
    assert fault in found
    assert bool(fault) == bool(found)


def test_a_probe_says_what_repeats_what_leaks_and_what_is_added():
    steady = probe_of("logprobs", "", [[GOOD, GOOD]], (40, 55), 7)
    assert steady.repeats
    assert steady.tokens_added == 25  # both hold the template once, and the text once or twice
    assert str(steady) == (
        "Classes are read from log-probabilities of one token. Template and options are 25 tokens"
        " of each question."
    )
    other = {"text": "<|im_end|> B"}
    odd = probe_of("text", "the server is slow", [[GOOD, GOOD], [GOOD, other]], None, 7)
    assert not odd.repeats
    assert odd.template == "<|im_end|>"
    for words in ("text of answers, since the server is slow.", "not a function", "'<|im_end|>'"):
        assert words in str(odd)
    assert probe_of("text", "", [], (10, 30), 1).tokens_added == 0

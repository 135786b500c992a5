from __future__ import annotations

import pytest

from limbeck.teachers.endpoints.chat_replies import (
    class_in_json,
    class_in_text,
    reply_parts,
    usage_of,
)
from limbeck.teachers.endpoints.client import UnusableReply

TOP = [{"token": "A", "logprob": -0.5}, {"token": " A", "logprob": -2}]


def reply(message, logprobs=None, **more):
    return {"choices": [{"message": message, "logprobs": logprobs}], **more}


def test_text_first_tokens_and_model_are_kept():
    found = reply_parts(reply({"content": "A"}, {"content": [{"top_logprobs": TOP}]}, model="m"))
    assert found == {"text": "A", "top": [["A", -0.5], [" A", -2.0]], "model": "m"}
    assert reply_parts(reply({"content": None, "refusal": "No."})) == {"text": "No."}
    assert reply_parts(reply({"content": None})) == {"text": ""}
    broken = {"content": [{"top_logprobs": [{"token": "A", "logprob": "low"}]}]}
    assert "top" not in reply_parts(reply({"content": "A"}, broken))


@pytest.mark.parametrize("odd", [None, [], {"choices": []}, {"choices": [{"message": "A"}]}])
def test_a_reply_without_a_message_is_unusable(odd):
    with pytest.raises(UnusableReply, match=r"no choices\[0\]\.message"):
        reply_parts(odd)


def test_tokens_are_counted_where_they_can_be():
    used = usage_of({"usage": {"prompt_tokens": 7, "completion_tokens": -1}})
    assert (used.input_tokens, used.output_tokens) == (7, 0)
    for odd in ({}, None, {"usage": 3}, {"usage": {"prompt_tokens": "7"}}):
        assert usage_of(odd).input_tokens == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [("no", 0), ("*YES*", 1), ('"Yes."', 1), ("<think>no</think>\nyes", 1), ("yes or no", -1),
     ("", -1), ("not yes", -1)],
)  # fmt: skip
def test_a_class_is_read_where_the_text_is_nothing_else(text, place):
    assert class_in_text(text, ["no", "yes"]) == place


def test_a_text_that_may_be_two_classes_is_none():
    assert class_in_text("us", ["US", "us"]) == -1


@pytest.mark.parametrize(
    ("text", "place"),
    [('{"answer": "yes"}', 1), ('<think>{</think> {"answer": "7"}', 2), ('{"answer": "Yes"}', -1),
     ('{"answer": 7}', -1), ('{"answer": ["yes"]}', -1), ('["yes"]', -1), ("yes", -1),
     ("[" * 100_000, -1)],
)  # fmt: skip
def test_structured_answers_are_taken_as_they_are_written(text, place):
    assert class_in_json(text, ["no", "yes", 7]) == place

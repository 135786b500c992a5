from __future__ import annotations

import math

import pytest

from limbeck.teachers.endpoints.chat_modes import parameters_of, question_of, scored_by
from limbeck.teachers.endpoints.paid_teacher import OutsideAnswer

CLASSES = ["no", "yes"]


def test_each_mode_asks_in_its_own_way():
    assert question_of("logprobs", "Q?", CLASSES).endswith("Answer with A or B only.")
    assert question_of("text", "Q?", CLASSES) == question_of("structured", "Q?", CLASSES)
    assert parameters_of("logprobs", CLASSES, 5) == {
        "max_tokens": 1, "logprobs": True, "top_logprobs": 5,
    }  # fmt: skip
    assert parameters_of("text", CLASSES, 5) == {"max_tokens": 64}
    schema = parameters_of("structured", [0, 1], 5)["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["answer"]["enum"] == ["0", "1"]
    assert schema["additionalProperties"] is False


def test_words_are_one_class_and_log_probabilities_a_share_of_each():
    assert scored_by("text", {"text": "Yes."}, CLASSES).scores == [0.0, 1.0]
    assert scored_by("structured", {"text": '{"answer": "no"}'}, CLASSES).high == [1.0, 0.0]
    top = [["B", math.log(0.6)], ["A", math.log(0.2)], ["a", math.log(0.2)]]
    found = scored_by("logprobs", {"top": top}, CLASSES)
    assert found.scores == pytest.approx([0.4, 0.6])
    assert found.low == pytest.approx(found.high)  # nothing is left for other tokens


@pytest.mark.parametrize(
    ("mode", "stored", "message"),
    [
        ("text", {"text": "maybe"}, "'maybe' is none of the classes"),
        ("structured", {"text": "yes"}, "'yes' is none of the classes"),
        ("logprobs", {"text": "B"}, "no log-probabilities came"),
        ("logprobs", {"top": [["The", -0.1], ["A", -3.0]]}, "'The', which is no option"),
        ("logprobs", {"top": [["C", -0.1], ["A", -3.0]]}, "'C', which is no option"),
        ("logprobs", {"top": [["A", 0.7]]}, "log-probability is 0.7"),
    ],
)
def test_answers_that_are_no_class_are_outside(mode, stored, message):
    with pytest.raises(OutsideAnswer, match=message):
        scored_by(mode, stored, CLASSES)

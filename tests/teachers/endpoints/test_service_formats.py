from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.endpoints.client import UnusableReply
from limbeck.teachers.endpoints.service_formats import answers_at, format_named


def test_answers_are_found_at_their_field():
    reply = {"outputs": [{"data": [1, 2, 3, 4]}], "rows": [[1], [2]]}
    assert answers_at(reply, "outputs.0.data", 4) == [1, 2, 3, 4]
    assert answers_at(reply, "outputs.0.data", 2) == [[1, 2], [3, 4]]  # a row after the other
    assert answers_at(reply, "outputs.0.data", 1) == [[1, 2, 3, 4]]
    assert answers_at(reply, "rows", 2) == [[1], [2]]
    assert answers_at(["a", "b"], "", 2) == ["a", "b"]


@pytest.mark.parametrize(
    ("reply", "field", "message"),
    [
        ({"p": [1]}, "q", "no field 'q'"),
        ({"p": [1]}, "p.1", "no field 'p.1'"),
        ({"p": {"0": 1}}, "p", "is no list"),
        ({"p": [1, 2, 3]}, "p", "holds 3 answers to 2 rows"),
        ({"p": [[1], [2], [3], [4]]}, "p", "holds 4 answers to 2 rows"),
        ({"p": []}, "p", "holds 0 answers to 2 rows"),
    ],
)
def test_replies_without_an_answer_to_each_row_are_unusable(reply, field, message):
    with pytest.raises(UnusableReply, match=message):
        answers_at(reply, field, 2)


def test_tensors_hold_numbers_row_after_row():
    request = format_named("kserve_v2").request
    made = request(["a", "b"], [[1, 2.5], [3, 4]])["inputs"][0]
    assert (made["shape"], made["data"]) == ([2, 2], [1, 2.5, 3, 4])
    for value in ("a", True, None):
        with pytest.raises(InvalidInput, match="takes numbers, and the rows hold others"):
            request(["a"], [[value]])
    with pytest.raises(InvalidInput, match=r"no format 'instance'\. .*'instances'"):
        format_named("instance")

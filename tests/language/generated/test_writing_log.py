from __future__ import annotations

import pytest

from limbeck import LimbeckError
from limbeck.language.generated.writing_log import FailedRequests, OutOfRequests, WritingLog
from limbeck.teachers.completions import Completion, Sampling, WritingBill


class Writer:
    """Answers with the number of the draw; has no answer to prompts that begin with "no"."""

    name, continues = "w", True

    def __init__(self):
        self.asked = []

    def complete(self, prompts, sampling, draws, tell):
        self.asked += zip(prompts, draws, strict=True)
        return [Completion("", "none", "refused") if p.startswith("no") else Completion(f"{p}{d}")
                for p, d in zip(prompts, draws, strict=True)]  # fmt: skip

    def bill(self):
        return WritingBill()

    def spent(self):
        return False


def test_each_request_is_a_draw_of_its_own_unless_it_is_greedy():
    log = WritingLog(Writer())
    drawn = log.ask("a", ["x", "x"], Sampling(5, temperature=1.0), 0, 2)
    greedy = log.ask("b", ["x", "x"], Sampling(5), 0, 2)
    assert [r.answer for r in (*drawn, *greedy)] == ["x0", "x1", "x0", "x0"]
    assert [r.number for r in log.requests] == [0, 1, 2, 3]


def test_a_request_that_failed_is_not_sent_again(tmp_path):
    path = tmp_path / "failed.jsonl"
    first = WritingLog(Writer(), FailedRequests(path))
    found = first.ask("a", ["x", "no", "y"], Sampling(5), 0, 3)
    assert [r.finish for r in found] == ["stop", "none", "stop"]
    path.write_bytes(path.read_bytes() + b'{"question": "ab", "rea')  # cut by a kill
    again = WritingLog(Writer(), FailedRequests(path))
    assert again.ask("a", ["x", "no", "y"], Sampling(5), 0, 3) == found
    assert [prompt for prompt, _ in again.writer.asked] == ["x", "y"]
    later = WritingLog(Writer(), FailedRequests(path))  # a larger run numbers it otherwise
    assert [r.finish for r in later.ask("a", ["x", "y", "z", "no"], Sampling(5), 0, 4)][3] == "none"
    assert [prompt for prompt, _ in later.writer.asked] == ["x", "y", "z"]
    path.write_bytes(b"{\n" + path.read_bytes())
    with pytest.raises(LimbeckError, match="Line 1"):
        FailedRequests(path)


def test_no_more_than_the_most_requests():
    log = WritingLog(Writer(), max_requests=3)
    log.ask("a", ["x", "y"], Sampling(5), 0, 2)
    with pytest.raises(OutOfRequests):
        log.ask("a", ["x", "y"], Sampling(5), 0, 2)
    assert log.stopped == "max_requests=3 was reached"
    assert len(log.requests) == 2

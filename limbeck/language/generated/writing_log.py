"""Every request of a run with its answer, and every text that was dropped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limbeck.core.errors import FileRefused, plural
from limbeck.core.progress import Progress, quiet
from limbeck.core.strict_json import parse_json
from limbeck.language.generated.tasks import DroppedText
from limbeck.teachers.completions import Completion, Sampling, TextWriter

__all__ = ["FailedRequests", "OutOfRequests", "WritingLog", "WritingRequest", "question_hash"]


def question_hash(prompt: str, sampling: Sampling, draw: int) -> str:
    """By what a request is known in every run of a folder.

    Parameters
    ----------
    prompt : str
        The prompt.
    sampling : Sampling
        How its answer is drawn.
    draw : int
        The number of the draw.
    """
    whole = json.dumps([prompt, vars(sampling), draw], allow_nan=False)
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


class OutOfRequests(Exception):
    """No further request may be sent; limbeck's own signal, never shown to users."""


@dataclass(frozen=True)
class WritingRequest:
    """One prompt and its answer.

    Parameters
    ----------
    number : int
        By which rows name it.
    stage : str
        What it was for.
    prompt, answer : str
        The texts.
    finish : str
        Why the answer ended; see `Completion`.
    """

    number: int
    stage: str
    prompt: str
    answer: str
    finish: str


class FailedRequests:
    """The requests of a run that got no answer, in a file that grows line by line.

    What the model is asked next depends on what it answered before. So a request that failed must
    fail again when a run that was cut off is repeated from the stored answers; else its prompts
    would be other ones, and be paid for again.

    Parameters
    ----------
    path : Path or None
        The file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.reasons: dict[str, str] = {}
        if path is None or not path.is_file():
            return
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                if line.strip():
                    found = parse_json(line)
                    self.reasons[str(found["question"])] = str(found["reason"])
            except (ValueError, KeyError, TypeError):
                if number == len(lines):
                    break  # a kill may cut the last line
                raise FileRefused(
                    f"Line {number} of {str(path)!r} cannot be read.", "Give another folder."
                ) from None

    def add(self, question: str, number: int, reason: str) -> None:
        """Note a request that failed.

        Parameters
        ----------
        question : str
            The hash of what was asked; see `question_hash`.
        number : int
            The number of the request in this run; a larger run may number it otherwise.
        reason : str
            Why.
        """
        self.reasons[question] = reason
        if self.path is None:
            return
        noted = {"question": question, "request": number, "reason": reason}
        line = json.dumps(noted, allow_nan=False) + "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


@dataclass
class WritingLog:
    """Who writes, what was asked, and what was dropped.

    Parameters
    ----------
    writer : TextWriter
        The model.
    failed : FailedRequests
        Where a run that is repeated may not ask again.
    tell : Progress
        Is told how far the work is.
    max_requests : int or None
        The most prompts of the run, those answered from the store included.
    """

    writer: TextWriter
    failed: FailedRequests = field(default_factory=lambda: FailedRequests(None))
    tell: Progress = quiet
    max_requests: int | None = None
    requests: list[WritingRequest] = field(default_factory=list)
    dropped: list[DroppedText] = field(default_factory=list)
    stopped: str = ""
    """Why no further request was sent; empty where nothing stopped the run."""
    kept_instructions: int = 0
    """Instructions that passed their filters."""

    def ask(
        self, stage: str, prompts: Sequence[str], sampling: Sampling, done: int, total: int
    ) -> list[WritingRequest]:
        """The answers to some prompts; those without one are counted, and have ``finish="none"``.

        Parameters
        ----------
        stage : str
            What they are for.
        prompts : sequence of str
            The prompts.
        sampling : Sampling
            How answers are drawn.
        done, total : int
            How far the stage is, for the progress bar.

        Raises
        ------
        OutOfRequests
            If the budget or ``max_requests`` allows no more; the answers that came are stored.
        """
        first = len(self.requests)
        if self.max_requests is not None and first + len(prompts) > self.max_requests:
            self.stopped = f"max_requests={self.max_requests:,} was reached"
            raise OutOfRequests
        numbers = range(first, first + len(prompts))
        # A greedy answer is the same each time; others are new draws, by the request's number.
        draws = [0 if sampling.temperature == 0 else number for number in numbers]
        asked = [question_hash(p, sampling, d) for p, d in zip(prompts, draws, strict=True)]
        open_ = [i for i, question in enumerate(asked) if question not in self.failed.reasons]
        found = self.writer.complete(
            [prompts[i] for i in open_], sampling, [draws[i] for i in open_],
            lambda n: self.tell(self._stage(stage), done + n * (total - done > 0), max(total, 1)),
        )  # fmt: skip
        answers = dict(zip(open_, found, strict=True))
        if any(one.failed for one in found) and self.writer.spent():
            self.stopped = "the budget is spent"
            raise OutOfRequests
        for i, number in enumerate(numbers):
            one = answers.get(i) or Completion("", "none", self.failed.reasons[asked[i]])
            if one.failed and asked[i] not in self.failed.reasons:
                self.failed.add(asked[i], number, one.failed)
            self.requests.append(WritingRequest(number, stage, prompts[i], one.text, one.finish))
        return self.requests[first:]

    def drop(self, text: str, why: str, request: int, level: str, beside: str = "") -> None:
        """Note a text that a filter takes out.

        Parameters
        ----------
        text : str
            The text.
        why : str
            The filter.
        request : int
            Where it comes from.
        level : str
            What the text is; see `DroppedText`.
        beside : str
            What it is too near to.
        """
        self.dropped.append(DroppedText(text, why, request, level, beside))

    def _stage(self, stage: str) -> str:
        bill = self.writer.bill()
        money = f", {bill.cost:.4g} {bill.currency}" if bill.cost else ""
        return f"{stage} ({plural(bill.requests, 'request')} sent{money})"

"""A JSON prediction service as a teacher."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Label, Task
from limbeck.data.labels import as_classes
from limbeck.teachers.answer_store import AnswerStore
from limbeck.teachers.endpoints.client import Client, UnusableReply
from limbeck.teachers.endpoints.json_rows import column_names, rows_as_lists
from limbeck.teachers.endpoints.paid_teacher import (
    Asked,
    OutsideAnswer,
    PaidTeacher,
    ScoredAnswer,
    no_queries,
)
from limbeck.teachers.endpoints.retries import Retries
from limbeck.teachers.endpoints.service_formats import answers_at, format_named
from limbeck.teachers.endpoints.spending import Price, Spending, Usage
from limbeck.teachers.endpoints.teacher_file import mapping_of, settings_of
from limbeck.teachers.entry import TeacherEntry

__all__ = ["Endpoint"]


@TEACHERS.register("endpoint")
class Endpoint(PaidTeacher):
    """A service that answers rows by JSON over HTTP; every answer is stored, and asked for once.

    Parameters
    ----------
    url : str
        Where rows are posted.
    classes : sequence of labels, optional
        The classes in the order of the columns of an answer, or as answers name them; without
        them the answers are numbers.
    score_kind : {"probability", "logit", "label"}, optional
        What the answers are, where there are classes: by default ``probability``.
    format : str
        ``instances``, ``instances_named``, ``dataframe_split``, ``inputs`` or ``kserve_v2``; see
        `limbeck.teachers.endpoints.service_formats.FORMATS`.
    field : str, optional
        Where a reply holds the list of answers, with dots between levels: ``result.scores``. By
        default what the format says.
    answer_field : str, optional
        Where each answer is a mapping: the field that counts, such as ``probabilities``.
    model, revision : str
        What answers; a part of the key of each answer, so that a new revision is asked anew.
    batch : int
        Rows in one request.
    budget : int, optional
        The most requests, failed ones included; refused before the first call where it cannot do.
    price : Price, optional
        What a request costs.
    budget_cost : float, optional
        The most money.
    api_key_env : str, optional
        The environment variable with the key; the key itself is kept nowhere.
    key_header : str
        The header for it.
    headers : mapping, optional
        Further headers, without secrets.
    timeout : float
        Seconds for a request in all.
    retries : int or Retries
        How often a request that failed is sent again.
    concurrency : int
        Requests under way at once.
    requests_per_second : float, optional
        The most.
    store : path, optional
        The file for answers; see `limbeck.teachers.answer_store.default_store`.
    allow_queries : bool
        Whether methods may ask about rows that they make up; each costs.
    force : bool
        Ask on where the answers to labelled rows are no better than chance.
    unit : str
        The unit of numbers.
    name : str, optional
        For reports; by default the host.
    progress : bool, optional
        A bar with the cost so far; by default on a terminal only.

    Raises
    ------
    InvalidInput
        If a setting is out of range, or a key is given instead of the name of its variable.

    Examples
    --------
    >>> from limbeck.teachers import Endpoint
    >>> teacher = Endpoint("http://127.0.0.1:9/predict", classes=["no", "yes"], budget=2_000)
    >>> teacher.name, str(teacher.access)
    ('127.0.0.1', 'scores')
    """

    entry = TeacherEntry(
        "a JSON prediction service; each answer is paid for once",
        'limbeck.distill(limbeck.teachers.Endpoint("http://127.0.0.1:8080/predict", budget=99), X)',
        extra="endpoints",
        files=(".yaml", ".yml"),
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is a YAML file that names a ``url``."""
        found = mapping_of(model)
        return found is not None and "url" in found

    @classmethod
    def from_object(cls, path: str | Path) -> Self:
        """The service that a YAML file describes.

        Parameters
        ----------
        path : path
            The file.
        """
        return cls(**settings_of(path, cls))

    def __init__(
        self,
        url: str,
        *,
        classes: Sequence[Label] | None = None,
        score_kind: ScoreKind | str | None = None,
        format: str = "instances",  # noqa: A002  (what the field calls it)
        field: str | None = None,
        answer_field: str | None = None,
        model: str = "",
        revision: str = "",
        batch: int = 64,
        budget: int | None = None,
        price: Price | None = None,
        budget_cost: float | None = None,
        api_key_env: str | None = None,
        key_header: str = "Authorization",
        headers: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        retries: int | Retries = 6,
        concurrency: int = 8,
        requests_per_second: float | None = None,
        store: AnswerStore | str | os.PathLike[str] | None = None,
        allow_queries: bool = False,
        force: bool = False,
        unit: str = "",
        name: str | None = None,
        progress: bool | None = None,
    ) -> None:
        again = retries if isinstance(retries, Retries) else Retries(retries)
        client = Client(
            url, api_key_env, dict(headers or {}), key_header, timeout, again, concurrency,
            requests_per_second,
        )  # fmt: skip
        labels = () if classes is None else as_classes(classes)
        kinds = ("probability", "logit", "label") if labels else ("value",)
        kind = score_kind or kinds[0]
        if kind not in kinds:
            raise InvalidInput(
                f"score_kind is {str(kind)!r}.",
                f"Give {', '.join(kinds)}" + ("." if labels else ", or classes=[...]."),
            )
        self.score_kind = ScoreKind(kind)
        self.format = format
        self.field = format_named(format).field if field is None else field
        self.answer_field = answer_field
        self.model, self.revision, self.force = model, revision, force
        super().__init__(
            client, Task(labels, unit=unit), name or client.url.split("/")[2].split(":")[0],
            batch=whole_number("batch", batch, 1),
            spending=Spending(price or Price(), budget, budget_cost),
            store=store, allow_queries=allow_queries, progress=progress,
        )  # fmt: skip
        if not allow_queries:
            self.note = no_queries(self.name)

    def identity(self) -> dict[str, Any]:
        """Address, model, revision, and how requests and replies are formed."""
        return {
            "kind": "endpoint",
            "url": self.client.url,
            "model": self.model,
            "revision": self.revision,
            "format": self.format,
            "field": self.field,
        }

    def _contents(self, X: Any) -> list[Any]:
        names = column_names(X)
        return [[names, row] for row in rows_as_lists(X)]

    def _body(self, questions: Sequence[Asked]) -> Any:
        names = questions[0].content[0]
        return format_named(self.format).request(names, [q.content[1] for q in questions])

    def _usage(self, contents: Sequence[Any]) -> Usage:
        return Usage()

    def _replies(self, reply: Any, n: int, probing: bool = False) -> tuple[list[Any], Usage]:
        found = answers_at(reply, self.field, n)
        for answer in found:
            self._numbers(answer)  # what cannot be read is not stored, and asked again
        return found, Usage()

    def _scored(self, stored: Any) -> ScoredAnswer:
        found = self._numbers(stored)
        if isinstance(found, str):
            raise OutsideAnswer(found)
        return ScoredAnswer.exactly(found)

    def _numbers(self, answer: Any) -> list[float] | str:
        """Scores of one answer; a sentence where it is none of the classes."""
        if self.answer_field is not None:
            if not isinstance(answer, dict) or self.answer_field not in answer:
                raise UnusableReply(f"an answer has no field {self.answer_field!r}")
            answer = answer[self.answer_field]
        classes, k = self.task.classes, self.task.outputs
        if self.score_kind is ScoreKind.LABEL:
            one = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
            if isinstance(one, list | dict) or one is None:
                raise UnusableReply(f"an answer is a {type(one).__name__} and no label")
            if one not in classes:
                return f"{str(one)[:80]!r} is none of the classes"
            return [float(i == classes.index(one)) for i in range(k)]
        if isinstance(answer, dict):
            lacking = [c for c in classes if str(c) not in answer]
            if lacking or not classes:
                raise UnusableReply(f"an answer names no score of {lacking[:3]}")
            answer = [answer[str(c)] for c in classes]
        values = answer if isinstance(answer, list) else [answer]
        if not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
            raise UnusableReply("an answer holds what is no finite number")
        numbers = [float(v) for v in values]
        if len(numbers) == 1 and k == 2:  # of the second class
            other = 1 - numbers[0] if self.score_kind is ScoreKind.PROBABILITY else 0.0
            numbers = [other, numbers[0]]
        if len(numbers) != k:
            raise UnusableReply(f"an answer has {len(numbers)} numbers for {k} outputs")
        if self.score_kind is ScoreKind.PROBABILITY and not _is_distribution(numbers):
            raise UnusableReply(
                "an answer is no probability distribution (set score_kind='logit' if it is logits)"
            )
        return numbers


def _is_distribution(numbers: Sequence[float]) -> bool:
    return min(numbers) >= -1e-6 and abs(sum(numbers) - 1) < 1e-3

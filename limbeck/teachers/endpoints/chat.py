"""A chat model behind an OpenAI-compatible server as a teacher of classes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput, TeacherFailed, whole_number
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Label, Task
from limbeck.data.labels import as_classes
from limbeck.teachers.answer_store import AnswerStore
from limbeck.teachers.endpoints.chat_modes import MODES, parameters_of, question_of, scored_by
from limbeck.teachers.endpoints.chat_prompt import OPTIONS, check_prompt, filled
from limbeck.teachers.endpoints.chat_replies import reply_parts, usage_of
from limbeck.teachers.endpoints.client import Client, UnusableReply
from limbeck.teachers.endpoints.json_rows import rows_as_mappings
from limbeck.teachers.endpoints.paid_teacher import Asked, PaidTeacher, ScoredAnswer, no_queries
from limbeck.teachers.endpoints.probe import ChatProbe, log_probabilities_fault, probe_of
from limbeck.teachers.endpoints.retries import Retries
from limbeck.teachers.endpoints.spending import Price, Spending, Usage
from limbeck.teachers.endpoints.teacher_file import mapping_of, settings_of
from limbeck.teachers.entry import TeacherEntry

__all__ = ["Chat"]

_TIMES = 3  # how often each question of the probe is asked
_PROBE_ROWS = 2
_FIXED = ("model", "messages", "logprobs", "top_logprobs", "response_format", "stream", "n")


@TEACHERS.register("chat")
class Chat(PaidTeacher):
    """A chat model asked for a class; every answer is stored, and asked for once.

    Each class gets a letter, and the probabilities of the letters as the first token are the
    scores. A few questions find out whether the server returns them at all; where not, classes
    are read from structured output or from the text. An answer that is none of the classes is no
    answer: it is counted and listed, and never taken for one.

    Parameters
    ----------
    model : str
        The name by which the server knows it.
    base_url : str
        The address up to ``/v1``; requests go to ``/chat/completions`` below it.
    prompt : str
        The question, with ``{column}`` where the value of a column stands, ``{text}`` for rows
        that are texts.
    classes : sequence of labels
        The classes, at most 26.
    system : str
        A message before the question.
    mode : {"auto", "logprobs", "structured", "text"}
        How classes are read; found out by `probe` by default.
    revision : str
        Of the model; a part of the key of each answer.
    temperature : float
        By which the server draws its answers.
    top_logprobs : int
        Tokens whose log-probabilities are asked for; most servers return 20 at most.
    extra : mapping, optional
        Further parameters of requests; None takes one out, as in ``{"max_tokens": None,
        "max_completion_tokens": 1}``.
    force : bool
        Ask on where the answers to labelled rows are no better than chance.
    budget, budget_cost, price, api_key_env, key_header, headers, timeout, retries, concurrency
        As for `limbeck.teachers.Endpoint`.
    requests_per_second, store, allow_queries, name, progress
        As for `limbeck.teachers.Endpoint`.

    Raises
    ------
    InvalidInput
        If a setting is out of range, a key is given instead of the name of its variable, or the
        prompt names no column or holds the marks of a chat template.

    Examples
    --------
    >>> from limbeck.teachers import Chat
    >>> teacher = Chat(
    ...     model="small",
    ...     base_url="http://127.0.0.1:9/v1",
    ...     prompt="Is this review positive? {text}",
    ...     classes=["no", "yes"],
    ... )
    >>> teacher.task.classes
    ('no', 'yes')
    """

    entry = TeacherEntry(
        "a chat model behind an OpenAI-compatible server; each answer is paid for once",
        'limbeck.distill("chat.yaml", X)',
        extra="endpoints",
        files=(".yaml", ".yml"),
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is a YAML file that names a ``prompt``."""
        found = mapping_of(model)
        return found is not None and "prompt" in found

    @classmethod
    def from_object(cls, path: str | Path) -> Self:
        """The chat model that a YAML file describes.

        Parameters
        ----------
        path : path
            The file.
        """
        return cls(**settings_of(path, cls))

    def __init__(
        self,
        *,
        model: str,
        base_url: str,
        prompt: str,
        classes: Sequence[Label],
        system: str = "",
        mode: str = "auto",
        revision: str = "",
        temperature: float = 0.0,
        top_logprobs: int = 20,
        extra: Mapping[str, Any] | None = None,
        force: bool = False,
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
        name: str | None = None,
        progress: bool | None = None,
    ) -> None:
        check_prompt(prompt)
        labels = as_classes(classes)
        if len(labels) > len(OPTIONS) or len({str(c) for c in labels}) < len(labels):
            raise InvalidInput(
                f"There are {len(labels)} classes, or two with the same name.",
                f"Give at most {len(OPTIONS)} classes with different names.",
            )
        if mode not in ("auto", *MODES):
            raise InvalidInput(f"mode is {mode!r}.", f"Give auto, {', '.join(MODES)}.")
        if not 0 <= temperature < float("inf"):
            raise InvalidInput(f"temperature is {temperature}.", "Give 0 or more.")
        for fixed in _FIXED:
            if fixed in (extra or {}):
                raise InvalidInput(f"extra holds {fixed!r}, which limbeck sets.", "Leave it out.")
        again = retries if isinstance(retries, Retries) else Retries(retries)
        client = Client(
            f"{base_url.rstrip('/')}/chat/completions", api_key_env, dict(headers or {}),
            key_header, timeout, again, concurrency, requests_per_second,
        )  # fmt: skip
        self.model, self.prompt, self.system, self.revision = model, prompt, system, revision
        self.temperature, self.extra = float(temperature), dict(extra or {})
        self.top_logprobs = whole_number("top_logprobs", top_logprobs, 2)
        self.mode, self.force, self.probed = mode, force, None
        super().__init__(
            client, Task(labels), name or model, batch=1,
            spending=Spending(price or Price(), budget, budget_cost),
            store=store, allow_queries=allow_queries, progress=progress,
        )  # fmt: skip
        if not allow_queries:
            self.note = no_queries(self.name)

    probed: ChatProbe | None
    """What `probe` found; None before it."""

    @property
    def score_kind(self) -> ScoreKind:  # type: ignore[override]  # known once the server was probed
        """Probabilities where log-probabilities are read, else labels."""
        return ScoreKind.PROBABILITY if self._mode == "logprobs" else ScoreKind.LABEL

    @property
    def _mode(self) -> str:
        return "logprobs" if self.mode == "auto" else self.mode

    def identity(self) -> dict[str, Any]:
        """Address, model, revision, the options that the question names, and parameters."""
        return {
            "kind": "chat",
            "options": [str(label) for label in self.task.classes],
            "url": self.client.url,
            "model": self.model,
            "revision": self.revision,
            "system": self.system,
            "mode": self._mode,
            "parameters": self._parameters(),
        }

    def probe(self, X: Any) -> ChatProbe:
        """Find out what the server does, by at most 13 questions; their answers are stored.

        Do log-probabilities really come; does the same question get the same answer again; how
        much does the server add to a question, and do answers hold marks of a chat template?

        Parameters
        ----------
        X : table of n rows
            Rows to ask about; the first two are taken.

        Raises
        ------
        TeacherFailed
            If the server answers none of them.
        """
        contents = self._contents(X)
        some = list(dict.fromkeys(contents))[:_PROBE_ROWS]
        fault, asked = "", self.spending.requests
        wanted = MODES if self.mode == "auto" else (self.mode,)
        for mode in wanted:
            self.mode = mode
            replies = [self._raw(content) for content in some]
            fault = fault or (log_probabilities_fault(_all(replies)) if mode == "logprobs" else "")
            if self._reads(replies) or mode == wanted[-1]:
                break
        if not _all(replies):
            raise TeacherFailed(
                f"{self.name} answered none of the first questions.",
                "Check the url, the model and the server's log.",
            )
        if fault and self.mode == "logprobs":
            raise TeacherFailed(f"mode is 'logprobs', and {fault}.", "Give mode='auto'.")
        twice = self._raw(f"{some[0]}\n{some[0]}", times=1)
        tokens = [int(r[0].get("tokens", 0)) for r in (replies[0], twice) if r]
        doubled = (tokens[0], tokens[1]) if len(tokens) == 2 and all(tokens) else None
        self.probed = probe_of(
            self.mode, fault, [r for r in replies if r], doubled, self.spending.requests - asked
        )
        self.note = " ".join(part for part in (self.note, str(self.probed)) if part)
        return self.probed

    def _ready(self, X: Any) -> None:
        if self.probed is None and len(X):
            self.spending.check(self.estimate(X))
            self.probe(X)

    def _raw(self, content: str, times: int = _TIMES) -> list[dict[str, Any]]:
        """Stored replies to one question that is asked several times; none where it is refused."""
        questions = [self._question(self.identity(), content, i) for i in range(times)]
        known = self.store.get([q.key for q in questions])
        self._ask([q for q in questions if q.key not in known], probing=True)
        known = self.store.get([q.key for q in questions])
        return [known[q.key] for q in questions if q.key in known]

    def _reads(self, replies: Sequence[Sequence[dict[str, Any]]]) -> bool:
        """Whether a mode can be used, by the replies to the first questions."""
        found = _all(replies)
        if self.mode == "logprobs":
            return not log_probabilities_fault(found)
        return bool(found) and all(self._is_class(reply) for reply in found)

    def _parameters(self) -> dict[str, Any]:
        own = parameters_of(self._mode, self.task.classes, self.top_logprobs)
        whole = {"temperature": self.temperature, **own, **self.extra}
        return {name: value for name, value in whole.items() if value is not None}

    def _contents(self, X: Any) -> list[str]:
        return [filled(self.prompt, row) for row in rows_as_mappings(X)]

    def _body(self, questions: Sequence[Asked]) -> Any:
        text = question_of(self._mode, questions[0].content, self.task.classes)
        messages = [{"role": "system", "content": self.system}] if self.system else []
        messages.append({"role": "user", "content": text})
        return {"model": self.model, "messages": messages, **self._parameters()}

    def _usage(self, contents: Sequence[Any]) -> Usage:
        texts = [question_of(self._mode, c, self.task.classes) for c in contents]
        read = sum(len((self.system + text).encode()) for text in texts)
        written = self._parameters().get("max_tokens", 64)
        return Usage(-(-read // 4) + 8, int(written) * len(texts))

    def _replies(self, reply: Any, n: int, probing: bool = False) -> tuple[list[Any], Usage]:
        parts, usage = reply_parts(reply), usage_of(reply)
        if self._mode == "logprobs" and "top" not in parts and not probing:
            raise UnusableReply("no log-probabilities came with the answer")
        return [{**parts, "tokens": usage.input_tokens}], usage

    def _scored(self, stored: Any) -> ScoredAnswer:
        return scored_by(self._mode, stored, self.task.classes)

    def _is_class(self, stored: Any) -> bool:
        from limbeck.teachers.endpoints.paid_teacher import OutsideAnswer

        try:
            self._scored(stored)
        except OutsideAnswer:
            return False
        return True


def _all(replies: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [reply for several in replies for reply in several]

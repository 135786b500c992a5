"""Many JSON requests at once: time-outs, retries, limits, a budget; no failure harms others."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from limbeck.core.errors import InvalidInput, MissingExtra, TeacherFailed, whole_number
from limbeck.teachers.endpoints.api_key import check_url, check_variable, read_key, redacted
from limbeck.teachers.endpoints.event_loop import run_coroutine
from limbeck.teachers.endpoints.retries import RETRIED, Retries, retry_after
from limbeck.teachers.endpoints.spending import OutOfBudget, Spending

__all__ = ["Client", "Job", "UnusableReply", "import_httpx"]

_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

_LARGEST = 64 * 2**20  # bytes of a response
_ROW_AT_FAULT = frozenset({400, 413, 414, 422})  # the request, not the service or the key

T = TypeVar("T")


class UnusableReply(Exception):
    """A reply that cannot be read; limbeck's own signal, never shown to users."""


@dataclass
class Job(Generic[T]):
    """Questions that are asked in one request.

    Parameters
    ----------
    questions : sequence
        What is asked.
    reserve : float
        What the request may cost.
    """

    questions: Sequence[T]
    reserve: float = 0.0


@dataclass(frozen=True)
class Client:
    """How a service is called.

    Parameters
    ----------
    url : str
        Where requests are posted.
    api_key_env : str, optional
        The environment variable that holds the key, which is sent as ``key_header``.
    headers : mapping, optional
        Further headers, without secrets.
    key_header : str
        ``Authorization``, which gets ``Bearer KEY``; any other header gets the key alone.
    timeout : float
        Seconds for one request in all, also where the service sends a little now and then.
    retries : Retries
        How often a request is sent again, and when.
    concurrency : int
        Requests under way at once.
    requests_per_second : float, optional
        The most requests a second.

    Raises
    ------
    InvalidInput
        If a setting is out of range, or holds a key.
    """

    url: str
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key_header: str = "Authorization"
    timeout: float = 60.0
    retries: Retries = field(default_factory=Retries)
    concurrency: int = 8
    requests_per_second: float | None = None

    def __post_init__(self) -> None:
        check_url(self.url)
        check_variable(self.api_key_env)
        whole_number("concurrency", self.concurrency, 1)
        for name in ("timeout", "requests_per_second"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise InvalidInput(f"{name} is {value!r}.", "Give a positive number.")
        for name in self.headers:
            if name.lower() in ("authorization", "api-key", "x-api-key", "cookie"):
                raise InvalidInput(
                    f"The header {name} holds a secret.",
                    f"Name an environment variable: api_key_env=..., key_header={name!r}.",
                )

    def ask(
        self,
        jobs: Sequence[Job[T]],
        body: Callable[[Sequence[T]], Any],
        keep: Callable[[Job[T], Any], float],
        spending: Spending,
        skip: Callable[[Job[T]], Job[T] | None] = lambda job: job,
    ) -> list[tuple[T, str]]:
        """Ask all questions; those that got no answer, each with the reason.

        Parameters
        ----------
        jobs : sequence of Job
            What is asked, a request each.
        body : callable
            From questions to the JSON of a request.
        keep : callable
            Takes a job and the JSON of its response, stores the answers, and returns the cost;
            raises `UnusableReply` where it cannot be read.
        spending : Spending
            The budget.
        skip : callable
            What is left to ask of a job just before it is sent; None for nothing.

        Raises
        ------
        TeacherFailed
            If the service refuses all questions alike: the key, the address, or every one of
            many in a row.
        """
        run = _Run(self, deque(jobs), body, keep, spending, skip, read_key(self.api_key_env))
        run_coroutine(run.all())
        if run.stopped is not None:
            raise run.stopped
        return run.failed


@dataclass
class _Run(Generic[T]):
    """One call of `Client.ask`."""

    client: Client
    waiting: deque[Job[T]]
    body: Callable[[Sequence[T]], Any]
    keep: Callable[[Job[T], Any], float]
    spending: Spending
    skip: Callable[[Job[T]], Job[T] | None]
    key: str | None
    failed: list[tuple[T, str]] = field(default_factory=list)
    stopped: TeacherFailed | None = None
    in_a_row: int = 0
    not_before: float = 0.0  # on the monotonic clock
    next_slot: float = 0.0

    async def all(self) -> None:
        """Ask until nothing is left, or all questions are refused alike."""
        httpx = import_httpx()
        limits = httpx.Limits(
            max_connections=self.client.concurrency,
            max_keepalive_connections=self.client.concurrency,
        )
        local = httpx.URL(self.client.url).host in ("127.0.0.1", "localhost", "::1")
        headers = {"content-type": "application/json", **self.client.headers}
        if self.key is not None:
            bearer = self.client.key_header.lower() == "authorization"
            headers[self.client.key_header] = f"Bearer {self.key}" if bearer else self.key
        async with httpx.AsyncClient(
            headers=headers, limits=limits, timeout=self.client.timeout, trust_env=not local,
            verify=_authorities(not local, *map(os.environ.get, _FILES)),
        ) as session:  # fmt: skip
            workers = min(self.client.concurrency, len(self.waiting))
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(session, httpx))

    async def _work(self, session: Any, httpx: Any) -> None:
        while self.waiting and self.stopped is None:
            job = self.skip(self.waiting.popleft())
            if job is not None:
                await self._one(session, httpx, job)

    async def _one(self, session: Any, httpx: Any, job: Job[T]) -> None:
        """Send one request until it is answered, refused or given up."""
        content = json.dumps(self.body(job.questions), allow_nan=False).encode()
        reason = ""
        for attempt in range(self.client.retries.times + 1):
            await self._turn()
            if self.stopped is not None:
                self._give_up(job, str(self.stopped.problem))
                return
            try:
                self.spending.reserve(job.reserve)
            except OutOfBudget:
                self._give_up(job, "the budget is spent", counts=False)
                return
            cost = 0.0
            asked_to_wait: float | None = None
            try:
                async with asyncio.timeout(self.client.timeout):
                    status, text, asked_to_wait = await self._post(session, content)
                if status == 200:
                    cost = self.keep(job, _parsed(text))
                    self.in_a_row = 0
                    return
                reason = f"status {status}: {_start(text)}"
                if status in _ROW_AT_FAULT:
                    self._refused(job, reason)
                    return
                if status not in RETRIED:
                    self._stop(status, text)
                    continue
            except TimeoutError:
                reason = f"no answer within {self.client.timeout:g} seconds"
            except UnusableReply as error:
                reason = str(error)
            except httpx.HTTPError as error:  # its request holds the key: only the kind is kept
                reason = f"{type(error).__name__} while talking to the service"
            finally:
                self.spending.settle(job.reserve, cost)
            if asked_to_wait is not None and asked_to_wait > self.client.retries.patience:
                self._give_up(job, f"{reason} (asked to wait {asked_to_wait:.0f} seconds)")
                return
            if attempt < self.client.retries.times:
                await self._pause(attempt, asked_to_wait)
        self._give_up(job, reason)

    async def _post(self, session: Any, content: bytes) -> tuple[int, bytes, float | None]:
        async with session.stream("POST", self.client.url, content=content) as response:
            parts, size = [], 0
            async for part in response.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > _LARGEST:
                    raise UnusableReply(f"the response exceeds {_LARGEST // 2**20} MiB")
            wait = retry_after(response.headers.get("retry-after"))
            return int(response.status_code), redacted(b"".join(parts), self.key), wait

    async def _turn(self) -> None:
        """Wait until a request may be sent."""
        while True:
            now = time.monotonic()
            wait = self.not_before - now
            if wait <= 0:
                break
            await asyncio.sleep(wait)
        if self.client.requests_per_second is not None:
            slot = max(self.next_slot, time.monotonic())
            self.next_slot = slot + 1.0 / self.client.requests_per_second
            await asyncio.sleep(max(0.0, slot - time.monotonic()))

    async def _pause(self, attempt: int, asked: float | None) -> None:
        """Wait by back-off; what a service asks for holds for every request."""
        wait = self.client.retries.wait(attempt)
        if asked is not None:
            self.not_before = max(self.not_before, time.monotonic() + asked)
            wait = asked + random.uniform(0.0, self.client.retries.base)  # noqa: S311
        await asyncio.sleep(wait)

    def _refused(self, job: Job[T], reason: str) -> None:
        """Ask the halves of a request that was refused, so that one row spoils no other."""
        n = len(job.questions)
        if n == 1:
            self._give_up(job, reason)
            return
        for half in (job.questions[: n // 2], job.questions[n // 2 :]):
            self.waiting.append(Job(half, job.reserve * len(half) / n))

    def _give_up(self, job: Job[T], reason: str, counts: bool = True) -> None:
        self.failed += [(question, reason) for question in job.questions]
        self.in_a_row += counts
        if self.in_a_row >= max(20, 2 * self.client.concurrency) and self.stopped is None:
            self.stopped = TeacherFailed(
                f"{self.in_a_row} requests in a row got no answer; the last one: {reason}.",
                "What was answered before is stored. Check the service, and ask again.",
            )

    def _stop(self, status: int, text: bytes) -> None:
        remedy = {
            401: "Check the key in the environment variable that api_key_env names.",
            402: "Check the account of the key.",
            403: "Check the rights of the key in the environment variable.",
            404: "Check the url and the model.",
        }.get(status, "Check the url; redirects are not followed.")
        self.stopped = TeacherFailed(
            f"The service refuses every question: status {status}: {_start(text)}.", remedy
        )


def import_httpx() -> Any:
    """The HTTP client.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        import httpx2
    except ImportError:
        raise MissingExtra(
            "Services as teachers need httpx2.", "pip install 'limbeck[endpoints]'."
        ) from None
    return httpx2


@functools.cache
def _authorities(trust_env: bool, file: str | None, folder: str | None) -> Any:
    """Who is trusted: reading the files takes longer than a question to this machine.

    The client reads the variables itself: they are arguments so that a change is noticed.
    """
    return import_httpx().create_ssl_context(trust_env=trust_env)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UnusableReply(f"the response is no JSON: {_start(text)}") from None


def _start(text: bytes) -> str:
    shown = text[:200].decode("utf-8", "replace").strip()
    return repr(shown) if shown else "an empty response"

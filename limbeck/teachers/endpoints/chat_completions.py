"""A chat model that writes text: with the store, the budget and the retries of its teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.teachers.answer_store import question_key
from limbeck.teachers.completions import Completion, Sampling, WritingBill, WritingCount
from limbeck.teachers.endpoints.chat import Chat
from limbeck.teachers.endpoints.chat_replies import reply_parts, usage_of
from limbeck.teachers.endpoints.client import Job
from limbeck.teachers.endpoints.spending import Usage

__all__ = ["ChatWriter"]

_LENGTHS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True)
class _Prompt:
    """A prompt that is asked: its key in the store."""

    key: bytes
    text: str


class ChatWriter:
    """A chat teacher asked for text instead of classes.

    Every answer is stored under model, revision, prompt, sampling and number of the draw, as it
    comes: what was answered once is not asked again, whatever ended the run.

    Parameters
    ----------
    teacher : Chat
        Whose address, model, store, budget and price are used.
    """

    continues = False

    def __init__(self, teacher: Chat) -> None:
        self.teacher, self.name = teacher, teacher.name
        self._count = WritingCount(WritingBill(currency=teacher.spending.price.currency))

    def bill(self) -> WritingBill:
        """What was asked so far."""
        return self._count.bill

    def asking(self, text: str) -> str:
        """The text itself: the server makes a message of it."""
        return text

    def opening(self) -> None:
        """None: a server closes the user's turn itself."""
        return

    def spent(self) -> bool:
        """Whether the budget of requests or of money is used up."""
        budget = self.teacher.spending
        requests = budget.budget is not None and budget.requests >= budget.budget
        money = budget.budget_cost is not None and budget.cost >= budget.budget_cost
        return requests or money

    def complete(
        self, prompts: Sequence[str], sampling: Sampling, draws: Sequence[int],
        tell: Callable[[float], None],
    ) -> list[Completion]:  # fmt: skip
        """Answers to prompts, in their order.

        Parameters
        ----------
        prompts : sequence of str
            The prompts, each a message of the user.
        sampling : Sampling
            How answers are drawn.
        draws : sequence of int
            A number for each prompt.
        tell : callable
            Is told how many of them are answered.

        Raises
        ------
        TeacherFailed
            If the service refuses all questions.
        """
        own = self._identity(sampling)
        asked = [
            _Prompt(question_key({**own, "content": text, "draw": draw}), text)
            for text, draw in zip(prompts, draws, strict=True)
        ]
        store = self.teacher.store
        known = store.get([a.key for a in asked])
        open_ = list({a.key: a for a in asked if a.key not in known}.values())
        self._count.add(stored=len(asked) - len(open_))
        failed = self._ask(open_, sampling, tell, len(asked) - len(open_)) if open_ else {}
        known |= store.get([a.key for a in open_])
        return [_read(known.get(a.key), failed.get(a.key, "it was not asked")) for a in asked]

    def _ask(
        self, open_: Sequence[_Prompt], sampling: Sampling, tell: Callable[[float], None], done: int
    ) -> dict[bytes, str]:
        """Ask, store what comes, and return why the rest has no answer."""
        spending, store = self.teacher.spending, self.teacher.store
        before = spending.requests

        def keep(job: Job[_Prompt], reply: Any) -> float:
            nonlocal done
            usage = usage_of(reply)
            cost = spending.price.of(usage)
            parts = reply_parts(reply)
            answer = {"text": parts["text"], "finish": _finish(reply)}
            store.add(self.name, [(job.questions[0].key, answer)], cost)
            self._count.add(
                input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, cost=cost
            )
            done += 1
            tell(done)
            return cost

        def still_open(job: Job[_Prompt]) -> Job[_Prompt] | None:
            return None if store.get([job.questions[0].key]) else job

        jobs = [Job([one], self._reserve(one.text, sampling)) for one in open_]
        failed = self.teacher.client.ask(
            jobs, lambda some: self._body(some[0].text, sampling), keep, spending, still_open
        )
        self._count.add(requests=spending.requests - before)
        return {one.key: reason for one, reason in failed}

    def _identity(self, sampling: Sampling) -> dict[str, Any]:
        teacher = self.teacher
        return {
            "kind": "chat text",
            "url": teacher.client.url,
            "model": teacher.model,
            "revision": teacher.revision,
            "system": teacher.system,
            "parameters": self._parameters(sampling),
        }

    def _parameters(self, sampling: Sampling) -> dict[str, Any]:
        """What a request holds beside its message; the teacher's own limits of length are not."""
        extra = {k: v for k, v in self.teacher.extra.items() if k not in _LENGTHS and v is not None}
        removed = [k for k, v in self.teacher.extra.items() if v is None]
        renamed = self.teacher.extra.get("max_completion_tokens") is not None
        whole = {
            _LENGTHS[renamed]: sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            **(
                {"presence_penalty": sampling.presence_penalty} if sampling.presence_penalty else {}
            ),
            **({"stop": list(sampling.stop)} if sampling.stop else {}),
            **extra,
        }
        return {k: v for k, v in whole.items() if k not in removed or k in _LENGTHS}

    def _body(self, text: str, sampling: Sampling) -> dict[str, Any]:
        system = self.teacher.system
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": text})
        return {"model": self.teacher.model, "messages": messages, **self._parameters(sampling)}

    def _reserve(self, text: str, sampling: Sampling) -> float:
        read = -(-len((self.teacher.system + text).encode()) // 4) + 8
        return self.teacher.spending.price.of(Usage(read, sampling.max_tokens))


def _finish(reply: Any) -> str:
    reason = reply["choices"][0].get("finish_reason")
    return reason if isinstance(reason, str) else "stop"


def _read(stored: Any, reason: str) -> Completion:
    if stored is None:
        return Completion("", "none", reason)
    return Completion(str(stored["text"]), str(stored["finish"]))

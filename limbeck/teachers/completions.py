"""Text that a model writes: how it is drawn, what comes back, and who writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

__all__ = ["Completion", "Sampling", "TextWriter", "WritingBill"]


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn.

    Parameters
    ----------
    max_tokens : int
        The most tokens of an answer.
    temperature : float
        Logits are divided by it; 0 takes the most probable token.
    top_p : float
        Only the fewest tokens are drawn from whose probabilities add up to it.
    presence_penalty : float
        Taken from the logit of each token that the answer holds already.
    stop : tuple of str
        Texts before which an answer ends.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completion:
    """What came back of one prompt.

    Parameters
    ----------
    text : str
        What was written; empty where there is no answer.
    finish : str
        Why it ended: ``"stop"``, ``"length"``, or ``"none"`` where there is no answer.
    failed : str
        Why there is none.
    """

    text: str
    finish: str = "stop"
    failed: str = ""


@dataclass(frozen=True)
class WritingBill:
    """What a writer was asked for, and what it cost.

    Parameters
    ----------
    requests : int
        Prompts that were sent in this run.
    stored : int
        Prompts whose answer was stored already.
    input_tokens, output_tokens : int
        Tokens that were read and written for them, as the model counts them; 0 where it does not.
    cost : float
        In the currency of the price.
    currency : str
        In what.
    """

    requests: int = 0
    stored: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    currency: str = "USD"

    def __str__(self) -> str:
        parts = [f"{self.requests:,} requests sent, {self.stored:,} answered from the store"]
        if self.output_tokens:
            parts.append(f"{self.input_tokens:,} tokens read and {self.output_tokens:,} written")
        if self.cost:
            parts.append(f"{self.cost:.4g} {self.currency}")
        return "; ".join(parts)


@dataclass
class WritingCount:
    """The bill while it grows.

    Parameters
    ----------
    bill : WritingBill
        So far.
    """

    bill: WritingBill = field(default_factory=WritingBill)

    def add(self, **more: Any) -> None:
        """Add to the bill.

        Parameters
        ----------
        **more
            Fields of `WritingBill`, with what they grow by.
        """
        grown = {name: getattr(self.bill, name) + value for name, value in more.items()}
        self.bill = WritingBill(**{**vars(self.bill), **grown})


@runtime_checkable
class TextWriter(Protocol):
    """A model that writes: each answer is stored, and is asked for once."""

    name: str
    """For tables and rows."""
    continues: bool
    """Whether it goes on with a prompt (a causal model), rather than answer it (a chat model)."""

    def complete(
        self, prompts: Sequence[str], sampling: Sampling, draws: Sequence[int],
        tell: Callable[[float], None],
    ) -> list[Completion]:  # fmt: skip
        """Answers to prompts, in their order.

        Parameters
        ----------
        prompts : sequence of str
            The prompts.
        sampling : Sampling
            How answers are drawn.
        draws : sequence of int
            A number for each prompt: the same prompt with another number is asked again.
        tell : callable
            Is told how many of them are answered.
        """
        ...

    def asking(self, text: str) -> str:
        """The prompt by which a text is answered, rather than gone on with.

        Parameters
        ----------
        text : str
            What is asked.

        Raises
        ------
        InvalidInput
            If the model has no chat template.
        """
        ...

    def opening(self) -> str | None:
        """A prompt after which the model writes what a user would; None where there is none."""
        ...

    def bill(self) -> WritingBill:
        """What was asked so far."""
        ...

    def spent(self) -> bool:
        """Whether its budget allows no further request."""
        ...

"""What questions cost: prices, an estimate before the first call, and a budget that holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from limbeck.core.errors import InvalidInput, plural, whole_number

__all__ = ["CostEstimate", "OutOfBudget", "Price", "Spending", "Usage"]


_PROBES = 10  # answers that looking at a service leaves in its store


@dataclass(frozen=True)
class Usage:
    """Tokens of one request.

    Parameters
    ----------
    input_tokens, output_tokens : int
        Tokens that were read and written; 0 where the service counts none.
    """

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class Price:
    """What a service charges.

    Parameters
    ----------
    per_request : float
        For each request that is answered.
    per_million_input_tokens, per_million_output_tokens : float
        For a million tokens read and written.
    currency : str
        In what.

    Examples
    --------
    >>> price = Price(per_million_input_tokens=0.15, per_million_output_tokens=0.6)
    >>> round(price.of(Usage(input_tokens=2_000, output_tokens=1_000)), 6)
    0.0009
    """

    per_request: float = 0.0
    per_million_input_tokens: float = 0.0
    per_million_output_tokens: float = 0.0
    currency: str = "USD"

    def __post_init__(self) -> None:
        for name in ("per_request", "per_million_input_tokens", "per_million_output_tokens"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise InvalidInput(f"{name} is {value!r}.", "Give a price of 0 or more.")

    def of(self, usage: Usage) -> float:
        """The cost of one request.

        Parameters
        ----------
        usage : Usage
            Its tokens.
        """
        tokens = (
            usage.input_tokens * self.per_million_input_tokens
            + usage.output_tokens * self.per_million_output_tokens
        )
        return self.per_request + tokens / 1e6

    @property
    def known(self) -> bool:
        """Whether anything has a price."""
        return self.of(Usage(1, 1)) > 0


@dataclass(frozen=True)
class CostEstimate:
    """What it will take to answer rows, before anything is asked.

    Parameters
    ----------
    rows : int
        Rows, n.
    stored : int
        Rows whose answer is in the store.
    questions : int
        Different questions to ask; equal rows are one.
    requests : int
        Requests at the least; one that fails is sent again.
    input_tokens, output_tokens : int
        Tokens, about: a token for four bytes of text is assumed; 0 where tokens have no price.
    cost : float
        What it costs, about.
    currency : str
        In what.
    store : str
        Where answers are kept.
    kept : int
        Answers that are there already, of whatever rows.
    """

    rows: int
    stored: int
    questions: int
    requests: int
    input_tokens: int
    output_tokens: int
    cost: float
    currency: str
    store: str
    kept: int = 0

    def __str__(self) -> str:
        money = f", about {self.cost:.4g} {self.currency}" if self.cost else ""
        return (
            f"{plural(self.rows, 'row')}: {self.stored:,} answered already,"
            f" {plural(self.questions, 'question')} in {plural(self.requests, 'request')}{money}."
            f" Answers are kept in {self.store}{self._others()}."
        )

    def _others(self) -> str:
        """That none of the answers there is for these rows, where it holds some."""
        if self.stored or self.kept < _PROBES:
            return ""
        return f"; none of its {self.kept:,} answers is of these rows with this prompt and model"


class OutOfBudget(Exception):
    """The next request would exceed the budget; limbeck's own signal, never shown to users."""


@dataclass
class Spending:
    """What was spent by one teacher, and what may be.

    Every request that is sent counts against ``requests``, also one that fails.

    Parameters
    ----------
    price : Price
        What the service charges.
    budget : int, optional
        The most requests.
    budget_cost : float, optional
        The most money, in the currency of the price.

    Raises
    ------
    InvalidInput
        If a budget is no number of 0 or more, or money is limited where nothing has a price.
    """

    price: Price = field(default_factory=Price)
    budget: int | None = None
    budget_cost: float | None = None
    requests: int = 0
    cost: float = 0.0
    pending: float = 0.0

    def __post_init__(self) -> None:
        if self.budget is not None:
            self.budget = whole_number("budget", self.budget)
        if self.budget_cost is not None:
            if not 0 <= self.budget_cost < math.inf:
                raise InvalidInput(f"budget_cost is {self.budget_cost}.", "Give 0 or more.")
            if not self.price.known:
                raise InvalidInput(
                    f"budget_cost is {self.budget_cost:g}, and nothing has a price.",
                    "Give price=Price(...), or a budget in requests.",
                )

    def check(self, estimate: CostEstimate) -> None:
        """Refuse what the budget does not cover, before any call.

        Parameters
        ----------
        estimate : CostEstimate
            What it will take.

        Raises
        ------
        InvalidInput
            With both numbers.
        """
        if self.budget is not None and self.requests + estimate.requests > self.budget:
            raise InvalidInput(
                f"{plural(estimate.requests, 'request')} are needed, and"
                f" {self.budget - self.requests:,} of the budget of {self.budget:,} are left.",
                "Raise budget, give fewer rows, or more rows to a request with batch.",
            )
        if self.budget_cost is not None and self.cost + estimate.cost > self.budget_cost:
            raise InvalidInput(
                f"About {estimate.cost:.4g} {estimate.currency} are needed, and"
                f" {self.budget_cost - self.cost:.4g} of the budget of {self.budget_cost:.4g} are"
                " left.",
                "Raise budget_cost, or give fewer rows.",
            )

    def reserve(self, cost: float) -> None:
        """Count a request before it is sent.

        Parameters
        ----------
        cost : float
            What it may cost.

        Raises
        ------
        OutOfBudget
            If it would exceed the budget.
        """
        if self.budget is not None and self.requests >= self.budget:
            raise OutOfBudget
        known = self.cost + self.pending + cost
        if self.budget_cost is not None and known > self.budget_cost * (1 + 1e-12):
            raise OutOfBudget
        self.requests += 1
        self.pending += cost

    def settle(self, reserved: float, cost: float) -> None:
        """Replace what was reserved for a request by what it cost.

        Parameters
        ----------
        reserved, cost : float
            As given to `reserve`, and the true cost; 0 where it failed.
        """
        self.pending -= reserved
        self.cost += cost

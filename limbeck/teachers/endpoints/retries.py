"""When a request that failed is sent again, and after how long."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from limbeck.core.errors import InvalidInput, whole_number

__all__ = ["RETRIED", "Retries", "retry_after"]

RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses of HTTP that may pass: too many requests, and faults of the server."""


@dataclass(frozen=True)
class Retries:
    """Exponential back-off with full jitter: the k-th wait is uniform on [0, min(most, base 2^k)].

    Brooker, "Exponential Backoff And Jitter", the blog of AWS on architecture. What the service
    asks for by ``Retry-After`` is waited for in full, and the jitter after it.

    Parameters
    ----------
    times : int
        How often a request is sent again.
    base : float
        Seconds by which waits grow.
    most : float
        The longest wait of one's own, in seconds.
    patience : float
        The longest ``Retry-After`` that is waited for, in seconds; a request that is asked to
        wait longer fails.

    Examples
    --------
    >>> 0 <= Retries(base=0.5).wait(3) <= 4
    True
    """

    times: int = 6
    base: float = 0.5
    most: float = 60.0
    patience: float = 600.0

    def __post_init__(self) -> None:
        whole_number("retries", self.times)
        if not (0 <= self.base < float("inf") and 0 <= self.most < float("inf")):
            raise InvalidInput(
                f"base is {self.base} and most is {self.most}.", "Give seconds of 0 or more."
            )

    def wait(self, attempt: int) -> float:
        """Seconds to wait after a failure.

        Parameters
        ----------
        attempt : int
            0 after the first failure.
        """
        return random.uniform(0.0, min(self.most, self.base * 2.0 ** min(attempt, 60)))  # noqa: S311


def retry_after(header: str | None, now: float | None = None) -> float | None:
    """Seconds that a service asks to wait for; None where it does not say.

    Parameters
    ----------
    header : str or None
        The value of ``Retry-After``: seconds, or a date (RFC 9110, section 10.2.3).
    now : float, optional
        The time in seconds since 1970; by default that of the clock.

    Examples
    --------
    >>> retry_after("120")
    120.0
    """
    if header is None:
        return None
    text = header.strip()
    try:
        seconds = float(text)
        return seconds if 0 <= seconds < float("inf") else None
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:  # a date of HTTP that names no zone is in UTC
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - (time.time() if now is None else now))

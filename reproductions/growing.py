"""The same run with larger and larger budgets, as long as the next one will end in time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence


def growing(
    budgets: Sequence[int], minutes: float | None, run: Callable[[int], object],
    began: float | None = None,
) -> None:  # fmt: skip
    """Run once for each budget; a run is expected to take as much longer as its budget is larger.

    Parameters
    ----------
    budgets : sequence of int
        Such as updates or epochs, in their order.
    minutes : float or None
        Limit of all together; None for none.
    run : callable
        Told the budget.
    began : float, optional
        When the minutes began, by ``time.monotonic()``; by default now.
    """
    began = time.monotonic() if began is None else began
    before = spent = 0.0
    for budget in budgets:
        now = time.monotonic()
        expected = spent * budget / before if before else 0.0
        if minutes is not None and now - began + expected > 60 * minutes:
            print(f"No time is left for {budget}: it would take {expected:.0f} s.", file=sys.stderr)
            return
        run(budget)
        before, spent = budget, time.monotonic() - now
        print(f"  {budget}: {spent:.0f} s", file=sys.stderr, flush=True)

"""A certificate in words: the statement as one sentence, and what must be true for it."""

from __future__ import annotations

import math
from importlib.metadata import PackageNotFoundError, version

from limbeck.certificates.binomial import rows_needed
from limbeck.certificates.losses import Loss

__all__ = ["against_asked", "assumptions", "statement", "surplus", "upward", "versions"]

CLOPPER_PEARSON = "exact binomial (Clopper and Pearson 1934)"
ORDER_STATISTIC = "order statistic (Wilks 1941)"
BETTING = "betting (Waudby-Smith and Ramdas 2023)"
BERNSTEIN = "empirical Bernstein (Maurer and Pontil 2009)"
ANYTIME = "anytime-valid betting (Waudby-Smith and Ramdas 2023)"


def upward(value: float, digits: int = 3) -> str:
    """A number rounded up to some digits, so that a bound is never understated."""
    if value == 0:
        return "0"
    scale = 10.0 ** (digits - 1 - math.floor(math.log10(abs(value))))
    # the slack keeps a number that is already round from being pushed up by its last bit
    return f"{math.ceil(value * scale - 1e-9) / scale:.12g}"


def statement(
    loss: Loss,
    *,
    epsilon: float,
    delta: float,
    n: int,
    mean: float,
    tolerance: float | None,
    anytime: bool,
    candidates: int,
) -> str:
    """The certificate as one sentence.

    Parameters
    ----------
    loss : Loss
        What was counted.
    epsilon, delta : float
        The certified bound and the probability that it is wrong.
    n : int
        Rows used.
    mean : float
        Mean loss on them.
    tolerance : float or None
        The error that is counted as an excess.
    anytime : bool
        Whether the number of rows was decided while they were drawn.
    candidates : int
        Students compared on the same rows.
    """
    share = f"{100 * (1 - delta):.6g}%"
    among = f", for all {candidates} candidates at once" if candidates > 1 else ""
    when = (
        f"after {n:,} teacher queries, wherever one stops" if anytime else f"over {n:,} fresh rows"
    )
    start = f"With probability at least {share} {when}{among}, "
    unit = f" {loss.unit}" if loss.unit else ""
    bad = round(mean * n)
    if loss.counts and loss.name == "disagreement":
        return (
            f"{start}the student differs from the teacher on at most {upward(100 * epsilon)}% of"
            f" inputs drawn like them ({bad:,} of {n:,} differed)."
        )
    if loss.counts and tolerance is not None:
        return (
            f"{start}the student is within {upward(tolerance, 6)}{unit} of the teacher on at"
            f" least {_percent_down(1 - epsilon)}% of inputs drawn like them ({bad:,} of {n:,}"
            f" were further off)."
        )
    return (
        f"{start}the mean loss ({loss.name}) of the student against the teacher is at most"
        f" {upward(epsilon)}{unit} on inputs drawn like them ({mean:.3g} on these)."
    )


def against_asked(loss: Loss, epsilon: float, asked: float, level: float, mean: float) -> str:
    """A sentence that compares the bound with the epsilon that was asked for, and the remedy."""
    if loss.finds_tolerance:
        return ""  # the share is given and the tolerance is the answer
    goal = f"{100 * asked:.6g}%" if loss.counts else f"{asked:.6g}"
    if epsilon <= asked:
        return f" At most {goal} was asked for."
    short = f" The {goal} that was asked for is not reached"
    if not loss.counts:
        return f"{short}."
    rows = rows_needed(mean, asked, level)
    if rows is None:
        return f"{short}, and more rows will not help: a closer student is needed."
    return f"{short}: at this rate of errors that takes about {rows:,} rows."


def surplus(n: int, drawn: int) -> str:
    """A sentence on what was drawn beyond the stopping row, empty where there is nothing."""
    return f" {drawn:,} were drawn to fill the last batch." if drawn > n else ""


def _percent_down(share: float) -> str:
    return f"{math.floor(1e5 * share + 1e-6) / 1e3:.6g}"


def assumptions(
    loss: Loss, *, freshness: str, anytime: bool, candidates: int, groups: int, order: bool
) -> tuple[str, ...]:
    """What must be true for the statement to hold, a sentence each.

    Parameters
    ----------
    loss : Loss
        What was counted.
    freshness : str
        What is known about rows that training saw.
    anytime : bool
        Whether the number of rows was decided while they were drawn.
    candidates, groups : int
        Students compared on the rows, and groups with a bound of their own.
    order : bool
        Whether the bound depends on the order of the rows.
    """
    out = [
        "The rows are independent draws from the inputs that the student will meet.",
        "The student was made and chosen without these rows; they are used this once.",
        freshness,
        "The answers are the teacher's own, on these very rows.",
    ]
    if not loss.counts:
        out.append(
            f"The loss never leaves [{loss.low:.6g}, {loss.high:.6g}], a range fixed beforehand."
        )
    if order:
        out.append("The rows stand in the order in which they were drawn.")
    if anytime:
        out.append("No stopping rule is assumed: the bound holds at every row at once.")
    if candidates > 1:
        out.append(f"The probability of error is shared equally by {candidates} candidates.")
    if groups:
        out.append(
            f"The bounds of the {groups} groups hold all at once with the stated probability, and"
            " so does the overall bound; each of the two on its own."
        )
    return tuple(out)


def versions(*names: str) -> dict[str, str]:
    """Versions of what computed the numbers: of limbeck, numpy, scipy, and of ``names``."""
    out = {}
    for name in ("limbeck", "numpy", "scipy", *names):
        try:
            out[name] = version(name)
        except PackageNotFoundError:  # a checkout that was never installed
            out[name] = "not installed"
    return out

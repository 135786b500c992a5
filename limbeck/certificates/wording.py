"""A certificate in words: the statement as one sentence, and what must be true for it."""

from __future__ import annotations

import math
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from limbeck.certificates.losses import BoundedLoss
from limbeck.certificates.planning import RowsNeeded, plan_counts

__all__ = [
    "against_asked",
    "assumptions",
    "identical_rows",
    "in_percent",
    "percent_down",
    "statement",
    "surplus",
    "upward",
    "versions",
]

CLOPPER_PEARSON = "exact binomial (Clopper and Pearson 1934)"
ORDER_STATISTIC = "order statistic (Wilks 1941)"
BETTING = "betting (Waudby-Smith and Ramdas 2023)"
BERNSTEIN = "empirical Bernstein (Maurer and Pontil 2009)"
ANYTIME = "anytime-valid betting (Waudby-Smith and Ramdas 2023)"
ACTIVE = "anytime-valid betting on rows chosen by doubt (Zrnic and Candes 2024)"
_MANY = 10**9  # rows by which a rate is as good as known


def upward(value: float, digits: int = 3) -> str:
    """A number rounded up to some digits, so that a bound is never understated.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Significant digits.
    """
    if value == 0:
        return "0"
    scale = 10.0 ** (digits - 1 - math.floor(math.log10(abs(value))))
    # the slack keeps a number that is already round from being pushed up by its last bit
    return f"{math.ceil(value * scale - 1e-9) / scale:.12g}"


def in_percent(share: float) -> str:
    """A share in percent, with six digits at most: a level of 0.9999 is no certainty.

    Parameters
    ----------
    share : float
        From 0 to 1.
    """
    return f"{100 * share:.6g}%"


def statement(
    loss: BoundedLoss,
    *,
    epsilon: float,
    delta: float,
    n: int,
    mean: float,
    tolerance: float | None,
    anytime: bool,
    candidates: int,
    rows: int | None = None,
    questions: int | None = None,
) -> str:
    """The certificate as one sentence.

    Parameters
    ----------
    loss : BoundedLoss
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
    rows : int, optional
        Rows of n cases, where the loss of a case is the mean over its rows; by default rows are
        draws themselves.
    questions : int, optional
        Rows that the teacher was asked about, where these were chosen by chance.
    """
    share = in_percent(1 - delta)
    among = f", for all {candidates} candidates at once" if candidates > 1 else ""
    when = f"over {n:,} fresh " + ("rows" if rows is None else f"cases with {rows:,} rows")
    if anytime:
        asked = f"{n:,} teacher queries" if rows is None else f"{n:,} cases with {rows:,} rows"
        when = f"after {asked}, wherever one stops"
    if questions is not None:
        when = f"after {questions:,} teacher queries among {n:,} fresh rows, wherever one stops"
    start = f"With probability at least {share} {when}{among}, "
    unit = f" {loss.unit}" if loss.unit else ""
    if rows is not None:
        return start + _of_cases(loss, epsilon, mean, tolerance)
    if loss.counts and loss.name == "disagreement":
        return (
            f"{start}the student differs from the teacher on at most {upward(100 * epsilon)}% of"
            f" inputs drawn like them ({_counted(mean, n, questions, 'differed')})."
        )
    if loss.counts and tolerance is not None:
        return (
            f"{start}the student is within {upward(tolerance, 6)}{unit} of the teacher on at"
            f" least {percent_down(1 - epsilon)}% of inputs drawn like them"
            f" ({_counted(mean, n, questions, 'were further off')})."
        )
    return (
        f"{start}the mean loss ({loss.name}) of the student against the teacher is at most"
        f" {upward(epsilon)}{unit} on inputs drawn like them ({mean:.3g} on these)."
    )


def _counted(mean: float, n: int, questions: int | None, what: str) -> str:
    """How many rows had a loss; of rows chosen by doubt, how many are to be expected."""
    if questions is None:
        return f"{round(mean * n):,} of {n:,} {what}"
    return f"an estimated {100 * mean:.3g}% {what}"


def _of_cases(loss: BoundedLoss, epsilon: float, mean: float, tolerance: float | None) -> str:
    """What is certified of cases drawn like these; each counts alike, however many rows it has."""
    unit = f" {loss.unit}" if loss.unit else ""
    like = "in cases drawn like them, each case counted alike"
    if loss.counts and loss.name == "disagreement":
        return (
            f"the student differs from the teacher on at most {upward(100 * epsilon)}% of rows"
            f" {like} ({100 * mean:.3g}% in these)."
        )
    if loss.counts and tolerance is not None:
        return (
            f"the student is within {upward(tolerance, 6)}{unit} of the teacher on at least"
            f" {percent_down(1 - epsilon)}% of rows {like} (all but {100 * mean:.3g}% in these)."
        )
    return (
        f"the mean loss ({loss.name}) of the student against the teacher is at most"
        f" {upward(epsilon)}{unit} on rows {like} ({mean:.3g} in these)."
    )


def against_asked(
    loss: BoundedLoss,
    epsilon: float,
    asked: float,
    level: float,
    mean: float,
    plan: RowsNeeded | None = None,
    what: str = "rows",
) -> str:
    """A sentence that compares the bound with the epsilon that was asked for, and the remedy.

    More rows are said not to help only where the lower confidence limit of the loss is above
    what was asked for.

    Parameters
    ----------
    loss : BoundedLoss
        What was counted.
    epsilon, asked : float
        The bound, and what was asked for.
    level : float
        The level of the bound.
    mean : float
        Mean loss.
    plan : RowsNeeded, optional
        What more rows would do; for counts by default as if the mean were known for sure.
    what : str
        What is counted: rows, or cases.
    """
    if loss.finds_tolerance:
        return ""  # the share is given and the tolerance is the answer
    goal = in_percent(asked) if loss.counts else f"{asked:.6g}"
    if epsilon <= asked:
        return f" At most {goal} was asked for."
    short = f" The {goal} that was asked for is not reached"
    if plan is None:
        if not loss.counts:
            return f"{short}."
        plan = plan_counts(round(mean * _MANY), _MANY, asked, level)
    rate = "rate of errors" if loss.counts else "mean loss"
    if plan.lower > asked:
        return f"{short}, and more {what} will not help: a closer student is needed."
    if mean < asked:
        enough = f"about {plan.needed:,} {what}" if plan.needed else f"over a million {what}"
        return f"{short}: at this {rate} that takes {enough}."
    least = f"{_downward(100 * plan.lower)}%" if loss.counts else _downward(plan.lower)
    more = f"about {plan.settled:,} {what}" if plan.settled else f"over a million {what}"
    return (
        f"{short}, and whether it can be is open: with the same confidence the {rate} is at least"
        f" {least}. At the {rate} seen, {more} would show that it cannot."
    )


def identical_rows(copies: int, coincidences: int) -> str:
    """Sentences on identical rows, empty where there are none.

    Parameters
    ----------
    copies : int
        Rows left out as copies.
    coincidences : int
        Identical rows that were counted.
    """
    out = ""
    if copies:
        out += f" Copies of these rows were left out: {copies:,}."
    if coincidences:
        out += f" Rows identical to others, counted as draws of their own: {coincidences:,}."
    return out


def surplus(n: int, drawn: int) -> str:
    """A sentence on what was drawn beyond the stopping row, empty where there is nothing.

    Parameters
    ----------
    n : int
        Rows up to which the certificate counts.
    drawn : int
        Rows for which answers were asked.
    """
    return f" {drawn:,} were drawn to fill the last batch." if drawn > n else ""


def _downward(value: float) -> str:
    """A number rounded down to 3 digits, so that a lower limit is never overstated."""
    return upward(-value).removeprefix("-")


def percent_down(share: float) -> str:
    """A share in percent without its sign, rounded down to 3 decimals: never overstated.

    Parameters
    ----------
    share : float
        The share; 1 is 100%.
    """
    return f"{math.floor(1e5 * share + 1e-6) / 1e3:.6g}"


def assumptions(
    loss: BoundedLoss,
    *,
    freshness: str,
    anytime: bool,
    candidates: int,
    groups: int,
    order: bool,
    cases: bool = False,
    identical: str = "",
    chosen: str = "",
) -> tuple[str, ...]:
    """What must be true for the statement to hold, a sentence each.

    Parameters
    ----------
    loss : BoundedLoss
        What was counted.
    freshness : str
        What is known about rows that training saw.
    anytime : bool
        Whether the number of rows was decided while they were drawn.
    candidates, groups : int
        Students compared on the rows, and groups with a bound of their own.
    order : bool
        Whether the bound depends on the order of the rows.
    cases : bool
        Whether rows belong to cases, and cases are what was drawn.
    identical : str
        What identical rows were taken for, where there were any.
    chosen : str
        How the rows that the teacher was asked about were chosen, where not all of them were.
    """
    drawn = "cases" if cases else "rows"
    independent = "The rows are independent draws from the inputs that the student will meet."
    if cases:
        independent = (
            "The cases are independent draws from those that the student will meet; the rows of a"
            " case may depend on each other."
        )
    out = [
        independent,
        "The student was made and chosen without these rows; they are used this once.",
        freshness,
        "The answers are the teacher's own, on these very rows.",
    ]
    if not loss.counts:
        out.append(
            f"The loss never leaves [{loss.low:.6g}, {loss.high:.6g}], a range fixed beforehand."
        )
    if identical:
        out.append(identical)
    if chosen:
        out.append(chosen)
    if order:
        out.append(f"The {drawn} stand in the order in which they were drawn.")
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
    return {name: _version(name) for name in ("limbeck", "numpy", "scipy", *names)}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # a checkout that was never installed
        return "not installed"

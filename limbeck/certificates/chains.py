"""A student of a student: how errors and rows add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limbeck.certificates.budget_rows import Budget
from limbeck.core.certificate import Certificate
from limbeck.core.errors import InvalidInput

__all__ = ["TwoSteps", "chain", "two_steps"]


def chain(bounds: Sequence[Certificate | tuple[float, float]]) -> tuple[float, float]:
    """The bound for a student of a student: epsilons and deltas add.

    Disagreement obeys the triangle inequality, and failures obey the union bound
    (Boix-Adsera 2024; proof in docs/theory.md). All bounds must be for disagreement, over the
    same distribution of inputs, and no student may have seen the rows of a later certificate.
    Certificates of tolerances add up as well: numbers within t1 and t2 of each other, but for
    shares e1 and e2 of inputs, are within t1 + t2 but for e1 + e2.

    Parameters
    ----------
    bounds : sequence of Certificate or (epsilon, delta)
        The certificates along the chain, first teacher to last student.

    Returns
    -------
    tuple of (float, float)
        Epsilon and delta for the last student as a student of the first teacher, at most 1.

    Raises
    ------
    InvalidInput
        If there is none, a number is outside [0, 1], a certificate is for another loss than
        disagreement, or only some speak of cases.

    Examples
    --------
    >>> chain([(0.02, 0.05), (0.01, 0.05)])
    (0.03, 0.1)
    """
    stated = [b for b in bounds if isinstance(b, Certificate)]
    for certificate in stated:
        within = certificate.loss == "exceeds" and len(stated) == len(bounds)
        if not within and certificate.loss != "disagreement":
            raise InvalidInput(
                f"A certificate of the chain is for the loss {certificate.loss!r}.",
                "Only rates of disagreement add up; certify each step on classes.",
            )
    if len({c.loss for c in stated}) > 1:
        raise InvalidInput(
            "Some certificates of the chain are for classes, others for numbers.",
            "Certify each step for the same loss.",
        )
    if len({bool(c.settings.get("cases")) for c in stated}) > 1:
        raise InvalidInput(
            "Some certificates of the chain count rows, others cases.",
            "Certify each step on the same kind of draws.",
        )
    pairs = [(b.epsilon, b.delta) if isinstance(b, Certificate) else b for b in bounds]
    if not pairs or any(not 0 <= v <= 1 for pair in pairs for v in pair):
        raise InvalidInput(f"bounds is {pairs!r}.", "Give pairs of numbers in [0, 1].")
    return (min(sum(e for e, _ in pairs), 1.0), min(sum(d for _, d in pairs), 1.0))


@dataclass(frozen=True)
class TwoSteps:
    """What a teacher costs that is distilled into G, and the student of G into H.

    Parameters
    ----------
    into : tuple of (str, str)
        G and H in words.
    perfect : tuple of (int, float, float)
        Both steps perfect: rows, epsilon and delta. The last student disagrees with the first
        teacher at a rate of at most epsilon.
    agnostic : tuple of (int, float, float)
        The second step agnostic: at a rate of at most epsilon more than the best of H.
    """

    into: tuple[str, str]
    perfect: tuple[int, float, float]
    agnostic: tuple[int, float, float]

    def __str__(self) -> str:
        lines = [f"Into {self.into[0]}, and from there into {self.into[1]}"]
        for words, (n, epsilon, delta), best in (
            ("both perfect", self.perfect, ""),
            ("the second agnostic", self.agnostic, "the best of the second class + "),
        ):
            lines.append(
                f"  {words}: at most {n:,} rows for a disagreement of at most {best}{epsilon:g},"
                f" with probability at least {1 - delta:g}"
            )
        return "\n".join(
            [*lines, "Both steps: the same distribution of inputs, and rows of their own."]
        )


def two_steps(first: Budget, second: Budget) -> TwoSteps:
    """The budget of two steps, the first of them perfect.

    If h agrees with g but for e2, and g with f but for e1, h agrees with f but for e1 + e2. If
    h is within e2 of the best student of g, it is within 2 e1 + e2 of the best student of f, as
    the errors of every student change by at most e1 from g to f.

    Parameters
    ----------
    first, second : Budget
        Budgets of the steps, as `budget` returns them.

    Returns
    -------
    TwoSteps
        Rows, epsilon and delta for both kinds of second step.

    Examples
    --------
    >>> from limbeck.certificates.budgets import budget
    >>> tree = budget("tree", 0.01, 0.025, features=100, depth=4)
    >>> rules = budget("rules", 0.01, 0.025, features=100, leaves=8, depth=4)
    >>> two_steps(tree, rules).perfect
    (738, 0.02, 0.05)
    """
    rows = [{r.task: r.n for r in b.rows if r.bound == "upper"} for b in (first, second)]
    check = rows[0]["distil, perfect"]
    last = (second.epsilon, second.delta)
    return TwoSteps(
        (first.into, second.into),
        (check + rows[1]["distil, perfect"], *chain([(first.epsilon, first.delta), last])),
        (
            check + rows[1]["distil, agnostic"],
            *chain([(min(2 * first.epsilon, 1.0), first.delta), last]),
        ),
    )

"""How many rows theory asks for: to distil a teacher, and to learn the same student instead."""

from __future__ import annotations

import math

from limbeck.certificates import sample_sizes
from limbeck.certificates.binomial import check_share
from limbeck.certificates.budget_rows import Budget, BudgetRow
from limbeck.certificates.class_limits import Limits
from limbeck.certificates.class_sizes import size_up
from limbeck.certificates.frontier import Frontier
from limbeck.core.errors import InvalidInput, plural

__all__ = ["budget"]


def budget(
    into: str,
    epsilon: float,
    delta: float,
    *,
    features: int,
    depth: int | None = None,
    leaves: int | None = None,
    k: int | None = None,
    thresholds: int | None = 1,
    classes: int = 2,
    points: int | None = None,
    pairs: int = 0,
    disagreement: float | None = None,
    frontier: int | Frontier | None = None,
    frontier_vc: int | None = None,
    mutual_vc: int | None = None,
) -> Budget:
    """Bounds on the rows for distilling into a class of students, and for learning them.

    Perfect distillation presumes that the teacher equals a member of the class; its rows only
    check the student that was found, so the class costs nothing. In the agnostic tasks the
    member that does best on the rows is at most epsilon worse than the best. Proofs and sources
    are in docs/theory.md.

    Parameters
    ----------
    into : str
        The student: ``tree``, ``oblique_tree``, ``junta``, ``rules``, ``rule_list``, ``m_of_n``,
        ``scorecard``, ``sparse_sum``, ``linear`` or ``additive``.
    epsilon, delta : float
        Disagreement allowed, and the probability that it is exceeded; in (0, 1).
    features : int
        Number of columns d.
    depth : int, optional
        Tree: the most tests on a path. Rules: the most literals in a rule. Scorecard and sparse
        sum: the most literals in an AND that is an item; 1 by default.
    leaves : int, optional
        Tree: the most leaves. Rules: the most rules before the default. Oblique tree: the most
        regions. m-of-n: the most leaves of a tree of such questions; by default a single rule.
    k : int, optional
        Junta: the variables that it reads. m-of-n: the most literals n. Scorecard and sparse sum:
        the most items.
    thresholds : int or None
        Tests per feature: 1 for booleans, the number of cut points for binned numbers (additive
        and junta: bins less one), None for any threshold on real numbers (trees only).
    classes : int
        Number of classes.
    points : int, optional
        Scorecard: the most points of an item, up or down, in whole numbers.
    pairs : int
        Additive: pairs of features with a table of their own.
    disagreement : float, optional
        A rate tau that the best member's disagreement with the teacher does not exceed, in
        [0, 1]. It makes the agnostic tasks cheaper (Bernstein instead of Hoeffding) for finite
        classes.
    frontier : int or Frontier, optional
        Functions on the Pareto frontier for the teacher at hand; see `frontier`. Agnostic
        distillation pays for these instead of the class.
    frontier_vc : int, optional
        VC dimension of that frontier, where its functions are not counted; two classes only.
    mutual_vc : int, optional
        Mutual VC dimension of the teachers' and the students' class; see `mutual_vc`. Adds a
        lower bound for learners that know the teachers' class; two classes only.

    Returns
    -------
    Budget
        Numbers of rows with their formulas.

    Raises
    ------
    InvalidInput
        If the class is unknown, a size is lacking, out of range or does not apply, or epsilon or
        delta is outside (0, 1).

    Notes
    -----
    The upper bounds for learning hold for any member that does best on the rows. A vote of many
    members, which is no member itself, needs the order of (VC + ln(1/delta)) / epsilon in the
    realizable task (Hanneke 2016).

    Examples
    --------
    >>> print(budget("tree", 0.01, 0.05, features=100, depth=4).rows[0].n)
    300
    """
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    count = len(frontier.members) if isinstance(frontier, Frontier) else frontier
    if isinstance(frontier, Frontier) and frontier_vc is None:
        frontier_vc = frontier.vc
    _at_least(
        1, features=features, depth=depth, leaves=leaves, k=k, frontier=count,
        thresholds=thresholds, points=points,
    )  # fmt: skip
    _at_least(0, pairs=pairs, frontier_vc=frontier_vc, mutual_vc=mutual_vc)
    if disagreement is not None and not 0 <= disagreement <= 1:
        raise InvalidInput(f"disagreement is {disagreement}.", "Give a rate from 0 to 1.")
    if classes > 2 and (frontier_vc is not None or mutual_vc is not None):
        raise InvalidInput(
            f"A VC dimension was given with {classes} classes.", "It is defined for two classes."
        )
    size = size_up(into, Limits(features, depth, leaves, k, thresholds, classes, points, pairs))
    if disagreement is not None and size.log2_size is None and count is None:
        raise InvalidInput(
            f"disagreement is {disagreement:g}, and the number of {size.words} is infinite.",
            "Leave it out; or give the number of functions on the frontier.",
        )

    if size.log2_size is None:
        agnostic = sample_sizes.choose_by_growth(size.growth, epsilon, delta)
        consistent = sample_sizes.consistent_by_growth(size.growth, epsilon, delta)
    else:
        agnostic = sample_sizes.choose_of(size.log2_size, epsilon, delta, disagreement)
        consistent = sample_sizes.consistent_of(size.log2_size, epsilon, delta)
    distil = [agnostic]
    if count is not None:
        n, formula, why = sample_sizes.choose_of(math.log2(count), epsilon, delta, disagreement)
        distil.append((n, formula, f"{why}; G: the frontier of {plural(count, 'function')}"))
    if frontier_vc is not None:
        n, formula, why = sample_sizes.choose_of_vc(frontier_vc, epsilon, delta)
        distil.append((n, formula, f"{why}; the frontier's VC dimension is {frontier_vc}"))
    least = sample_sizes.to_learn_at_least
    rows = [
        BudgetRow("distil, perfect", *sample_sizes.to_check(epsilon, delta)),
        BudgetRow("distil, agnostic", *min(distil)),
        BudgetRow("learn, realizable", *consistent),
        BudgetRow("learn, realizable", *least(size.vc_least, epsilon, delta), "lower"),
        BudgetRow("learn, agnostic", *agnostic),
    ]
    if mutual_vc is not None:
        row = least(mutual_vc, epsilon, delta)
        rows.append(BudgetRow("learn, teacher's class known", *row, "lower"))
    return Budget(size.words, epsilon, delta, size.log2_size, size.vc_least, size.vc, tuple(rows))


def _at_least(least: int, **sizes: int | None) -> None:
    for name, value in sizes.items():
        if value is not None and value < least:
            raise InvalidInput(f"{name} is {value}.", f"Give {least} or more.")

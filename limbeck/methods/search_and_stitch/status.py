"""What is said of a finished search: how it ended, how close the tree is, and what would help."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from limbeck.core.status import Status, StatusCode
from limbeck.data.splits import FOLDS
from limbeck.methods.search_and_stitch.layers import LayerReport

__all__ = ["Outcome", "status_of"]

# Below this share of variance, a linear function of the activations does not tell the clause.
LRH_HOLDS = 0.5


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Parameters
    ----------
    chosen, most : int
        Leaves of the tree that was chosen, and of the largest that was allowed.
    classifies : bool
        Whether losses are disagreement (else the share of variance unexplained).
    seen : float
        The loss on the rows.
    queries : float or None
        The loss on the queries; None where there are none.
    left_out : ndarray of shape (sizes, n) or None
        Losses on each row left out by the trees of 1, 2, ... leaves; None for too few rows.
    exact : bool
        Whether the tree agrees on all rows and queries.
    """

    chosen: int
    most: int
    classifies: bool
    seen: float
    queries: float | None
    left_out: NDArray[Any] | None
    exact: bool

    @property
    def expected(self) -> float:
        """The loss to expect on new rows."""
        return self.seen if self.left_out is None else float(self.left_out[self.chosen - 1].mean())

    def gain(self, fewer: int, more: int) -> bool:
        """Whether more leaves agree better on rows left out, by more than a standard error.

        Parameters
        ----------
        fewer, more : int
            The two numbers of leaves.
        """
        if self.left_out is None:
            return True
        less = self.left_out[fewer - 1] - self.left_out[more - 1]
        return bool(less.mean() > less.std() / math.sqrt(len(less)))

    def words(self) -> str:
        """How close the tree is to the teacher."""
        parts = [f"{self.seen:.1%} {'of' if self.classifies else 'on'} the rows"]
        if self.queries is not None:
            parts.append(f"{self.queries:.1%} {'of' if self.classifies else 'on'} the queries")
        if self.left_out is not None:
            left = "of" if self.classifies else "on"
            parts.append(f"{self.expected:.1%} {left} rows left out ({FOLDS}-fold)")
        listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
        if self.classifies:
            return f"differs from the teacher on {listed}"
        share, where = listed.split(" ", 1)
        return f"does not explain {share} of the teacher's variance {where}"


def status_of(
    outcome: Outcome, done: StatusCode, report: LayerReport | None, epsilon: float
) -> Status:
    """The status of a search.

    Parameters
    ----------
    outcome : Outcome
        What was found.
    done : StatusCode
        How the search ended.
    report : LayerReport or None
        What the probes say of the tree.
    epsilon : float
        The loss that is aimed at.
    """
    tree = f"the tree of {outcome.chosen} {'leaf' if outcome.chosen == 1 else 'leaves'}"
    if done is StatusCode.INTERRUPTED:
        return Status(done, "The search was interrupted; this is the best tree so far.", "")
    if outcome.exact:
        rows = "all rows" if outcome.queries is None else "all rows and queries"
        return Status(
            StatusCode.EXACT, f"{tree[:1].upper()}{tree[1:]} agrees with the teacher on {rows}."
        )
    remedy = _remedy(outcome, done is StatusCode.LIMIT, epsilon)
    if report is not None and report.lrh["r_squared"] < LRH_HOLDS:
        return Status(
            StatusCode.HYPOTHESIS_FAILED,
            "The linear representation hypothesis fails for this teacher: a linear function of"
            f" its activations explains {report.lrh['r_squared']:.0%} of the tree's clauses"
            f" (at least {LRH_HOLDS:.0%} are needed). The tree was grown from the teacher's"
            f" answers and is the best of its pool: it {outcome.words()}.",
            f"Trust the certificate, not the clauses. {remedy}".rstrip(),
        )
    end = "stopped at its limit" if done is StatusCode.LIMIT else "ran to its end"
    return Status(done, f"The search {end}: {tree} {outcome.words()}.", remedy)


def _remedy(outcome: Outcome, limit: bool, epsilon: float) -> str:
    """What would bring the tree closer, as far as the rows left out can tell."""
    chosen, most = outcome.chosen, outcome.most
    if outcome.expected <= epsilon:
        return ""
    if outcome.gain(max(most // 2, 1), most):
        more = "max_leaves or max_clauses" if limit else "max_leaves"
        return f"Raise {more} for a closer one."
    if chosen < most and outcome.gain(chosen, most):
        return "More leaves agree better: set leaves or epsilon for a larger tree."
    if limit:
        return "Raise max_clauses for a longer search."
    if outcome.seen < outcome.expected / 2:
        return "More leaves agree no better on rows left out; more rows would help."
    return (
        "More leaves agree no better on rows left out; give more rows, or choose another kind of"
        " student."
    )

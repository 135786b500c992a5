"""The settings of search and stitch, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from limbeck.core.contract import Sampler
from limbeck.core.errors import InvalidInput
from limbeck.data.directions import check_monotone
from limbeck.methods.budgets import check_queries, check_shape, check_size
from limbeck.methods.search_and_stitch.descent import Guide

__all__ = ["SearchSettings"]


@dataclass(frozen=True)
class SearchSettings:
    """How many leaves, which queries, and how far the search goes.

    Parameters
    ----------
    max_leaves : int
        The largest tree that is considered.
    epsilon : float
        The disagreement aimed at. Chosen is the smallest tree whose cost on rows left out
        (5-fold, see :mod:`limbeck.methods.search_and_stitch.validation`) is within half of it, or
        within one standard error of the best (Breiman et al. 1984, section 3.4.3). For regression
        the cost is the share of variance left unexplained.
    leaves : int or None
        Choose the best tree with at most so many leaves instead.
    queries : int or None
        Fresh rows to ask the teacher about at most, trials of samplers included; None for 10,000
        where it answers queries. Of 100 or more a fifth, at most 40, is kept for rows of the
        sampler on which two trees disagree, and decides between them; of 2,000 or more only where
        rows left out are too few to choose by
        (:mod:`limbeck.methods.search_and_stitch.disputes`).
    sampler : str or Sampler
        Where queries come from: ``"munge"``, ``"gaussian_copula"``, ``"jitter"``,
        ``"marginals"``, ``"none"``, or a sampler. With ``"auto"`` the first three are tried, each
        with a fifth of the queries, and the one whose trees agree best with the teacher on rows
        left out gets the rest; or none, where trees of the rows alone agree best.
    query_weight : float
        Share of the whole weight that the queries carry together, however many they are; but no
        query counts more than a row.
    layers : sequence of str or None
        Layers to probe; None for all.
    guide : {"both", "probes", "answers"}
        What orders the search; see :mod:`limbeck.methods.search_and_stitch.descent`.
    cost : str or None
        ``misclassification`` (default), ``gini``, ``log_loss``, or ``squared_error``.
    depth : int or None
        Depth of the search; None for what ``max_leaves`` needs in a full tree.
    max_probes, max_clauses : int
        Limits of the search.
    patience : int
        The search ends after so many clauses without a gain.
    probe_rows : int
        Rows on which the probes are made.
    max_rows : int
        Rows used at most; a random part of more.
    max_depth : int or None
        Most questions before a leaf.
    min_samples_leaf : int
        Fewest of the user's rows in a leaf.
    forbidden : sequence of str
        Columns that no question may be about.
    monotone : mapping from str to {-1, 1}
        Columns with which the answer may only rise (1) or fall (-1), everywhere: the value, or the
        probability of the second of two classes; see
        :mod:`limbeck.methods.search_and_stitch.monotone`.
    """

    max_leaves: int = 16
    epsilon: float = 0.05
    leaves: int | None = None
    queries: int | None = None
    sampler: str | Sampler = "auto"
    query_weight: float = 0.5
    layers: Sequence[str] | None = None
    guide: Guide = "both"
    cost: str | None = None
    depth: int | None = None
    max_probes: int = 80_000
    max_clauses: int = 300
    patience: int = 60
    probe_rows: int = 1200
    max_rows: int = 30_000
    max_depth: int | None = None
    min_samples_leaf: int = 1
    forbidden: Sequence[str] = ()
    monotone: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("max_leaves", "max_rows", "probe_rows"):
            if getattr(self, name) < 2:
                raise InvalidInput(f"{name} is {getattr(self, name)}.", "Give 2 or more.")
        check_monotone(self.monotone)
        check_shape(self.max_depth, self.min_samples_leaf)
        check_size("leaves", self.leaves, self.max_leaves)
        check_queries(self.queries, self.sampler, self.query_weight)

    @property
    def shaped(self) -> bool:
        """Whether depth or leaves are limited beside the number of leaves."""
        return self.max_depth is not None or self.min_samples_leaf > 1

    def sizes(self) -> range:
        """Leaves of the trees by which samplers are tried: about as many as are wanted."""
        most = self.leaves or self.max_leaves
        return range(max(2, most // 2) if self.leaves else 2, max(most, 2) + 1)

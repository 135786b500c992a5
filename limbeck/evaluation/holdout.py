"""Setting rows aside before anything is learned, apart from what the method sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.fingerprint import seen_among
from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput
from limbeck.data.cases import Units, case_hashes, check_shared_cases, read_column, units_of
from limbeck.data.duplicates import Rule, find_duplicates, kinds_of, row_hashes
from limbeck.data.labels import read_labels
from limbeck.data.splits import split_units

__all__ = ["MOST_ROWS", "Apart", "Side", "also_seen", "set_apart", "split"]

_FEWEST = 10
MOST_ROWS = 50_000
"""More rows than this teach a readable student nothing; the rest of a huge X is left unread."""


@dataclass(frozen=True)
class Side:
    """Rows in the user's own form, with labels, groups and cases where there are any."""

    X: Any
    y: NDArray[Any] | None
    groups: NDArray[Any] | None
    cases: NDArray[Any] | None = None
    weight: NDArray[np.float64] | None = None

    def keep(self, rows: NDArray[np.int64]) -> Side:
        """Only these rows; refused where too few are left."""
        _enough(len(rows), "holdout rows that training did not see")
        return self.take(rows)

    def take(self, rows: NDArray[np.int64]) -> Side:
        """Only these rows."""
        parts = (self.X, self.y, self.groups, self.cases, self.weight)
        return Side(*(_take(part, rows) for part in parts))


@dataclass(frozen=True, eq=False)
class Apart:
    """Rows for the method and rows for the certificate, encoded.

    Parameters
    ----------
    fit, test : Side
        The two sides; copies of a row are on one of them.
    fit_rows, test_rows : Rows
        The same, encoded.
    once : ndarray of int64
        Places of the test rows that count: one of each set of copies, or of each set and group.
    seen : ndarray of uint64, shape (m,) or (m, 2)
        Hashes of the rows of the method, and of their cases where there are any.
    coincidences : int
        Test rows that are identical to others and count as draws of their own.
    repeated : int
        Rows set aside that were left out since the method sees the same rows.
    duplicates : {"auto", "drop", "keep"}
        What identical test rows are: ``drop`` where all that are identical in X are copies.
    """

    fit: Side
    test: Side
    fit_rows: Rows
    test_rows: Rows
    once: NDArray[np.int64]
    seen: NDArray[np.uint64]
    coincidences: int
    repeated: int
    duplicates: Rule = "auto"

    @property
    def facts(self) -> dict[str, int]:
        """What became of identical rows, for the record."""
        return {
            "copies_counted_once": len(self.test_rows) - len(self.once),
            "identical_rows_counted": self.coincidences,
            "repeated_rows_left_out": self.repeated,
        }


def set_apart(
    X: Any,
    y: NDArray[Any] | None,
    groups: Any,
    holdout: float | tuple[Any, Any],
    seed: int,
    *,
    features: Features,
    cases: Any = None,
    duplicates: Rule = "auto",
    weight: NDArray[np.float64] | None = None,
) -> Apart:
    """Split, find copies, and leave out or refuse what the method sees as well.

    Parameters
    ----------
    X, y, groups, holdout, seed, cases, weight
        As for `split`.
    features : Features
        The columns by which rows are compared, and which teacher and student get.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are; see `limbeck.data.duplicates.find_duplicates`.

    Returns
    -------
    Apart
        The two sides, and what was left out.

    Raises
    ------
    InvalidInput
        If a side would be too small, or holdout rows of one's own, or their cases, are among the
        rows of X.
    """
    kinds = kinds_of(features)
    own = isinstance(holdout, tuple)
    first = None
    if not own:
        whole = find_duplicates(features.encode(X), kinds, duplicates)
        first, duplicates = whole.first, whole.rule_for_parts(duplicates)
    fit, test = split(X, y, groups, holdout, seed, cases=cases, first=first, weight=weight)
    if isinstance(cases, str):
        fit, test = (replace(side, X=side.X.drop(columns=cases)) for side in (fit, test))
    fit_rows, test_rows = features.rows(fit.X), features.rows(test.X)
    hashes = row_hashes(fit_rows.values)
    known = seen_among(test_rows.values, hashes, kinds, duplicates)
    repeated = 0
    if own:
        known.refuse()
        check_shared_cases(fit.cases, test.cases)
    elif not known.explained:  # copies within rounding, or coincidences that are too many
        out = known.hit if not known.overlap.explained else known.copied
        fresh = np.flatnonzero(~out)
        repeated = int(out.sum())
        test, test_rows = test.keep(fresh), test_rows[fresh]
    found = find_duplicates(test_rows.values, kinds, duplicates)
    once = _once(found.first, test.groups)
    _enough(len(once), "different holdout rows")
    seen = hashes
    if fit.cases is not None:
        seen = np.stack([hashes, case_hashes(fit.cases)], axis=1)
    return Apart(
        fit, test, fit_rows, test_rows, once, seen, found.coincidences, repeated, duplicates
    )


def also_seen(apart: Apart, seen: NDArray[np.uint64]) -> Apart:
    """The same sides, where a student on the way was made before from other rows.

    Parameters
    ----------
    apart : Apart
        The two sides.
    seen : ndarray of uint64, shape (m,) or (m, 2)
        Hashes of the rows that it was made from, with their cases where there were any.

    Raises
    ------
    InvalidInput
        If these are among the rows set aside, or only one of the two has cases.
    """
    if seen.ndim != apart.seen.ndim:
        raise InvalidInput(
            "Only one of the earlier result and this distillation has cases.",
            "Give cases= to both, or to none.",
        )
    rows = seen if seen.ndim == 1 else seen[:, 0]
    kinds = kinds_of(apart.test_rows.features)
    known = seen_among(apart.test_rows.values, rows, kinds, apart.duplicates)
    if not known.explained:
        raise InvalidInput(
            f"The student of the earlier result was made from {int(known.hit.sum()):,} of the"
            f" {len(apart.test_rows):,} rows that are set aside.",
            "Give X, seed and holdout as they were then, or holdout=(X, y) of rows that it never"
            " saw.",
        )
    return replace(apart, seen=np.concatenate([apart.seen, seen]))


def _once(first: NDArray[np.int64], groups: NDArray[Any] | None) -> NDArray[np.int64]:
    """Places of the rows that count: one of each set of copies, or one of each set and group."""
    if groups is None:
        return np.flatnonzero(first == np.arange(len(first)))
    codes = np.unique(np.array([str(g) for g in groups]), return_inverse=True)[1]
    return np.sort(np.unique(np.stack([first, codes]), axis=1, return_index=True)[1])


def split(
    X: Any,
    y: NDArray[Any] | None,
    groups: Any,
    holdout: float | tuple[Any, Any],
    seed: int,
    *,
    cases: Any = None,
    first: NDArray[np.int64] | None = None,
    weight: NDArray[np.float64] | None = None,
) -> tuple[Side, Side]:
    """Rows for the method and rows for the certificate, apart from each other.

    All copies of a row, and all rows of a case, come to one side.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n, d)
        All rows.
    y : ndarray of shape (n,) or None
        Labels.
    groups : array-like of shape (n,), str or None
        Groups of the rows, or a column of X. They belong to X, or to the holdout rows where
        these are given.
    holdout : float or (X, y)
        A share, or the holdout rows themselves.
    seed : int
        Seed of the random split.
    cases : array-like of shape (n,), str or None
        Cases of the rows, or a column of X; they belong where the groups do.
    first : ndarray of shape (n,), optional
        Of which row of X each is a copy; see `limbeck.data.duplicates.Duplicates`.
    weight : ndarray of shape (n,), optional
        How much each row of X counts for the method.

    Raises
    ------
    InvalidInput
        If either side would be too small.
    """
    if isinstance(holdout, tuple):
        if len(holdout) != 2:
            raise InvalidInput(
                f"holdout is a tuple of {len(holdout)}.", "Give (X, y), with y=None for no labels."
            )
        aside = holdout[0]
        labels = read_labels(holdout[1], len(aside), missing=True)
        if (labels is None) != (y is None):
            raise InvalidInput(
                "Labels were given for only one of X and the holdout rows.",
                "Give y for both, or for none.",
            )
        _enough(len(aside), "holdout rows")
        chosen = _order(len(X), seed)[:MOST_ROWS]
        # a column of cases may be in X as well; an array is of the holdout rows
        known = read_column(cases, X, "cases") if isinstance(cases, str) else None
        return Side(X, y, None, known, weight).take(chosen), Side(
            aside, labels, read_column(groups, aside, "groups"), read_column(cases, aside, "cases")
        )
    if isinstance(holdout, bool) or not isinstance(holdout, Real) or not 0 < holdout < 1:
        raise InvalidInput(f"holdout is {holdout!r}.", "Give a share between 0 and 1, or (X, y).")
    units = units_of(
        np.arange(len(X)) if first is None else first, case_of := read_column(cases, X, "cases")
    )
    _enough_units(units, len(X), float(holdout), "rows" if case_of is None else "cases")
    whole = Side(X, y, read_column(groups, X, "groups"), case_of)
    fit, test = split_units(units, _order(units.count, seed), float(holdout))
    fit = np.sort(fit[:MOST_ROWS])
    return Side(X, y, None, case_of, weight).take(fit), whole.take(test)


def _enough(n: int, what: str) -> None:
    if n < _FEWEST:
        raise InvalidInput(
            f"There are {n} {what}.", f"At least {_FEWEST} are needed: give more rows."
        )


def _enough_units(units: Units, n: int, share: float, what: str) -> None:
    aside = round(units.count * share)
    of = f"{n} rows" if units.count == n else f"{units.count} different {what}"
    _enough(aside, f"of {of} to set aside")
    _enough(units.count - aside, f"of {of} left for the method")


def _order(n: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(n)


def _take(values: Any, rows: NDArray[np.int64]) -> Any:
    if values is None:
        return None
    if isinstance(values, list | tuple):
        values = np.asarray(values)
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]

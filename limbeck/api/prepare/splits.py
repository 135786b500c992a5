"""Training rows and test rows: set aside, or the user's own, by row or by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.data.cases import check_shared_cases, read_column, units_of
from limbeck.data.duplicates import Rule, find_duplicates
from limbeck.data.splits import split_units
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.sources import Arrays
from limbeck.networks.losses.filters import Filter
from limbeck.networks.predictor import layout_of, rows_of
from limbeck.networks.training.settings import Training
from limbeck.students.onnx.layout import Layout

__all__ = ["FEWEST", "MOST_HASHED", "compared_rows", "for_rows", "two_sides"]

MOST_HASHED = 200_000
"""Training rows beyond these are not compared with test rows."""
FEWEST = 10
"""Rows, different rows or cases that a side must have."""
_BYTES = 1 << 30  # of rows as float64, in which copies are looked for before the split


def two_sides(
    data: Any,
    y: Any,
    test: Any,
    holdout: float,
    seed: int,
    settings: Training,
    pad: int = 0,
    *,
    cases: Any = None,
    duplicates: Rule = "auto",
    classes: Sequence[Any] | None = None,
) -> tuple[Samples, Samples, Rule]:
    """Training rows and test rows, and the rule for identical ones of these.

    Copies of a row, and rows of a case, come to one side. Copies are looked for in arrays of up
    to 1 GiB; of other data, test rows that training repeats are left out later, see `fresh_rows`.

    Parameters
    ----------
    data, y, test, holdout, seed
        As for `limbeck.api.distill_network.compress`.
    settings : Training
        Its batch size is used.
    pad : int
        The token that fills up sequences.
    cases : array-like of shape (n,), str or None
        The case of each row, of the test rows where these are given; or a column of both.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are; see `limbeck.data.duplicates.find_duplicates`.
    classes : sequence, optional
        What text labels inside data sets may be.

    Raises
    ------
    InvalidInput
        If there are too few on a side, or cases do not fit.
    """
    said: dict[str, Any] = {"batch_size": settings.batch_size, "pad": pad,
                            "num_workers": settings.num_workers, "classes": classes}  # fmt: skip
    column = isinstance(cases, str)
    data, of_rows = _cases_in(data, cases, own=column or test is None)
    rows = _with_cases(Samples.of(data, y, **said), of_rows)
    if test is not None:
        test, of_test = _cases_in(test, cases, own=True)
        aside = _with_cases(Samples.of(test, **said), of_test)
        if len(aside) < FEWEST:
            raise InvalidInput(
                f"There are {len(aside)} test rows.", f"Give at least {FEWEST}, or none."
            )
        check_shared_cases(rows.cases, aside.cases, "training rows")
        return rows, aside, duplicates
    check_share("holdout", holdout)
    first, duplicates = _first(rows, duplicates, settings)
    units = units_of(first, rows.cases)
    n = round(units.count * holdout)
    if min(n, units.count - n) < FEWEST:
        what = "different rows" if rows.cases is None else "cases"
        what = "rows" if units.count == len(rows) else what
        raise InvalidInput(
            f"{n} of {units.count} {what} would be set aside.",
            f"At least {FEWEST} are needed on both sides: give more rows, or test=...",
        )
    order = torch.randperm(units.count, generator=torch.Generator().manual_seed(seed)).numpy()
    fit, held = split_units(units, order, holdout)
    train, aside = (rows.subset(torch.from_numpy(part)) for part in (np.sort(fit), held))
    return train, aside, duplicates


def for_rows(given: Filter | None, rows: Samples, whole: Samples, task: Task) -> Filter | None:
    """A filter of all rows for those that are left of them.

    Parameters
    ----------
    given : Filter or None
        With a weight for each of all rows, or without any.
    rows, whole : Samples
        A part, and what it is a part of.
    task : Task
        What is predicted.

    Raises
    ------
    InvalidInput
        If there are weights of another number than rows.
    """
    if given is None:
        return None
    given.check(task, len(whole))
    if len(rows) == len(whole):
        return given
    own, all_rows = (getattr(s.source, "rows", None) for s in (rows, whole))
    assert own is not None  # noqa: S101  (a part is chosen by rows)
    if all_rows is None:
        return given.chosen(own)
    order = torch.argsort(all_rows)
    return given.chosen(order[torch.searchsorted(all_rows[order], own)])


def _cases_in(data: Any, cases: Any, *, own: bool) -> tuple[Any, NDArray[Any] | None]:
    """The data without the column that names cases, and the cases where they are these rows'."""
    if not isinstance(cases, str):
        return data, None if cases is None or not own else np.asarray(cases)
    names = data.column_names if hasattr(data, "column_names") else data
    if not (hasattr(data, "column_names") or isinstance(data, Mapping)) or cases not in names:
        raise InvalidInput(
            f"cases is {cases!r}, and the data has no column of that name.",
            "Give an array with the case of each row.",
        )
    found = np.asarray(data[cases])
    if hasattr(data, "remove_columns"):
        return data.remove_columns(cases), found
    return {name: values for name, values in data.items() if name != cases}, found


def _with_cases(rows: Samples, cases: NDArray[Any] | None) -> Samples:
    if cases is not None:
        rows = rows.subset(range(len(rows)))  # not the caller's own object
        rows.cases = read_column(cases, range(len(rows)), "cases")
    return rows


def _first(rows: Samples, rule: Rule, settings: Training) -> tuple[NDArray[np.int64], Rule]:
    """Of which row each is a copy, where all can be looked at cheaply; and the rule for parts."""
    size, n = settings.batch_size, len(rows)
    if not isinstance(rows.source, Arrays) or n > MOST_HASHED:
        return np.arange(n), rule
    layout = layout_of(rows.batches(range(n), size))
    if n * sum(b.width for b in layout.blocks) * 8 > _BYTES:
        return np.arange(n), rule
    values = compared_rows(rows, range(n), layout, size)
    found = find_duplicates(values, layout.kinds(), rule)
    return found.first, found.rule_for_parts(rule)


def compared_rows(
    rows: Samples, places: range, layout: Layout, size: int | None
) -> NDArray[np.float64]:
    """What samples are compared by: their inputs as rows (n, d), without what pads them.

    Parameters
    ----------
    rows : Samples
        The samples.
    places : range
        Which of them.
    layout : Layout
        That of the inputs.
    size : int or None
        Samples in a batch.
    """
    return np.concatenate(
        [layout.bare(rows_of(b.inputs, layout)) for b in rows.batches(places, size)]
    )

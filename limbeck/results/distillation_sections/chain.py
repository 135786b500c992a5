"""The bounds of a way of several steps, one below the other."""

from __future__ import annotations

from dataclasses import dataclass

from limbeck.certificates.wording import in_percent, upward
from limbeck.reports.numbers import percent
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.distillation_record import DistillationRecord

__all__ = ["ChainRow", "chain_table"]


@dataclass(frozen=True)
class ChainRow:
    """One bound: what is compared, at most how far apart, and how surely."""

    compared: str
    seen: float | None
    epsilon: float
    tolerance: float | None
    delta: float


def chain_table(result: DistillationRecord) -> Table[ChainRow] | None:
    """A row per step, one for all of them, and one for the direct comparison.

    Parameters
    ----------
    result : DistillationRecord
        Of a way of several steps; else there is no table.
    """
    found = result.chain
    if found is None:
        return None
    names = ("teacher", *found.students)
    rows = [
        ChainRow(f"{a} → {b}", c.mean_loss, c.epsilon, c.tolerance, c.delta)
        for a, b, c in zip(names, names[1:], found.steps, strict=False)
    ]
    rows.append(ChainRow("all steps", None, found.epsilon, found.tolerance, found.delta))
    direct = found.direct
    rows.append(
        ChainRow(
            f"teacher → {names[-1]}, directly", direct.mean_loss, direct.epsilon, direct.tolerance,
            direct.delta,
        )
    )  # fmt: skip
    unit = result.student.task_.unit
    columns: list[Column[ChainRow]] = [
        Column("compared", lambda r: r.compared),
        Column("seen", lambda r: r.seen, "on these rows", format=percent, align="right"),
        Column("tolerance", lambda r: r.tolerance, format=lambda t: upward(t, 6), align="right",
               unit=unit, optional=True),
        Column("epsilon", lambda r: r.epsilon, "at most", format=lambda e: f"{upward(100 * e)}%",
               align="right", drawing=Drawing("bar")),
        Column("delta", lambda r: r.delta, "but for a probability of", align="right",
               format=lambda d: f"{100 * d:.4g}%"),
    ]  # fmt: skip
    what = "beyond the tolerance" if direct.tolerance is not None else "differ"
    smaller = rows[-2] if found.by_steps else rows[-1]
    return Table(
        f"Shares of inputs on which two models {what}; all bounds hold at once with probability at"
        f" least {in_percent(1 - found.total_delta)}. The smaller of the last two is the bound.",
        columns,
        rows,
        strong=lambda r: r is smaller,
    )

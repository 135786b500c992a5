"""What float32 cannot tell apart: students split only where it can."""

from __future__ import annotations

import numpy as np

from limbeck.core.columns import Rows

__all__ = ["float32_note"]

_MOST = 20_000
_LOST = 0.5  # of the different values of a column


def float32_note(rows: Rows) -> str:
    """A sentence on the columns most of whose values float32 cannot tell apart; else empty.

    Such as times in seconds since 1970, of which float32 keeps steps of 128 seconds.

    Parameters
    ----------
    rows : Rows
        Of n rows; of very many the first 20,000 are looked at.
    """
    lost = []
    for j, column in enumerate(rows.features.columns):
        x = rows.values[:_MOST, j]
        x = np.unique(x[~np.isnan(x)])
        with np.errstate(over="ignore"):
            kept = len(np.unique(x.astype(np.float32)))
        if column.kind == "numeric" and len(x) and kept <= _LOST * len(x):
            lost.append(f"{column.name!r} ({len(x):,} different values, {kept:,} in float32)")
    if not lost:
        return ""
    many = len(lost) > 1
    more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
    return (
        f"{', '.join(lost[:3])}{more}: {'columns' if many else 'a column'} that float32 cannot"
        " tell apart, and the student splits only where it can. Subtract from"
        f" {'each' if many else 'it'} a value in its middle."
    )

"""Text in .csv files that spreadsheets would take for formulas, and run."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_not
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMULA", "with_formulas", "without_formulas"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell that is a formula begins with (OWASP, CSV Injection)."""
_MARK = "'"  # spreadsheets show what follows as text


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts and names no spreadsheet takes for formulas.

    An apostrophe is put before texts that begin with a formula's character, or with apostrophes
    and one; `with_formulas` takes it off again.

    Parameters
    ----------
    frame : DataFrame
        Numbers are left as they are.
    """
    return _each(frame, lambda text: _MARK + text if _begins(text) else text)


def with_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """The table that `without_formulas` was given.

    Parameters
    ----------
    frame : DataFrame
        As it was read from the file.
    """
    return _each(frame, lambda text: text[1:] if text[:1] == _MARK and _begins(text) else text)


def _begins(text: str) -> bool:
    return text.lstrip(_MARK).startswith(FORMULA)


def _each(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The table with each text and each name changed."""

    def changed(value: object) -> object:
        return change(value) if isinstance(value, str) else value

    out = frame.copy(deep=False)
    for place, kind in enumerate(frame.dtypes):
        if kind.kind not in "biufcmM":  # categories become text, as they do in the file
            before = frame.iloc[:, place].astype(object)
            column = before.map(changed, na_action="ignore")
            if any(map(is_not, column, before)):  # else its dtype stays as it is
                out.isetitem(place, column)
    return out.set_axis([changed(name) for name in frame.columns], axis=1)

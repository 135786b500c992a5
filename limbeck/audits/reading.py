"""How a column is read: as numbers, yes or no, or categories; and why it cannot be read.

Text that holds numbers ("45%", "$45,000", "1.234,5", "?") is read as numbers where it can mean one
thing only, and refused where it can mean two. What was done is kept for the table of columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbeck.audits.results import ColumnReading

__all__ = ["MISSING_TEXT", "Read", "number_like", "read_column"]

MISSING_TEXT = frozenset(
    ["", "?", "-", "--", ".", "na", "n/a", "#n/a", "nan", "null", "none", "missing"]
)
"""Text that is read as missing in a column whose other values are numbers; in lower case."""

_CURRENCY = "$€£¥₹"
_NUMBER = re.compile(r"[+-]?(\d+([.,' \u00a0\u202f]\d+)*|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([ T].*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
    r"|(\d{1,2}[ -])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[ ,-]+\d.*",
    re.IGNORECASE,
)
_STANDS_FOR_MISSING = (99.0, 999.0, 9999.0, 99999.0, 999999.0)
_MOST_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Read:
    """A column after reading: what it holds, how that was found, and why it cannot be used.

    ``refused`` and ``remedy`` are empty where it can; ``doubt`` is what the auditor should check.
    """

    values: Any
    reading: ColumnReading
    refused: str = ""
    remedy: str = ""
    doubt: str = ""


def read_column(column: Any, name: str, missing: tuple[Any, ...] = ()) -> Read:
    """Read one column.

    Parameters
    ----------
    column : Series
        As pandas holds it.
    name : str
        For the record.
    missing : tuple
        Values that stand for missing, as numbers or text.

    Returns
    -------
    Read
        Numbers as float64 or the column's own dtype, booleans and categories as they were.
    """
    import pandas as pd
    from pandas.api import types

    column = _without(column, missing)
    distinct = int(column.nunique(dropna=True)) if _hashable(column) else 0
    told = ColumnReading(name, "feature", "", distinct, int(column.isna().sum()), "")
    if types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        told = replace(told, kind="dates")
        return Read(column, told, "it holds dates", "Turn it into a number, such as days since a"
                    " date or an age.")  # fmt: skip
    if types.is_complex_dtype(column.dtype):
        told = replace(told, kind="complex numbers")
        return Read(column, told, "it holds complex numbers", "Give real and imaginary part as two"
                    " columns.")  # fmt: skip
    if types.is_bool_dtype(column.dtype):
        return Read(column, replace(told, kind="yes or no"))
    if types.is_numeric_dtype(column.dtype):
        return _numbers(column, told)
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind = "ordered categories" if column.cat.ordered else "categories"
        return Read(column, replace(told, kind=kind))
    present = column.dropna()
    if len(present) and all(isinstance(v, bool | np.bool_) for v in present):
        return Read(column, replace(told, kind="yes or no"))
    if not all(isinstance(v, str | int | float | np.number) for v in present):
        told = replace(told, kind="neither numbers nor text")
        import datetime

        if len(present) and all(isinstance(v, datetime.date | datetime.time) for v in present):
            return Read(column, replace(told, kind="dates"), "it holds dates",
                        "Turn it into a number, such as days since a date or an age.")  # fmt: skip
        return Read(column, told, "it holds neither numbers nor text", "Give numbers, booleans or"
                    " text.")  # fmt: skip
    return _text(column, told)


def number_like(text: str) -> bool:
    """Whether a text looks like one number, with or without a currency or percent sign."""
    return _NUMBER.fullmatch(_bare(text)) is not None


def _without(column: Any, missing: tuple[Any, ...]) -> Any:
    """The column with the values that stand for missing taken out."""
    if not missing:
        return column
    text = {str(m).strip() for m in missing}
    numbers = [float(m) for m in missing if number_like(str(m)) and _plain(str(m))]
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return column.mask(column.isin(numbers))
    if not _hashable(column):
        return column
    return column.mask(column.map(lambda v: str(v).strip() in text).astype(bool))


def _plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _hashable(column: Any) -> bool:
    try:
        column.nunique(dropna=True)
    except TypeError:
        return False
    return True


def _numbers(column: Any, told: ColumnReading) -> Read:
    told = replace(told, kind="number")
    v = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(v).any():
        return Read(column, told, "it holds infinite values", "Replace them by numbers, or leave"
                    " them empty.")  # fmt: skip
    return Read(column, told, doubt=_stands_for_missing(v, told.name))


def _stands_for_missing(v: Any, name: str) -> str:
    """A sentence where a value such as 999 lies far beyond all others."""
    v = v[np.isfinite(v)]
    values, counts = np.unique(v, return_counts=True)
    if len(values) < 4:
        return ""
    for value, count, rest in (
        (values[-1], counts[-1], values[:-1]),
        (values[0], counts[0], values[1:]),
    ):
        size = abs(float(value))
        far = size in _STANDS_FOR_MISSING and np.abs(rest).max() < size / 2
        negative = value < 0 and rest.min() >= 0 and size in (1.0, 9.0, *_STANDS_FOR_MISSING)
        if count > 1 and (far or negative):
            return (
                f"{value:g} stands in {count:,} rows of {name}, and all other values lie between"
                f" {rest.min():g} and {rest.max():g}. It was read as a number."
            )
    return ""


def _text(column: Any, told: ColumnReading) -> Read:
    import pandas as pd

    text = column.map(lambda v: v.strip() if isinstance(v, str) else str(v), na_action="ignore")
    levels = [str(v) for v in text.dropna().unique()]
    gone = [v for v in levels if v.lower() in MISSING_TEXT]
    rest = [v for v in levels if v.lower() not in MISSING_TEXT]
    if rest and {v.lower() for v in rest} <= {"true", "false"}:
        values = text.map(lambda v: {"true": True, "false": False}.get(str(v).lower()))
        told = replace(told, kind="yes or no", missing=int(values.isna().sum()))
        return Read(values.astype("boolean"), replace(told, note=_missing_note(gone)))
    if rest and sum(_DATE.fullmatch(v) is not None for v in rest) > 0.9 * len(rest):
        told = replace(told, kind="dates")
        return Read(column, told, f"it holds dates as text (such as {rest[0]!r})",
                    "Turn it into a number, such as days since a date or an age.")  # fmt: skip
    odd = [v for v in rest if not number_like(v)]
    if rest and not odd and not _labels(rest):
        found = _parsed(rest)
        if isinstance(found, str):
            told = replace(told, kind="text")
            return Read(column, told, found, "Write plain numbers, such as 1234.5.")
        table, note = found
        values = text.map(table).astype(np.float64)
        told = replace(told, kind="number", missing=int(values.isna().sum()), values=len(table))
        notes = "; ".join(n for n in (note, _missing_note(gone)) if n)
        read = _numbers(values, replace(told, note=notes))
        return replace(read, values=values)
    empty = text.isna() | (text == "")
    told = replace(told, kind="categories", missing=int(empty.sum()))
    values = pd.Series(text.astype(object).where(~empty, None), index=column.index)
    note = ""
    if rest and odd and len(odd) <= 0.1 * len(rest):
        shown = ", ".join(repr(v) for v in odd[:_MOST_SHOWN])
        note = f"text, as not all of its values are numbers (such as {shown})"
    elif rest and not odd:
        note = "digits with leading zeros are names, not numbers"
    return Read(values, replace(told, note=note, values=len(rest) + len([g for g in gone if g])))


def _missing_note(gone: list[str]) -> str:
    shown = [repr(g) for g in gone if g]
    return f"{', '.join(shown)} read as missing" if shown else ""


def _labels(texts: list[str]) -> bool:
    """Whether these are names made of digits, such as ``02139``."""
    return any(re.fullmatch(r"0\d+", t) for t in texts)


def _bare(text: str) -> str:
    """A number without currency, percent sign and the brackets of a negative amount."""
    text = text.strip()
    if re.fullmatch(r"\(.*\)", text):
        text = "-" + text[1:-1].strip()
    text = text.replace("\u2212", "-")
    text = re.sub(rf"^([+-]?)\s*[{_CURRENCY}]\s*", r"\1", text)
    return re.sub(rf"\s*[%{_CURRENCY}]$", "", text).strip()


def _parsed(texts: list[str]) -> tuple[dict[str, float], str] | str:
    """The number behind each text and how it was read, or why that cannot be known."""
    percent = [t.endswith("%") for t in texts]
    signs = {c for t in texts for c in t if c in _CURRENCY}
    if any(percent) and not all(percent):
        some = texts[percent.index(True)]
        return f"only some of its values are percentages (such as {some!r})"
    if len(signs) > 1:
        return f"it holds amounts in several currencies ({', '.join(sorted(signs))})"
    bare = [re.sub(r"['\s\u00a0\u202f]", "", _bare(t)) for t in texts]
    comma = _decimal_comma(bare, bool(signs))
    if comma is None:
        shown = next(b for b in bare if "," in b)
        return f"{shown!r} may mean {shown.replace(',', '')} or {shown.replace(',', '.')}"
    if comma:
        plain = [b.replace(".", "").replace(",", ".") for b in bare]
    else:
        plain = [b.replace(",", "") for b in bare]
    if not all(_plain(p) for p in plain):
        bad = texts[[_plain(p) for p in plain].index(False)]
        return f"{bad!r} is no number that can be read"
    notes = []
    if any(percent):
        notes.append("percent signs left out, so that 45% is 45")
    if signs:
        notes.append(f"{signs.pop()} left out")
    if any("," in b for b in bare):
        notes.append("decimal commas" if comma else "commas between thousands")
    return dict(zip(texts, map(float, plain), strict=True)), "; ".join(notes)


def _decimal_comma(bare: list[str], money: bool) -> bool | None:
    """Whether a comma is the decimal sign; None where both readings are possible."""
    with_comma = [b.lstrip("+-") for b in bare if "," in b]
    if not with_comma:
        return any(b.count(".") > 1 for b in bare)  # 1.234.567: points between thousands
    thousands = [re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", b) is not None for b in with_comma]
    decimals = [re.fullmatch(r"\d+,\d+|\d{1,3}(\.\d{3})+,\d+", b) is not None for b in with_comma]
    if not all(thousands):
        return all(decimals)
    if not all(decimals) or money:
        return False  # two commas, or a comma and a point: thousands
    others = [b.lstrip("+-") for b in bare if "," not in b]
    if others and all(_plain(b) and float(b) < 1000 for b in others):
        return False  # what is below a thousand has no comma
    return None

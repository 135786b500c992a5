"""One column: its name, kind and unit, and how its cells become numbers and go back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput

__all__ = [
    "Feature",
    "Kind",
    "decode_column",
    "dtype_name",
    "encode_column",
    "kind_of",
    "typed_column",
]

_CATEGORY = re.compile(r"category(\[(?P<of>\w+)\])?(?P<ordered> ordered)?")
Kind = Literal["numeric", "boolean", "categorical", "text"]
_UNIT = re.compile(r"\s*[\[(]([^\[\]()]+)[\])]\s*$")


@dataclass(frozen=True)
class Feature:
    """One column: its name, kind, unit and, for categories, its levels in code order."""

    name: str
    kind: Kind = "numeric"
    unit: str = ""
    levels: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name without a unit in brackets, for display beside a unit."""
        return _UNIT.sub("", self.name) if self.unit else self.name


def kind_of(column: Any, name: str) -> tuple[Kind, tuple[str, ...]]:
    """The kind of a column of a data frame, and its levels where it has categories.

    Parameters
    ----------
    column : Series
        The cells.
    name : str
        Its name, for the refusal.

    Raises
    ------
    InvalidInput
        If its cells are neither numbers nor booleans nor texts.
    """
    import pandas as pd
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return "boolean", ()
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        return "numeric", ()
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "categorical", tuple(map(str, column.cat.categories))
    if types.is_string_dtype(column.dtype) or column.dtype == object:
        present = column.dropna()
        if all(isinstance(v, bool) for v in present):
            return "boolean", ()
        if all(isinstance(v, str) for v in present):
            return "categorical", tuple(sorted(present.unique()))
    raise InvalidInput(
        f"Column {name!r} has dtype {column.dtype}, which is no number, boolean or category.",
        "Drop it, or turn it into numbers (a date into days since a date) or into text.",
    )


def dtype_name(dtype: Any) -> str:
    """The dtype as text; for categories with what decoding needs: numbers, and an order."""
    import pandas as pd

    if not isinstance(dtype, pd.CategoricalDtype):
        return str(dtype)
    of = dtype.categories.dtype
    numbers = f"[{of}]" if of.kind in "iuf" else ""
    return f"category{numbers}{' ordered' if dtype.ordered else ''}"


def encode_column(c: Feature, column: Any) -> NDArray[np.float64]:
    """Cells as numbers: categories as codes; NaN for missing and for levels that are not known.

    Parameters
    ----------
    c : Feature
        The column as it was.
    column : Series
        Cells of it.

    Raises
    ------
    InvalidInput
        If they are no numbers, and were.
    """
    if c.kind != "categorical":
        try:
            out: NDArray[np.float64] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            raise InvalidInput(
                f"Column {c.name!r} was {c.kind} when the student was made, and is now"
                f" {column.dtype}.",
                "Convert it to numbers before asking.",
            ) from None
        return out
    codes = {level: float(i) for i, level in enumerate(c.levels)}
    missing = column.isna().to_numpy()
    text = column.astype(object).to_numpy()
    pairs = zip(text, missing, strict=True)
    return np.array(
        [np.nan if m else codes.get(str(v), np.nan) for v, m in pairs], dtype=np.float64
    )


def decode_column(c: Feature, values: NDArray[np.float64], dtype: str) -> Any:
    """Cells of a dtype from numbers, as `encode_column` made them.

    Parameters
    ----------
    c : Feature
        The column.
    values : ndarray of shape (n,)
        The numbers.
    dtype : str
        As `dtype_name` wrote it.
    """
    import pandas as pd

    missing = np.isnan(values)
    if c.kind == "categorical":
        codes = np.where(missing, -1, values).astype(np.int64)
        found, levels, ordered = _categories(c, dtype)
        column = pd.Categorical.from_codes(codes, categories=levels, ordered=ordered)
        return column if found else column.astype(object)
    if c.kind == "boolean" and dtype == "object":
        out = np.round(values).astype(object)
        return np.array([None if m else bool(v) for v, m in zip(out, missing, strict=True)], object)
    whole = not dtype.lower().startswith("float")
    if whole:
        values = np.round(values)
    if missing.any() and (dtype == "bool" or dtype.startswith(("int", "uint"))):
        return values  # pandas has no missing value for these: they become floats, as in pandas
    return pd.Series(values).astype(dtype)


def typed_column(c: Feature, cells: NDArray[Any], dtype: str) -> Any:
    """Cells as they were given, as a column of a dtype.

    Parameters
    ----------
    c : Feature
        The column.
    cells : ndarray of shape (n,), object
        The values.
    dtype : str
        As `dtype_name` wrote it.
    """
    import pandas as pd

    values = pd.Series(cells, dtype=object)
    found, levels, ordered = _categories(c, dtype)
    return pd.Categorical(values, levels, ordered=ordered) if found else values.astype(dtype)


def _categories(c: Feature, dtype: str) -> tuple[bool, Any, bool]:
    """Whether a dtype is of categories; the levels in their type; whether they have an order."""
    import pandas as pd

    found = _CATEGORY.fullmatch(dtype)
    levels = pd.Index(list(c.levels))
    if found and found["of"]:
        levels = levels.astype(found["of"])
    return found is not None, levels, bool(found and found["ordered"])

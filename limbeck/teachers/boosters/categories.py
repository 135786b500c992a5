"""Columns of categories in the form that a booster was trained on, whatever the table holds.

A table from a file holds texts, and a booster that was trained on a DataFrame holds the values of
its categories. Boosters compare codes, so that equal values in another order would be other rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from limbeck.core.errors import InvalidInput

__all__ = ["Unknown", "as_categories", "check_codes", "textual"]

Unknown = Literal["missing", "refused"]


def textual(batch: Any) -> list[str]:
    """The columns of a DataFrame that hold texts or categories.

    Parameters
    ----------
    batch : DataFrame
        The rows.
    """
    from pandas.api.types import is_numeric_dtype

    return [
        name
        for name, kind in batch.dtypes.items()
        if kind == "category" or not (is_numeric_dtype(kind) or kind.kind in "bmM")
    ]


def as_categories(
    name: str, batch: Any, known: Mapping[str, Any], unknown: Unknown = "missing"
) -> Any:
    """The rows with the known categories in the order of the booster.

    Parameters
    ----------
    name : str
        The booster's, for errors.
    batch : DataFrame
        The rows.
    known : mapping from column to values
        The categories, in the order of their codes.
    unknown : {"missing", "refused"}
        What becomes of other values, as the library treats them.

    Returns
    -------
    DataFrame
        The same where nothing changes.

    Raises
    ------
    InvalidInput
        If a column holds texts where the booster knows numbers, or the other way round; or values
        that are unknown and refused.
    """
    import pandas as pd

    made = {}
    for column, values in known.items():
        held = batch[column]
        index = pd.Index(values)
        coded = isinstance(held.dtype, pd.CategoricalDtype)
        if coded and held.cat.categories.equals(index):
            continue
        found = held.cat.remove_unused_categories().cat.categories if coded else held
        _same_kind(name, column, found, index)
        if unknown == "refused":
            others = (
                found[held.notna() & ~held.isin(index)] if not coded else found.difference(index)
            )
            if len(others):
                raise InvalidInput(
                    f"Column {column!r} holds {next(iter(others))!r}, and {name} was not trained"
                    " on it.",
                    f"It knows {_some(index)}. Leave these rows out.",
                )
        made[column] = (
            held.cat.set_categories(index)
            if coded
            else pd.Categorical(held.where(held.isin(index)), categories=index)
        )
    return batch.assign(**made) if made else batch


def _same_kind(name: str, column: str, found: Any, known: Any) -> None:
    from pandas.api.types import is_numeric_dtype

    kinds = {True: "numbers", False: "texts"}
    mine, trained = is_numeric_dtype(found.dtype), is_numeric_dtype(known.dtype)
    if mine != trained and len(found) and found.notna().any():
        raise InvalidInput(
            f"Column {column!r} holds {kinds[mine]}, and {name} was trained on the {kinds[trained]}"
            f" {_some(known)}.",
            f"Make it a column of {kinds[trained]}, or give preprocess=... that does.",
        )


def check_codes(name: str, batch: Any, columns: list[str]) -> None:
    """Refuse categories by name where a booster holds their codes only.

    Parameters
    ----------
    name : str
        The booster's, for errors.
    batch : DataFrame
        The rows.
    columns : list of str
        The booster's columns of categories.

    Raises
    ------
    InvalidInput
        If such a column holds texts, or categories that are not their own codes.
    """
    for column in set(columns) & set(textual(batch)):
        held = batch[column]
        if held.dtype == "category" and list(held.cat.categories) == list(
            range(len(held.cat.categories))
        ):
            continue
        raise InvalidInput(
            f"{name} knows the categories of {column!r} by number, and not their names.",
            "Give preprocess=... that makes the numbers it was trained on.",
        )


def _some(values: Any) -> str:
    shown = ", ".join(map(repr, values[:5].tolist()))
    return shown + (", ..." if len(values) > 5 else "")

"""Which databases understand the SELECT of a student, and what the others lack."""

from __future__ import annotations

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = ["check_dialect"]

_KNOWN = ("duckdb", "postgresql", "sqlite")
_LACKING = {
    "sqlite_without_math": ("EXP(", "the function EXP"),
    "tsql": ("CASE", "truth values in expressions, such as FALSE"),
    "oracle": ("FROM", "a FALSE in COALESCE, and AS before the name of a subquery"),
    "mysql": ('"', "names in double quotes, unless it runs with ANSI_QUOTES"),
    "bigquery": ('"', "names in double quotes"),
}
"""What stands in a SELECT, and what the dialect lacks where it does."""


def check_dialect(text: str, dialect: str) -> None:
    """Refuse a dialect that cannot read a SELECT.

    Parameters
    ----------
    text : str
        The SELECT.
    dialect : str
        ``duckdb``, ``postgresql`` or ``sqlite``, which share it; ``sqlite_without_math`` is SQLite
        before 3.35, or built without ``SQLITE_ENABLE_MATH_FUNCTIONS``.

    Raises
    ------
    InvalidInput
        If there is no such dialect, or it lacks something.
    """
    if dialect in _KNOWN:
        return
    if dialect not in _LACKING:
        raise InvalidInput(
            f"There is no SQL dialect {dialect!r}.",
            did_you_mean(dialect, (*_KNOWN, *_LACKING)),
        )
    sign, lacks = _LACKING[dialect]
    if sign in text:
        raise InvalidInput(
            f"The SELECT of this student cannot run in {dialect}, which lacks {lacks}.",
            "Run it in DuckDB, SQLite or PostgreSQL, or export to .py, .js, .c or .onnx.",
        )

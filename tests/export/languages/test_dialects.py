from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.export.languages.dialects import check_dialect

SUM = "SELECT *, 2.0e0 * x AS predicted FROM rows"
SOFT = "SELECT *, EXP(x) AS predicted FROM rows"
TREE = "SELECT *, CASE WHEN x <= 1.0e0 THEN 1 ELSE 2 END AS predicted FROM rows"


@pytest.mark.parametrize(
    ("dialect", "taken", "refused", "lacks"),
    [
        ("sqlite_without_math", [SUM, TREE], SOFT, "the function EXP"),
        ("tsql", [SUM, SOFT], TREE, "truth values in expressions"),
        ("oracle", ["SELECT 1"], SUM, "a FALSE in COALESCE"),
        ("mysql", [SUM, SOFT, TREE], 'SELECT "x"', "names in double quotes, unless"),
        ("bigquery", [SUM, SOFT, TREE], 'SELECT "x"', "names in double quotes"),
    ],
)
def test_a_dialect_is_refused_only_what_it_lacks(dialect, taken, refused, lacks) -> None:
    for text in taken:
        check_dialect(text, dialect)
    with pytest.raises(InvalidInput, match=f"cannot run in {dialect}, which lacks {lacks}"):
        check_dialect(refused, dialect)


@pytest.mark.parametrize("dialect", ["duckdb", "postgresql", "sqlite"])
def test_the_dialects_that_share_a_select_take_all_of_it(dialect) -> None:
    check_dialect(f'{SOFT} {TREE} "x"', dialect)


def test_an_unknown_dialect_is_named_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"no SQL dialect 'postgres'\. .*'postgresql'"):
        check_dialect(SUM, "postgres")

from __future__ import annotations

from limbeck.certificates.budget_rows import Budget, BudgetRow

ROWS = (
    BudgetRow("distil", 300, "ln(1/d)/e", "Chernoff"),
    BudgetRow("learn it", 1_200_000, "d/e", "Blumer", "lower"),
)


def test_numbers_stand_below_each_other() -> None:
    lines = Budget("trees", 0.01, 0.05, 12.34, 7, None, ROWS).text().splitlines()
    assert lines[:3] == [
        "Into trees, at most 2^12.3 functions, VC dimension at least 7; epsilon 0.01, delta 0.05",
        "  distil    at most        300 rows   ln(1/d)/e   (Chernoff)",
        "  learn it  at least 1,200,000 rows   d/e   (Blumer)",
    ]
    infinite = Budget("halfspaces", 0.1, 0.05, None, 3, 4, ROWS)
    assert str(infinite).startswith("Into halfspaces, VC dimension 4; epsilon 0.1")

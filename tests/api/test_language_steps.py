from __future__ import annotations

import pytest

pytest.importorskip("torch")

from limbeck.api.language_steps import sum_of_bills
from limbeck.language.train_texts import Bill


def test_one_bill_for_all_seeds_with_what_the_teacher_wrote_before() -> None:
    bills = [Bill(1.0, 2.0, 4.0, 8, 16, 32), Bill(0.5, 0.25, 0.125, 1, 2, 3)]
    found = sum_of_bills(bills, 10.0, 100)
    assert found == Bill(1.5, 2.25, 14.125, 9, 18, 135)
    assert found.total == 1.5 + 2.25 + 14.125
    assert sum_of_bills(bills[:1]) == bills[0]

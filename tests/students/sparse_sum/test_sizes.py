from __future__ import annotations

from limbeck.students.sparse_sum.sizes import doubling_up_to, sizes_up_to


def test_sizes_end_with_the_largest() -> None:
    assert sizes_up_to(1) == (1,)
    assert sizes_up_to(7) == (1, 2, 3, 4, 5, 6, 7)
    assert sizes_up_to(32)[-2:] == (24, 32)
    assert doubling_up_to(20) == (2, 4, 8, 16, 20)

from __future__ import annotations

import pytest

from limbeck.certificates.verification import FieldMismatch, Verification, same
from limbeck.core.certificate import GroupBound


def test_numbers_may_differ_in_their_last_bits_alone() -> None:
    group = GroupBound("a", 0.1, 0.05, 10, 0.2)
    close = GroupBound("a", 0.1 * (1 + 1e-12), 0.05, 10, 0.2)
    assert same(group, close)
    assert same({"x": [1.0, ("a", None)]}, {"x": (1.0 + 1e-12, ["a", None])})
    assert same(1.0, 1)
    for a, b in [(0.1, 0.1 + 1e-8), ([1], [1, 2]), ({"x": 1}, {"y": 1}), ("a", "b"), (None, 0)]:
        assert not same(a, b)
    assert not same(group, GroupBound("b", 0.1, 0.05, 10, 0.2))


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("student", "this is not the student that was certified (aaaaaaaaaaaa... was"),
        ("rows", "differ from those that were certified (aaaaaaaaaaaa... were"),
        ("settings['ordered_rows']", "stand in another order"),
        ("delta", "delta is stated as 'aaaaaaaaaaaaaaa', and recomputing gives 'b'"),
    ],
)
def test_a_difference_is_a_sentence(field: str, says: str) -> None:
    assert says in str(FieldMismatch(field, "a" * 15, "b"))


def test_the_verdict_comes_first_and_what_was_not_checked_last() -> None:
    good = Verification(("n", "delta"), (), ("Written with numpy 1.",), ("That rows are fresh.",))
    assert good.ok
    assert str(good).splitlines() == [
        "Verified: all 2 fields follow from the student and the rows.", "Written with numpy 1.",
        "Not checked:", "  That rows are fresh.",
    ]  # fmt: skip
    bad = Verification(("n", "delta"), (FieldMismatch("signature", None, "It does not fit."),))
    assert not bad.ok
    assert str(bad) == "Not verified: 1 of 3 fields differ.\nIt does not fit."

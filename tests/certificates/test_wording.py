from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.certificates.losses import BoundedLoss
from limbeck.certificates.wording import against_asked, assumptions, statement, surplus, upward


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 3, "0"),
        (5.303, 3, "5.31"),
        (5.0, 3, "5"),
        (0.1 + 0.2, 3, "0.3"),
        (99.97, 3, "100"),
        (1234.5, 3, "1240"),
        (0.000123456, 6, "0.000123456"),
    ],
)
def test_upward(value: float, digits: int, text: str) -> None:
    assert upward(value, digits) == text


@given(st.floats(1e-9, 1e9), st.integers(2, 6))
def test_upward_is_never_below_and_never_far(value: float, digits: int) -> None:
    shown = float(upward(value, digits))
    assert value * (1 - 1e-9) <= shown <= value * (1 + 10.0 ** (1 - digits)) * (1 + 1e-9)


def say(loss: BoundedLoss, tolerance: float | None = None, **changes: object) -> str:
    numbers = {"epsilon": 0.05, "delta": 0.01, "n": 1000, "mean": 0.02, "candidates": 1}
    return statement(loss, tolerance=tolerance, anytime=False, **(numbers | changes))  # type: ignore[arg-type]


def test_sentences() -> None:
    assert say(BoundedLoss("disagreement"), candidates=3) == (
        "With probability at least 99% over 1,000 fresh rows, for all 3 candidates at once, the"
        " student differs from the teacher on at most 5% of inputs drawn like them (20 of 1,000"
        " differed)."
    )
    assert say(BoundedLoss("exceeds", unit="kPa"), 0.25).endswith(
        "the student is within 0.25 kPa of the teacher on at least 95% of inputs drawn like them"
        " (20 of 1,000 were further off)."
    )
    assert say(BoundedLoss("absolute", 0, 2, unit="K")).endswith(
        "the mean loss (absolute) of the student against the teacher is at most 0.05 K on inputs"
        " drawn like them (0.02 on these)."
    )


def test_comparison_with_what_was_asked() -> None:
    counted, found = BoundedLoss("disagreement"), BoundedLoss("exceeds")
    assert against_asked(counted, 0.05, 0.1, 0.05, 0.01) == " At most 10% was asked for."
    assert "about 299 rows" in against_asked(counted, 0.05, 0.01, 0.05, 0.0)
    assert "will not help" in against_asked(counted, 0.05, 0.01, 0.05, 0.02)
    assert against_asked(BoundedLoss("squared", 0, 9), 0.5, 0.1, 0.05, 0.3).endswith(
        "0.1 that was asked for is not reached."
    )
    assert against_asked(found, 0.05, 0.05, 0.05, 0.0) == ""
    assert surplus(10, 10) == ""
    assert "12 were drawn" in surplus(10, 12)


def test_assumptions_say_what_matters() -> None:
    plain = assumptions(
        BoundedLoss("disagreement"),
        freshness="Fresh.",
        anytime=False,
        candidates=1,
        groups=0,
        order=False,
    )
    assert len(plain) == 4
    assert plain[2] == "Fresh."
    full = assumptions(
        BoundedLoss("squared", 0, 4),
        freshness="Fresh.",
        anytime=True,
        candidates=2,
        groups=3,
        order=True,
    )
    for word in ("[0, 4]", "order", "stopping rule", "2 candidates", "3 groups"):
        assert any(word in sentence for sentence in full)

from __future__ import annotations

import math

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.selection.pilot_budget import seconds_of


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("10 min", 600), ("90 s", 90), ("1 h", 3600), ("2 hours", 7200), ("45", 45), (2.5, 2.5),
     ("1.5 minutes", 90)],
)  # fmt: skip
def test_times(said, seconds):
    assert seconds_of(said) == seconds


@pytest.mark.parametrize("said", ["soon", "10 parsecs", 0, -1, True, None, math.inf, "nan s", ""])
def test_what_is_no_time(said):
    with pytest.raises(InvalidInput, match="budget is"):
        seconds_of(said)

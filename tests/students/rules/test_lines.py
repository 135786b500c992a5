from __future__ import annotations

from limbeck.students.rules.lines import RuleLine, text_of

LINES = [
    RuleLine("IF", " and ".join(f"column_{i} > {i}" for i in range(12)), "yes (0.9)", 0.25, 1.0),
    RuleLine("ELSE", "", "a <very> long & name " * 5, 0.75, 0.0),
    RuleLine("Of several rules that hold, that with the smallest number decides."),
]  # fmt: skip


def test_text_has_shares():
    assert text_of(LINES[1:]).splitlines()[0].endswith("[75 %]")
    assert text_of(LINES[2:]) == LINES[2].head

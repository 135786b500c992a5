from __future__ import annotations

from limbeck.core.contract import Access


def test_access_is_said_in_words() -> None:
    assert str(Access.SCORES | Access.QUERIES) == "scores, queries"
    assert str(Access(0)) == "nothing"

from __future__ import annotations

from limbeck.core.contract import Access
from limbeck.results.routes import FoundRoutes
from limbeck.results.routes_record import FoundRoute
from tests.results.test_routes_record import RULES, TREE


def test_a_line_for_each_way_with_its_call() -> None:
    found = FoundRoutes("stored", Access.SCORES, (FoundRoute((TREE,)), FoundRoute((TREE, RULES))))
    assert len(found) == 2
    frame = found.to_frame()
    assert frame["route"].tolist() == ["tree", "tree → rules"]
    assert frame["steps"].tolist() == [1, 2]
    assert frame["method"].tolist() == ["trepan", "trepan, merge"]
    assert frame["call"].tolist() == [route.call for route in found.found]
    text = " ".join(str(found).split())
    assert text.startswith("From stored, which grants scores")
    assert "Of several steps the errors add up" in text
    direct = FoundRoutes("stored", Access.SCORES, (FoundRoute((TREE,)),))
    assert "Of several steps" not in " ".join(str(direct).split())

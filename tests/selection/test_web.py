"""Ways from a teacher to students, direct ones and composed ones."""

from __future__ import annotations

import pytest

from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.results.routes_record import STUDENT_ACCESS
from limbeck.selection.routes import students
from limbeck.selection.web import reductions, routes_to

ALL = ~Access(0)


def test_every_registered_method_is_a_reduction():
    found = {(r.into, r.method) for r in reductions()}
    assert found == {(into, name) for into, methods in students().items() for name in methods}
    usual = [r.into for r in reductions() if r.usual]
    assert sorted(usual) == sorted(students())


def test_steps_are_chained_by_what_a_student_grants():
    for route in routes_to("rules", Access.SCORES, "stored scores", 3):
        granted = Access.SCORES
        for step in route.steps:
            assert step.needs in granted
            granted = STUDENT_ACCESS
        names = [step.into for step in route.steps]
        assert names[-1] == "rules"
        assert len(set(names)) == len(names) <= 3
    ways = [r.via for r in routes_to("rules", Access.SCORES, "stored scores", 3)]
    assert len(set(ways)) == len(ways)
    assert ("tree",) in ways
    assert ("tree", "junta") in ways  # the tree answers any row
    assert ("junta",) not in ways
    assert not any("wavelet" in way for way in ways)


def test_shorter_and_lighter_ways_come_first():
    found = routes_to(None, ALL, "a network", 1)
    assert [r.effort for r in found] == sorted(r.effort for r in found)
    several = routes_to("tree", ALL, "a network", 2)
    assert [len(r.steps) for r in several] == sorted(len(r.steps) for r in several)
    assert (several[0].cost, several[-1].cost) == ("moderate", "heavy")


def test_an_empty_route_names_what_can_be_reached():
    message = (
        r"An estimator cannot lead to 'oblique_tree', which needs weights; it grants scores,"
        r" queries\.\s*These can be reached: .*'tree'"
    )
    with pytest.raises(AccessDenied, match=message):
        routes_to("oblique_tree", STUDENT_ACCESS, "an estimator", 3)
    with pytest.raises(AccessDenied, match=r"'junta', which needs queries.*give max_steps=2"):
        routes_to("junta", Access.SCORES, "stored scores", 1)
    with pytest.raises(AccessDenied, match="No method 'trepann' leads to 'tree'"):
        routes_to("tree", Access.SCORES, "stored scores", 1, "trepann")
    with pytest.raises(InvalidInput, match="Did you mean 'rules'"):
        routes_to("rulez", ALL, "a network")

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from limbeck.core.contract import Access
from limbeck.results.routes_record import FoundRoute, Reduction

TREE = Reduction("tree", "trepan", Access.QUERIES, 0.5, guarantee="greedy", usual=True)
RULES = Reduction("rules", "merge", Access.SCORES, 0.25)


@pytest.mark.parametrize(
    ("steps", "call"),
    [
        ((TREE,), 'limbeck.distill(teacher, X, y, into="tree")'),
        ((RULES,), 'limbeck.distill(teacher, X, y, into="rules", method="merge")'),
        ((TREE, RULES),
         'limbeck.distill(teacher, X, y, into="rules", method="merge", via="tree")'),
        ((RULES, RULES, TREE),
         'limbeck.distill(teacher, X, y, into="tree", via=["rules:merge", "rules:merge"])'),
    ],
)  # fmt: skip
def test_the_call_names_what_is_not_usual(steps, call) -> None:
    assert FoundRoute(steps).call == call
    ast.parse(call)


def test_effort_adds_up_to_a_word() -> None:
    words = [FoundRoute((replace(TREE, effort=e),)).cost for e in (0.9, 1.0, 2.9, 3.0)]
    assert words == ["light", "moderate", "moderate", "heavy"]
    assert FoundRoute((TREE, RULES)).effort == 0.75
    assert FoundRoute((TREE, TREE)).cost == "moderate"


def test_of_several_steps_errors_add_up() -> None:
    assert FoundRoute((TREE,)).guarantee == "greedy"
    three = FoundRoute((TREE, RULES, TREE))
    assert three.guarantee == "differs on at most e1 + e2 + e3"
    assert (three.via, three.into) == (("tree", "rules"), "tree")

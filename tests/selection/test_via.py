from __future__ import annotations

import pytest

from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.methods.greedy import Greedy
from limbeck.selection.routes import method_for
from limbeck.selection.via import by_way_of
from limbeck.students.tree.tree import Tree

LAST = method_for("rules", {"max_rules": 4})


def test_names_methods_and_classes_are_steps():
    assert [s.into for s in by_way_of("tree", LAST).steps] == ["tree", "rules"]
    assert isinstance(by_way_of("tree:greedy", LAST).steps[0], Greedy)
    assert by_way_of(Tree, LAST).steps[0] == by_way_of(["tree"], LAST).steps[0]
    own = Greedy(max_leaves=3)
    found = by_way_of([own, "junta"], LAST, epsilon=0.2)
    assert found.steps[0] is own
    assert found.steps[1].epsilon == 0.2
    assert found.steps[2] == LAST


def test_what_is_no_step_is_refused():
    for via, message in (("tre", "Did you mean 'tree'"), ("tree:gredy", "Did you mean 'greedy'"),
                         ([], "via is empty"), (7, "via is int, which is no step")):  # fmt: skip
        with pytest.raises(InvalidInput, match=message):
            by_way_of(via, LAST)
    with pytest.raises(AccessDenied, match="needs weights of its teacher, and a student grants"):
        by_way_of("tree", method_for("oblique_tree", {}))

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.methods.junta.method import FindJunta
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.selection.routes import (
    check_access,
    leads_to_network,
    method_for,
    resolved,
    students,
)
from limbeck.students.junta.junta import Junta
from limbeck.students.tree.tree import Tree
from limbeck.students.wavelet.wavelet import WaveletStudent
from limbeck.teachers import CallableTeacher, StoredScores


def test_names_lead_to_methods_with_their_settings():
    assert method_for("tree", {"max_leaves": 5, "queries": None}) == SearchAndStitch(max_leaves=5)
    assert method_for("junta", {"k": 2}) == FindJunta(k=2)


def test_a_method_object_is_used_as_it_is():
    method = SearchAndStitch(leaves=3)
    assert method_for(method, {"max_leaves": None}) is method
    with pytest.raises(InvalidInput, match="'max_leaves' was given beside a method object"):
        method_for(method, {"max_leaves": 4})


@pytest.mark.parametrize(
    ("into", "settings", "message"),
    [
        ("tre", {}, r"no student 'tre'\. Did you mean 'tree'"),
        ("zebra", {}, r"Known: '.*'tree'"),
        ("tree", {"max_leafs": 4}, r"no setting 'max_leafs'\. Did you mean 'max_leaves'"),
        ("junta", {"max_leaves": 4}, "Distilling into 'junta' has no setting 'max_leaves'"),
        (7, {}, "into is int"),
        (SearchAndStitch, {"max_leafs": 4}, "into 'tree' has no setting 'max_leafs'"),
    ],
)
def test_what_does_not_exist_is_refused(into, settings, message):
    with pytest.raises(InvalidInput, match=message):
        method_for(into, settings)


def test_a_method_is_named_beside_its_student():
    named = method_for("tree", {"max_leaves": 3}, "search_and_stitch")
    assert named == SearchAndStitch(max_leaves=3)
    message = (
        r"No method 'serch_and_stitch' leads to into='tree'\. Did you mean 'search_and_stitch'"
    )
    with pytest.raises(InvalidInput, match=message):
        method_for("tree", {}, "serch_and_stitch")
    with pytest.raises(InvalidInput, match="Name the student, as in into='tree'"):
        method_for(SearchAndStitch(), {}, "search_and_stitch")


def test_each_student_has_one_usual_method_which_comes_first():
    for methods in students().values():
        assert [m.default for m in methods.values()] == [True] + [False] * (len(methods) - 1)


def test_access_is_compared_before_any_work():
    X = np.zeros((3, 2))
    stored = StoredScores(X, [0, 1, 0])
    check_access(SearchAndStitch(), stored)
    check_access(FindJunta(), CallableTeacher(lambda X: X[:, 0]))
    message = r"Junta needs queries of the teacher, and stored scores grants\s*scores.*queries=0"
    with pytest.raises(AccessDenied, match=message):
        check_access(FindJunta(), stored)
    with pytest.raises(AccessDenied, match="Or go by a student, which answers any row: via='tree'"):
        check_access(FindJunta(), stored)


def test_everything_that_lacks_is_named():
    @dataclass(frozen=True)
    class Greedy:
        name = "greedy"
        needs = Access.SCORES | Access.GRADIENTS | Access.WEIGHTS

    with pytest.raises(AccessDenied, match="Greedy needs gradients, weights of the teacher"):
        check_access(Greedy(), CallableTeacher(lambda X: X[:, 0]))


def test_classes_stand_for_what_they_make():
    assert [resolved(c) for c in (Tree, Junta, WaveletStudent)] == ["tree", "junta", "wavelet"]
    assert resolved(SearchAndStitch) is SearchAndStitch
    assert method_for(SearchAndStitch, {"max_leaves": 4}) == SearchAndStitch(max_leaves=4)
    method = FindJunta(k=2)
    assert resolved(method) is method
    assert resolved("zebra") == "zebra"


@pytest.mark.parametrize(
    ("into", "message"),
    [
        (DecisionTreeClassifier, "the class DecisionTreeClassifier. Give .*'junta', .*'tree'"),
        (("tree", "junta"), "one kind of student at a time.*for name in names"),
        (["tree", FindJunta()], "one kind of student at a time"),
        ({"tree"}, "one kind of student at a time"),
    ],
)
def test_what_is_no_student_is_refused(into, message):
    with pytest.raises(InvalidInput, match=message):
        resolved(into)


def test_networks_are_told_from_names_and_methods():
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(2, 2)
    net.distill = None  # a name of its own does not make it a method
    for into in (net, torch.nn.Linear, lambda: net, [net, net], (net,)):
        assert leads_to_network(into)
    for into in ("tree", "auto", SearchAndStitch, SearchAndStitch(), 5, None):
        assert not leads_to_network(into)

"""`limbeck.routes`: from a model, a teacher, or a kind of teacher."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import limbeck
from limbeck.core.errors import AccessDenied, InvalidInput

X = np.random.default_rng(0).normal(size=(40, 2))


def test_models_teachers_and_kinds_are_known_by_what_they_grant():
    model = LogisticRegression().fit(X, X[:, 0] > 0)
    by_model, by_kind = limbeck.routes(model, "tree"), limbeck.routes("sklearn", "tree")
    assert by_model.found == by_kind.found
    assert str(limbeck.routes(limbeck.as_teacher(model))).startswith(
        "From LogisticRegression, which"
    )
    assert limbeck.routes(lambda rows: rows[:, 0]).teacher == "a function"
    stored = limbeck.routes((X, X[:, 0]))
    assert "stored scores, which grants scores" in str(stored)
    assert "columns_first (queries)" in " ".join(str(stored).split())
    with pytest.raises(InvalidInput, match="cannot be a teacher"):
        limbeck.routes(7)


def test_the_table_says_how_to_run_each_way():
    found = limbeck.routes("stored", "junta")
    frame = found.to_frame()
    assert frame["call"][0] == 'limbeck.distill(teacher, X, y, into="junta", via="linear")'
    assert frame["guarantee"].eq("differs on at most e1 + e2").all()
    assert "2 e1 + e2 of the best for the teacher" in str(found)
    assert "<table" in found._repr_html_()
    last = limbeck.routes("torch", "tree", method="trepan", max_steps=1).to_frame()
    assert last["call"].tolist() == ['limbeck.distill(teacher, X, y, into="tree", method="trepan")']
    with pytest.raises(AccessDenied, match="Stored scores cannot lead to 'wavelet'"):
        limbeck.routes("stored", "wavelet", max_steps=1)


def test_a_teacher_without_weights_is_told_which_has_them() -> None:
    model = LogisticRegression().fit(X, X[:, 0] > 0)
    with pytest.raises(AccessDenied, match="Give a PyTorch network, which grants weights"):
        limbeck.distill(model, X, into="oblique_tree", progress=False)


def test_what_is_a_method_is_told_from_a_student() -> None:
    with pytest.raises(InvalidInput, match="'trepan' is a method, and no student") as caught:
        limbeck.routes("stored", into="trepan")
    assert "into='tree', method='trepan'" in str(caught.value)
    with pytest.raises(InvalidInput, match="max_steps is 0"):
        limbeck.routes("stored", into="tree", max_steps=0)


def test_a_kind_that_is_none_is_no_file_either():
    with pytest.raises(limbeck.LimbeckError, match="zebra"):
        limbeck.routes("zebra")


def test_what_methods_promise_is_not_squeezed_into_a_narrow_column() -> None:
    """A terminal of 80 columns shows it in whole words, below the table."""
    printed = " ".join(str(limbeck.routes("sklearn", into="tree")).split())
    assert "tree by search_and_stitch: best of its size over its clauses" in printed
    assert "by l1_path:" not in printed  # promises nothing more

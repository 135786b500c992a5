from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.core.contract import MethodResult
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.methods.forbidden import forbidden_columns, hide
from limbeck.selection.routes import methods_into, students
from limbeck.teachers import CallableTeacher

RNG = np.random.default_rng(0)
N = 120
X = pd.DataFrame(
    {
        "loud": RNG.normal(size=N),
        "quiet": RNG.normal(size=N),
        "level": pd.Categorical(RNG.choice(["x", "y", "z"], N)),
        "noise": np.where(RNG.uniform(size=N) < 0.2, np.nan, RNG.normal(size=N)),
    }
)
HIDDEN = ["loud", "level"]
TABLES = [
    (into, method)
    for into in ("tree", "sparse_sum", "scorecard", "linear", "rules", "rule_list", "m_of_n",
                 "additive", "junta")
    for method, known in methods_into(into).items()
    if "forbidden" in known.__dataclass_fields__ and "forbidden" not in known.without
]  # fmt: skip


def score(Z):
    return Z["loud"] + 2 * Z["quiet"] + (Z["level"] == "x") + 0.3 * Z["noise"].fillna(1.0)


ROWS = Features.of(X).rows(X)
PLAIN = X.assign(loud=7.0, level=pd.Categorical(["z"] * N, X["level"].cat.categories))


def made(into, method, forbidden):
    small = {"rules": {"rules": 3}, "rule_list": {"rules": 3}, "additive": {"max_numbers": 8}}
    trees = {"leaves": 4, "max_leaves": 4} if into in ("tree", "m_of_n") else {}
    trees |= {"min_instances": 50} if "trepan" in method or into == "m_of_n" else {}
    asked = {"max_queries": 4000} if into == "junta" else {"queries": 100}
    given = {"forbidden": forbidden, **asked, **trees, **small.get(into, {})}
    return methods_into(into)[method].from_settings(given)


@pytest.mark.parametrize("values", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("into", "method"), TABLES)
def test_no_student_and_no_control_reads_a_forbidden_column(into, method, values):
    if values and into == "scorecard":
        pytest.skip("of classes")

    def answers(Z):
        assert Z["loud"].nunique() > 1 or len(Z) < 3  # the teacher is asked whole rows
        return score(Z).to_numpy() if values else (score(Z) > 0.8).to_numpy() * 1.0

    given = {"score_kind": "value"} if values else {"score_kind": "label", "classes": [0, 1]}
    teacher = CallableTeacher(answers, **given)
    way = made(into, method, HIDDEN)
    found = way.distill(teacher, ROWS, np.random.default_rng(0), quiet).student
    y = answers(X) if values else answers(X).astype(int)
    control = way.learn(ROWS, y, teacher.task, np.random.default_rng(0))
    greedy = way.baselines(
        teacher, ROWS, answers(X) if values else y, MethodResult(found, None), np.random
    )  # fmt: skip
    for student in (found, control, *greedy.values()):
        np.testing.assert_array_equal(student.predict(X), student.predict(PLAIN))
    assert found.measured(ROWS.values).feature_importances_[[0, 2]].max() == 0
    assert len(set(found.predict(X))) > 1  # the quiet column was found


def test_there_are_as_many_ways_as_this_page_thinks():
    assert {into for into, _ in TABLES} == set(students()) - {
        "wavelet", "oblique_tree", "text_classifier", "static_embedding",
    }  # fmt: skip
    assert len(TABLES) >= 14


@pytest.mark.parametrize(("into", "method"), TABLES)
def test_names_that_are_unknown_or_leave_nothing_are_refused(into, method):
    teacher = CallableTeacher(
        lambda Z: (score(Z) > 0.8).to_numpy() * 1.0, score_kind="label", classes=[0, 1]
    )
    for given, why in ((["laud"], "'laud'"), (list(X), "all 4 columns")):
        with pytest.raises(InvalidInput, match=why):
            made(into, method, given).distill(teacher, ROWS, np.random.default_rng(0), quiet)


def test_hidden_values_are_a_copy_in_which_a_column_says_nothing():
    features = Features.of(X)
    values = features.encode(X)
    seen = hide(features, values, HIDDEN)
    assert (seen[:, [0, 2]] == 0).all()
    np.testing.assert_array_equal(seen[:, [1, 3]], values[:, [1, 3]])
    assert values[:, 0].std() > 0
    assert hide(features, values, []) is values
    assert forbidden_columns(features, HIDDEN).tolist() == [True, False, True, False]


def test_a_single_text_is_no_list_of_names():
    with pytest.raises(InvalidInput, match=r"forbidden=\['loud'\]"):
        forbidden_columns(Features.of(X), "loud")
    for given in (6, 1.5, True):
        with pytest.raises(InvalidInput, match=rf"forbidden is {given}\. Give a list"):
            forbidden_columns(Features.of(X), given)
        with pytest.raises(InvalidInput, match=rf"forbidden is {given}\. Give a list"):
            hide(Features.of(X), ROWS.values, given)


@pytest.mark.parametrize(("into", "method"), TABLES)
def test_every_method_refuses_what_is_no_list_of_columns(into, method):
    teacher = CallableTeacher(score, name="score")
    for given in (6, [0], [None], "loud"):
        with pytest.raises(InvalidInput, match=r"Give a list|column"):
            made(into, method, given).distill(teacher, ROWS, np.random.default_rng(0), quiet)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.tree import DecisionTreeClassifier

import limbeck
from limbeck import as_teacher
from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.task import Task
from limbeck.teachers import CallableTeacher, StoredScores
from limbeck.teachers.ensemble import Ensemble

X = np.random.default_rng(0).normal(size=(90, 3))
y = np.array(["a", "b", "c"])[np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])]
LINEAR = LogisticRegression().fit(X, y)
TREE = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)


def logits(table, classes, name="logits"):
    return CallableTeacher(lambda X: np.repeat([table], len(X), 0), classes=classes,
                           score_kind="logit", name=name)  # fmt: skip


def test_the_mean_is_of_probabilities_by_weight():
    both = Ensemble([LINEAR, TREE], weights=[3, 1])
    assert isinstance(both, Teacher)
    expected = 0.75 * LINEAR.predict_proba(X) + 0.25 * TREE.predict_proba(X)
    np.testing.assert_allclose(both.scores(X), expected)
    assert (both.score_kind, both.task) == (ScoreKind.PROBABILITY, Task(("a", "b", "c")))
    assert as_teacher(both) is both


def test_logits_are_averaged_and_give_the_geometric_mean():
    one, two = logits([0.0, 2.0], [0, 1]), logits([0.0, -1.0], [0, 1])
    both = Ensemble([one, two], combine="logits")
    np.testing.assert_allclose(both.scores(X)[0], [0.0, 0.5])
    mixed = Ensemble([one, LogisticRegression().fit(X, X[:, 0] > 0)], combine="logits",
                     classes=[0, 1])  # fmt: skip
    p = LogisticRegression().fit(X, X[:, 0] > 0).predict_proba(X)
    np.testing.assert_allclose(mixed.scores(X), 0.5 * np.log(p) + [0.0, 1.0])


def test_votes_are_counted_by_weight():
    tables = ([9.0, 0.0], [0.0, 1.0], [0.0, 1.0])
    members = [logits(t, ["x", "y"]) for t in tables]
    np.testing.assert_allclose(Ensemble(members, combine="vote").scores(X)[0], [1 / 3, 2 / 3])
    heavy = Ensemble(members, combine="vote", weights=[4, 1, 1])
    np.testing.assert_allclose(heavy.scores(X)[0], [2 / 3, 1 / 3])


def test_classes_in_another_order_are_matched_by_name():
    one, two = logits([0.0, 5.0], ["x", "y"]), logits([5.0, 0.0], ["y", "x"])
    for combine in ("mean", "logits", "vote"):
        both = Ensemble([one, two], combine=combine)
        assert both.task.classes == ("x", "y")
        np.testing.assert_allclose(both.scores(X), Ensemble([one], combine=combine).scores(X))
    assert both.disagreement(X) == 0


def test_numbers_are_averaged():
    lines = [LinearRegression().fit(X, X @ w) for w in ([1, 0, 0], [0, 1, 0])]
    both = Ensemble(lines)
    np.testing.assert_allclose(both.scores(X)[:, 0], (X[:, 0] + X[:, 1]) / 2, atol=1e-12)
    assert both.disagreement(X) == pytest.approx(np.abs(X[:, 0] - X[:, 1]).mean() / 2)
    with pytest.raises(InvalidInput, match="predict a number"):
        Ensemble(lines, combine="vote")


def test_a_column_decides_which_teacher_answers():
    frame = pd.DataFrame(X, columns=list("pqr")).assign(region=np.where(X[:, 2] > 0, "n", "s"))
    inside = pd.DataFrame(X, columns=list("pqr"))
    north, south = LogisticRegression().fit(inside, y), DecisionTreeClassifier().fit(inside, y)
    both = Ensemble({"n": north, "s": south}, column="region")
    expected = np.where((frame["region"] == "n").to_numpy()[:, None],
                        north.predict_proba(inside), south.predict_proba(inside))  # fmt: skip
    np.testing.assert_allclose(both.scores(frame), expected)
    by_place = Ensemble([LINEAR, TREE], column=3)
    rows = np.column_stack([X, X[:, 2] > 0])
    expected = np.where(X[:, 2:] > 0, TREE.predict_proba(X), LINEAR.predict_proba(X))
    np.testing.assert_allclose(by_place.scores(rows), expected)
    with pytest.raises(InvalidInput, match="holds 'w', and no teacher"):
        both.scores(frame.assign(region="w"))
    with pytest.raises(InvalidInput, match="no column 'region'"):
        both.scores(inside)
    result = limbeck.distill(both, frame, y, queries=50, max_leaves=6, seed=0)
    assert "answered by the teacher, of 2, that 'region' names" in " ".join(result.notes)


def test_access_is_what_all_grant():
    assert Ensemble([LINEAR, StoredScores(X, y)]).access == Access.SCORES
    assert Ensemble([LINEAR, TREE]).access == Access.SCORES | Access.QUERIES
    with pytest.raises(AccessDenied, match="no activations"):
        Ensemble([LINEAR]).activations(X, ["0.a"])
    with pytest.raises(AccessDenied, match="no gradients"):
        Ensemble([LINEAR]).gradient(X, 0)
    assert Ensemble([LINEAR]).layers() == ()


def test_networks_grant_layers_and_the_gradient_of_their_mean_logit():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    nets = [torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
            for _ in range(2)]  # fmt: skip
    members = [as_teacher(net, classes=[0, 1], score_kind="logit") for net in nets]
    both = Ensemble(members, weights=[1, 3], combine="logits")
    slopes = [member.gradient(X, 1) for member in members]
    np.testing.assert_allclose(both.gradient(X, 1), 0.25 * slopes[0] + 0.75 * slopes[1], atol=1e-9)
    found = both.activations(X, ["1.0", "0.1"])
    assert list(found) == ["1.0", "0.1"]
    np.testing.assert_array_equal(found["0.1"], members[0].activations(X, ["1"])["1"])
    assert Access.GRADIENTS not in Ensemble(members).access


def test_disagreement_is_shown_in_the_result():
    both = Ensemble([LINEAR, TREE])
    share = (LINEAR.predict(X) != TREE.predict(X)).mean()
    assert both.disagreement(X) == pytest.approx(share)
    result = limbeck.distill(both, X, y, queries=0, max_leaves=4, seed=0)
    assert "The 2 teachers name different classes on" in " ".join(result.notes)


def test_a_network_is_distilled_from_an_ensemble():
    torch = pytest.importorskip("torch")
    rows = torch.from_numpy(X.astype(np.float32))
    result = limbeck.distill(
        Ensemble([LINEAR, TREE]), rows, into=torch.nn.Linear(3, 3), classes=["a", "b", "c"],
        epochs=1, baseline=False, timing=False,
    )  # fmt: skip
    assert "2 teachers" in str(result)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ensemble([]), "There is no teacher"),
        (lambda: Ensemble([LINEAR, TREE], weights=[1]), "The weights of 2 teachers"),
        (lambda: Ensemble([LINEAR], combine="median"), "combine is 'median'"),
        (lambda: Ensemble({"n": LINEAR}), "which column is not said"),
        (lambda: Ensemble({"n": LINEAR}, [1.0], column="r"), "beside weights or combine"),
        (lambda: Ensemble([LINEAR, RidgeClassifier().fit(X, X[:, 0] > 0)]),
         r"answers the classes \['a', 'b', 'c'\], and RidgeClassifier the classes \[False, True\]"),
        (lambda: Ensemble([LINEAR, LinearRegression().fit(X, X[:, 0])]), "LinearRegression a numb"),
        (lambda: Ensemble([LINEAR, StoredScores(X, y)], combine="logits"), "labels only"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()

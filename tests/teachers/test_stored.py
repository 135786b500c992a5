from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Features
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.task import Task
from limbeck.teachers.stored import StoredScores

X = np.arange(8.0).reshape(4, 2)


def test_rows_are_found_in_any_order():
    scores = np.random.default_rng(0).normal(size=(4, 3))
    teacher = StoredScores(X, scores)
    assert teacher.access == Access.SCORES
    assert (teacher.task, teacher.score_kind) == (Task((0, 1, 2)), ScoreKind.LOGIT)
    np.testing.assert_array_equal(teacher.scores(X[[2, 0, 2]]), scores[[2, 0, 2]])


def test_new_rows_are_denied():
    with pytest.raises(AccessDenied, match="stored scores cannot answer new rows, and row 1"):
        StoredScores(X, X).scores(np.array([[0.0, 1.0], [0.0, 2.0]]))


@pytest.mark.parametrize(
    ("scores", "options", "task", "kind"),
    [
        (["b", "a", "b", "c"], {}, Task(("a", "b", "c")), ScoreKind.LABEL),
        ([1, 0, 1, 1], {}, Task((0, 1)), ScoreKind.LABEL),
        ([True, False, True, True], {}, Task((False, True)), ScoreKind.LABEL),
        ([1.0, 0.0, 1.0, 1.0], {}, Task((0, 1)), ScoreKind.LABEL),
        (
            pd.Categorical(["lo", "hi", "lo", "hi"], ["lo", "hi"]),
            {},
            Task(("hi", "lo")),
            ScoreKind.LABEL,
        ),
        ([1, 0, 5, 1], {"unit": "mm"}, Task(unit="mm"), ScoreKind.VALUE),
        ([1.5, 0, 5, 1], {}, Task(), ScoreKind.VALUE),
        ([[1.5], [0], [5], [1]], {}, Task(), ScoreKind.VALUE),
        ([1.0, 0, 1, 1], {"classes": [0, 1]}, Task((0, 1)), ScoreKind.LABEL),
        ([0.1, 0, 0.5, 1], {"score_kind": "probability"}, Task((0, 1)), ScoreKind.PROBABILITY),
        ([0.1, 0, 5, -1], {"score_kind": "logit"}, Task((0, 1)), ScoreKind.LOGIT),
        (np.full((4, 2), 0.5), {"classes": "ab"}, Task(("a", "b")), ScoreKind.PROBABILITY),
    ],
)
def test_the_task_is_read_from_the_scores(scores, options, task, kind):
    teacher = StoredScores(X, scores, **options)
    assert (teacher.task, teacher.score_kind) == (task, kind)
    assert teacher.scores(X).shape == (4, len(task.classes) or 1)


def test_repeated_rows_are_averaged_and_labels_voted():
    twice = np.array([[1.0, -0.0], [1.0, 0.0], [1.0, 0.0], [2.0, np.nan]])
    values = StoredScores(twice, [1.0, 2.0, 6.0, 4.0], score_kind="value")
    assert len(values) == 2
    np.testing.assert_array_equal(values.scores(twice)[:, 0], [3, 3, 3, 4])
    labels = StoredScores(twice, ["a", "b", "b", "a"])
    np.testing.assert_array_equal(labels.scores(twice), np.eye(2)[[1, 1, 1, 0]])


def test_rows_that_were_decoded_are_found_again():
    frame = pd.DataFrame(
        {"a": np.array([0.1, 0.2], np.float32), "b": ["u", None], "c": [True, False], "d": [3, 4]}
    )
    teacher = StoredScores(frame, ["x", "y"])
    again = Features.of(frame).rows(frame).native()
    np.testing.assert_array_equal(teacher.scores(again[::-1]), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("scores", "options", "words"),
    [
        ([1, 2], {}, "4 rows"),
        (np.zeros((4, 2, 2)), {}, "shape"),
        ([1.0, 2.0, np.nan, 3.0], {"score_kind": "value"}, "row 2"),
        ([1.0, 2.0, 1.0, 2.0], {}, r"labels of classes or amounts.*classes=\[1, 2\].*regression"),
        ([0.1, 0.9, 0.5, 0.0], {}, "probability of the second of two classes or a number"),
        (["a", "b", "c", "a"], {"classes": ["a", "b"]}, "'c'"),
        (["a", 1, None, "b"], {"classes": None, "score_kind": "value"}, "not numbers"),
        (np.array(["a", None, "b", "b"], dtype=object), {}, "missing"),
        (np.full((4, 2), "a"), {}, "not numbers"),
        (np.zeros((4, 2)), {"classes": [1, 2, 3]}, "2 output.* for 3 classes"),
        (np.zeros((4, 2)), {"score_kind": "value"}, "Values were given with shape"),
        (np.zeros((4, 2)), {"score_kind": "logits"}, "'logits'"),
    ],
)
def test_scores_that_do_not_fit_are_refused(scores, options, words):
    with pytest.raises(InvalidInput, match=words):
        StoredScores(X, scores, **options)


def test_activations_and_gradients_are_denied():
    teacher = StoredScores(X, X)
    assert teacher.layers() == ()
    with pytest.raises(AccessDenied, match="activations"):
        teacher.activations(X, [])
    with pytest.raises(AccessDenied, match="gradients"):
        teacher.gradient(X, 0)

from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed
from limbeck.teachers.batched import BatchedTeacher

X = np.arange(10.0).reshape(5, 2)


class Told(BatchedTeacher):
    """Answers with what it is told."""

    def __init__(self, answer, **settings):
        super().__init__("told", **settings)
        self.answer = answer

    def _ask(self, batch):
        return self.answer(np.asarray(batch))

    def _denied(self, what):
        return AccessDenied(f"No {what}.", "")


def test_rows_are_asked_in_batches_after_they_were_prepared():
    sizes = []

    def answer(batch):
        sizes.append(len(batch))
        return batch[:, 0]

    teacher = Told(answer, batch_size=2, preprocess=lambda rows: rows + 1)
    assert teacher.scores(X)[:, 0].tolist() == (X[:, 0] + 1).tolist()
    assert sizes == [2, 2, 1]
    assert teacher.look(X).tolist() == (X[:, 0] + 1).tolist()


def test_one_number_of_two_classes_is_a_share_or_a_logit():
    share = Told(lambda b: b[:, :1] / 10, classes=["a", "b"], score_kind="probability")
    np.testing.assert_allclose(share.scores(X)[:, 1], X[:, 0] / 10)
    np.testing.assert_allclose(share.scores(X).sum(axis=1), 1)
    logit = Told(lambda b: b[:, 0], classes=["a", "b"], score_kind="logit")
    assert logit.scores(X).tolist() == [[0.0, x] for x in X[:, 0]]
    labels = Told(lambda b: np.array(["b", "a"])[(b[:, 0] > 4).astype(int)], classes=["a", "b"])
    assert labels.scores(X).tolist() == [[0, 1]] * 3 + [[1, 0]] * 2
    assert labels.score_kind is ScoreKind.LABEL


@pytest.mark.parametrize(
    ("answer", "settings", "message"),
    [
        (lambda b: b[:1, 0], {}, r"returned shape \(1,\) for rows 0 to 2"),
        (lambda b: b[:, :, None], {}, r"returned shape \(3, 2, 1\)"),
        (lambda b: np.log(b[:, 0] - 6), {}, "not a finite number for row 0"),
        (lambda b: np.where(b == 8, np.nan, b)[:, 0], {}, "not a finite number for row 4"),
        (lambda b: b, {}, r"returned 2 column\(s\) for rows 0 to 2. Let it return one number"),
        (lambda b: b.astype(str)[:, 0], {}, "that are not numbers"),
        (lambda b: ["c"] * len(b), {"classes": ["a", "b"]}, "'c', which is none of its classes"),
        (lambda b: b - 1, {"classes": ["a", "b"], "score_kind": "probability"}, "hold others"),
        (lambda b: b, {"classes": list("abc"), "score_kind": "logit"}, r"shape \(n, 3\)"),
        (lambda b: 1 / 0, {}, "raised ZeroDivisionError on rows 0 to 2"),
    ],
)
def test_answers_that_do_not_fit_name_their_rows(answer, settings, message):
    teacher = Told(answer, batch_size=3, **settings)
    with (
        np.errstate(invalid="ignore", divide="ignore"),
        pytest.raises(TeacherFailed, match=message),
    ):
        teacher.scores(X)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"score_kind": "logit"}, "score_kind is 'logit'"),
        ({"classes": ["a", "b"], "score_kind": "value"}, "score_kind is 'value'"),
        ({"classes": ["a", "a"]}, "classes"),
    ],
)
def test_settings_without_a_meaning_are_refused(settings, message):
    with pytest.raises(InvalidInput, match=message):
        Told(None, **settings)

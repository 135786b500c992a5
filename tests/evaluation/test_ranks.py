from __future__ import annotations

import numpy as np
import pytest

import limbeck
from limbeck.certificates.binomial import upper_bound
from limbeck.core.errors import InvalidInput
from limbeck.evaluation.ranks import far_apart

WORDS = ["awful", "weak", "fair", "fine", "great"]


def test_classes_between_student_and_teacher_are_counted():
    said = far_apart(np.array([0, 1, 2, 4]), np.array([0, 2, 2, 1]), 0.05, list("abcde"), range(5))
    assert "1.000 classes apart on average; by more than one on 1 of 4 rows" in said
    assert "In the order a < b < c < d < e " in said
    assert f"{100 * upper_bound(1, 4, 0.05):.1f}%" in said


def test_two_classes_are_in_no_order_to_speak_of():
    said = far_apart(np.array([0, 1]), np.array([0, 1]), 0.05, ["no", "yes"], range(2))
    assert said == "ordered changes nothing here: there are two classes."


def test_many_classes_are_named_by_the_first_and_the_last():
    said = far_apart(np.array([0, 1]), np.array([0, 1]), 0.05, range(40), range(40))
    assert "order 0 < 1 < 2 < ... < 39 " in said


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ordered": "yes"}, "ordered is 'yes'"),
        ({"ordered": {1, 2}}, "Give the classes in their order"),
        ({"ordered": [1, 2, 1]}, "ordered names '1' twice"),
        ({"ordered": [0, 1, 2]}, "ordered lacks '3', '4'"),
        ({"ordered": [0, 1, 2, 3, 4, 5]}, "ordered holds, beside the classes, '5'"),
        ({"ordered": True, "classes": WORDS}, "alphabet"),
        ({"ordered": True, "labels": list("abcde")}, "ordered was given beside labels"),
        ({"ordered": True, "regression": True}, "ordered was given for a teacher that predicts"),
    ],
)
def test_an_order_that_means_nothing_is_refused(settings, message):
    teacher = stars if "regression" not in settings else lambda X: stars(X) @ np.arange(5.0)
    texts = [f"{w} {v} n{i}" for i in range(6) for w in WORDS for v in WORDS]
    with pytest.raises(InvalidInput, match=message):
        limbeck.distill(teacher, texts, into="text_classifier", progress=False, **settings)


def stars(X) -> np.ndarray:
    """Grades from 1 to 5 by the words of a text."""
    total = [sum(WORDS.index(w) for w in t.split() if w in WORDS) / 3 for t in X]
    return np.eye(5)[np.round(total).astype(int)]


def test_ordered_classes_are_distilled_beside_the_student_without_order():
    rng = np.random.default_rng(0)
    texts = [f"{' '.join(rng.choice(WORDS, 3))} n{i}" for i in range(400)]
    given = {"classes": (1, 2, 3, 4, 5), "ngrams": "words", "progress": False}
    found = limbeck.distill(stars, texts, into="text_classifier", ordered=True, **given)
    assert "classes without order" in str(found)
    assert any("classes apart on average" in note for note in found.notes)
    weights = found.student.predict_proba(["great great great", "awful awful awful"])
    assert weights.argmax(axis=1).tolist() == [4, 0]
    with pytest.raises(InvalidInput, match="Only n-grams keep the order"):
        limbeck.distill(
            stars, texts, into="text_classifier", ordered=True, among=["network"], **given
        )


def test_an_order_that_is_not_that_of_the_scores_is_given_as_a_list():
    rng = np.random.default_rng(1)
    texts = [f"{' '.join(rng.choice(WORDS, 3))} n{i}" for i in range(200)]
    given = {"into": "text_classifier", "ngrams": "words", "progress": False}
    turned = [3, 0, 4, 1, 2]
    found = [
        limbeck.distill(
            lambda X, at=at: stars(X)[:, at], texts, classes=[WORDS[i] for i in at],
            ordered=WORDS, **given,
        )
        for at in (range(5), turned)
    ]  # fmt: skip
    first, second = (
        next(note for note in one.notes if "classes apart on average" in note) for one in found
    )
    assert first == second
    assert "In the order awful < weak < fair < fine < great " in first
    assert np.array_equal(found[0].student.predict(texts), found[1].student.predict(texts))

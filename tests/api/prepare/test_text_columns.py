from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.errors import TeacherFailed

WORDS = ["late", "broken", "refund", "hello", "order", "box"]
RNG = np.random.default_rng(0)
TEXTS = [f"{' '.join(RNG.choice(WORDS, 4))} n{i}" for i in range(120)]
TABLE = pd.DataFrame({"id": range(120), "body": TEXTS})


def late(texts) -> np.ndarray:
    p = np.array([0.9 if "late" in text else 0.1 for text in texts])
    return np.column_stack([1 - p, p])


def distil(X, **settings):
    return limbeck.distill(
        late, X, into="text_classifier", method="ngrams", ngrams="words", classes=["no", "yes"],
        progress=False, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("y", [None, (late(TEXTS)[:, 1] > 0.5).astype(int)])
def test_a_teacher_of_texts_that_gets_a_table_is_told_its_columns(y) -> None:
    with pytest.raises(TeacherFailed, match=r"the columns 'id', 'body'.*X\['body'\]"):
        limbeck.distill(late, TABLE, y, into="text_classifier", method="ngrams", progress=False)


def test_columns_that_have_a_part_of_their_own_are_left_out() -> None:
    found = distil(TABLE, cases="id")
    assert found.student.predict(["late box"]).tolist() == ["yes"]


def test_other_failures_stay_as_they_are() -> None:
    with pytest.raises(TeacherFailed) as caught:
        limbeck.distill(
            lambda texts: np.zeros((2, 2)), TEXTS, into="text_classifier", method="ngrams",
            progress=False,
        )  # fmt: skip
    assert "columns" not in str(caught.value)

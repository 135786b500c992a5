"""`distill(..., unlabelled=)` into a readable student: who learns from what, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.methods.greedy import Greedy

X = pd.DataFrame(np.random.default_rng(0).normal(size=(600, 3)), columns=["a", "b", "c"])
Y = (X["a"] + X["b"] + np.random.default_rng(1).normal(size=600) > 0).astype(int)
TEACHER = LogisticRegression().fit(X, Y)
QUICK: dict[str, Any] = {"max_leaves": 4, "queries": 0}


def test_the_student_learns_from_all_rows_and_the_control_from_the_labelled() -> None:
    learnt: list[int] = []
    taught: list[int] = []

    class Watched(Greedy):
        def distill(self, teacher: Any, rows: Any, *args: Any, **named: Any) -> Any:
            taught.append(len(rows))
            return super().distill(teacher, rows, *args, **named)

        def learn(self, rows: Any, y: Any, *args: Any, **named: Any) -> Any:
            learnt.extend([len(rows), len(y)])
            return super().learn(rows, y, *args, **named)

    result = limbeck.distill(TEACHER, X[:100], Y[:100], into=Watched(**QUICK), unlabelled=X[100:])
    assert taught == [570]
    assert learnt == [70, 70]
    assert result.certificate.n == 30
    assert any("500 rows without labels" in note for note in result.notes)


def test_the_student_is_that_of_the_rows_without_labels() -> None:
    """Without labels at all there is no difference between the rows."""
    result = limbeck.distill(
        TEACHER, X[:100], into="tree", holdout=(X[400:], None), unlabelled=X[100:300], **QUICK
    )
    whole = limbeck.distill(TEACHER, X[:300], into="tree", holdout=(X[400:], None), **QUICK)
    assert result.rows_seen == whole.rows_seen == 300
    assert "control" not in [e.role for e in result.comparison.entries]
    assert len(result.holdout.seen) == 300


def test_texts() -> None:
    def teacher(texts: Any) -> Any:
        return np.array([[0.1, 0.9] if "good" in t else [0.9, 0.1] for t in texts])

    texts = [f"{'good' if i % 2 else 'bad'} film {i}" for i in range(80)]
    result = limbeck.distill(
        teacher, texts[:40], [i % 2 for i in range(40)], into="text_classifier",
        unlabelled=texts[40:], classes=[0, 1],
    )  # fmt: skip
    assert result.rows_seen == 28 + 40


@pytest.mark.parametrize(
    ("more", "extra", "said"),
    [
        (X[50:200], {}, "holdout rows are among the unlabelled"),
        (X[80:100], {"holdout": (X[80:120], Y[80:120])}, "20 of the 40 holdout rows"),
        ((X[100:], Y[100:]), {}, "a tuple of 2"),
        (X[100:][["a", "b"]], {}, "not like those of X.*'c'"),
        (X[:0], {}, "no rows"),
        (X[100:], {"sample_weight": np.ones(100)}, "with sample_weight"),
        (X[100:], {"cases": np.arange(100)}, "with cases"),
        (X[100:], {"into": "auto"}, "given to a tournament"),
    ],
)
def test_what_cannot_be_joined_is_refused(more: Any, extra: Any, said: str) -> None:
    rows = X[:80] if "holdout" in extra else X[:100]
    given: dict[str, Any] = {"into": "tree"} | extra
    with pytest.raises(InvalidInput, match=said):
        limbeck.distill(TEACHER, rows, Y[: len(rows)], unlabelled=more, **given)

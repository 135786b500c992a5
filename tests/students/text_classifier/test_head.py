from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.students.text_classifier.fitting import LinearFit
from limbeck.students.text_classifier.head import fit_head
from limbeck.students.text_classifier.search import PENALTIES, TextData

X = np.random.default_rng(0).normal(size=(60, 3))
TEXTS = np.full(60, "", dtype=object)
LINE = TextData(TEXTS, X @ [[1.0], [-2.0], [0.0]] + 3.0, np.ones(60), False)


def test_a_line_is_found_with_the_smallest_penalty() -> None:
    found = fit_head("linear", X, LINE, np.random.default_rng(0))
    assert isinstance(found.model, LinearFit)
    assert found.penalty == PENALTIES[-1]
    assert found.loss < 1e-6
    assert found.model.weights[:, 0] == pytest.approx([1, -2, 0], abs=1e-3)
    assert found.model.intercept == pytest.approx([3.0], abs=1e-3)


def test_of_few_texts_none_is_left_out() -> None:
    some = np.arange(19)
    found = fit_head("linear", X[some], LINE.take(some), np.random.default_rng(0))
    assert (found.loss, found.penalty) == (None, PENALTIES[2])


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"head is 'linar'.*'linear'"):
        fit_head("linar", X, LINE, np.random.default_rng(0))

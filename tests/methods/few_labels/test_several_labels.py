from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.errors import AccessDenied
from limbeck.methods.few_labels.several_labels import SeveralLabels, _EachLabel


def test_a_function_of_texts_is_a_teacher_of_several_labels() -> None:
    asked = []

    def ask(texts):
        asked.extend(texts)
        return [[0.2, 0.9]] * len(texts)

    teacher = SeveralLabels(ask, ["spam", "urgent"], "my function")
    assert teacher.scores(["a", "b"]).tolist() == [[0.2, 0.9], [0.2, 0.9]]
    assert asked == ["a", "b"]
    assert (teacher.task.kind, teacher.task.classes) == ("multilabel", ("spam", "urgent"))
    with pytest.raises(AccessDenied, match="my function has no activations"):
        teacher.activations(["a"], [])


def test_a_text_is_as_doubtful_as_its_least_sure_label() -> None:
    guess = np.array([[0.5, 1.0], [0.0, 1.0], [0.9, 0.3]])
    doubt = _EachLabel.doubt(None, guess)  # type: ignore[arg-type]  # it needs no pool
    np.testing.assert_allclose(doubt, [1.0, 0.0, 0.6])

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.certified import TextDistance, total_variation  # noqa: E402
from limbeck.networks.conversion.judge import TextScores  # noqa: E402
from limbeck.networks.conversion.texts import TokenTexts  # noqa: E402


def test_a_text_is_as_far_as_its_overlap_is_from_one_in_any_order():
    one = np.ones(3)
    scores = TextScores(np.array([0.25, 1.0, 0.5]), one, one, one, one, one.astype(np.int64))
    student = TextDistance(TokenTexts(["a", "b", "c"], [torch.ones(2)] * 3), scores, "print")
    found = student.predict(["c", "a", "c"])
    assert found.tolist() == [0.5, 0.75, 0.5]
    assert total_variation(found, np.zeros(3)).tolist() == [0.5, 0.75, 0.5]
    with pytest.raises(KeyError):
        student.predict(["never scored"])
    assert student.fingerprint() != TextDistance(student.texts, scores, "other").fingerprint()

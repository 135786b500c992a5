from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.task import Task
from limbeck.results.labels import Labels


def held(task: Task, soft: list[list[float]]) -> Labels:
    n = len(soft)
    texts = np.array([f"text {i}" for i in range(n)], dtype=object)
    return Labels(texts, np.array(soft), task, {n - 1: "refused"}, np.zeros(n, bool), "model")


def test_labels_are_drawn_by_class_and_values_as_a_histogram() -> None:
    pytest.importorskip("matplotlib")
    nan = float("nan")
    task = Task(("bad", "good", "never"))
    ax = held(task, [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.3, 0.7, 0.0], [nan, nan, nan]]).plot()
    assert [bar.get_width() for bar in ax.patches] == [0, 2, 1]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["never", "good", "bad"]
    ax = held(Task(unit="stars"), [[1.0], [2.0], [5.0], [nan]]).plot()
    assert ax.get_xlabel() == "stars"
    assert sum(bar.get_height() for bar in ax.patches) == 3


def test_what_has_no_answer_has_its_reason_in_place_of_probabilities() -> None:
    nan = float("nan")
    labels = held(Task(("bad", "good")), [[0.9, 0.1], [nan, nan]])
    assert labels.rows()[0]["probabilities"] == {"bad": 0.9, "good": 0.1}
    assert labels.rows()[1] == {"text": "text 1", "label": None, "reason": "refused"}
    assert labels.to_frame().columns.tolist() == ["text", "label", "p(bad)", "p(good)"]

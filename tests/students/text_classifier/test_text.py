from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from limbeck.core.task import Task
from limbeck.students.text_classifier.text import deciding, described

TERMS = ["a", "b", "c"]


def test_the_terms_that_speak_most_come_first() -> None:
    weights = np.array([[1.0], [-3.0], [2.0]])
    two = deciding(TERMS, weights, Task(("no", "yes")))
    assert two == {"no": [("b", 3.0)], "yes": [("c", 2.0), ("a", 1.0)]}
    value = deciding(TERMS, weights, Task(), most=1)
    assert value == {"higher": [("c", 2.0)], "lower": [("b", 3.0)]}


def test_weights_of_several_classes_count_from_their_mean() -> None:
    weights = np.array([[3.0, 0.0, 0.0], [9.0, 9.0, 9.0], [1.0, 2.0, 3.0]])
    found = deciding(TERMS, weights, Task(("x", "y", "z")))
    assert found == {"x": [("a", 2.0)], "y": [], "z": [("c", 1.0)]}


def test_the_table_says_how_an_answer_comes_about() -> None:
    families = [type("Family", (), {"unit": u, "__len__": lambda _: 1200})() for u in
                ("words", "characters")]  # fmt: skip
    student = SimpleNamespace(
        task_=Task(("no", "yes")), families_=families, model_=SimpleNamespace(intercept=[0.25])
    )
    said = described({"no": [("b", 3.0)], "yes": []}, student)
    assert said.startswith("for no\n    +3.000  b\n\nfor yes\n\n")
    assert "1,200 n-grams of words and 1,200 n-grams of characters" in said
    assert "those of each unit divided by the square root of 2" in said
    assert said.endswith("level (+0.250). The class with the largest sum is the answer.")

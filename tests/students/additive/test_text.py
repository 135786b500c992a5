from __future__ import annotations

import numpy as np

from limbeck.students.additive.additive import Additive


def test_small_tables_of_pairs_are_printed_and_unused_columns_named() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (400, 3)).astype(float)
    student = Additive(solver="steps", pairs=1, task="value", forbidden=["x2"])
    student.fit(X, X[:, 0] * X[:, 1] * 4)
    text = student.text()
    assert "x0 and x1:" in text
    assert "  above 0.5, above 0.5: +" in text
    assert "not used: x2" in text
    assert len(student.text(exact=True)) > len(text)

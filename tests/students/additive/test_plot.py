from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.additive.additive import Additive
from tests.students.test_readable import VALUE, X

pytestmark = pytest.mark.usefixtures("closed_figures")


def test_an_additive_student_draws_its_tables() -> None:
    pytest.importorskip("interpret")
    student = Additive(bins=4, rounds=10, task="value").fit(X, VALUE)
    grid = student.plot()
    assert [ax.get_title() for ax in grid] == list(student.importances())
    titles = {ax.get_title(): ax for ax in grid}
    table = dict(zip(student.terms_.columns, student.terms_.tables, strict=True))
    (steps,) = [p for p in titles["price in $ and $"].patches if hasattr(p, "get_data")]
    values, edges, _ = steps.get_data()
    np.testing.assert_allclose(values, table[(0,)][:-1])
    np.testing.assert_allclose(edges[1:-1], student.bins_.edges[0])
    missing = titles["price in $ and $"].lines[0]
    assert missing.get_label() == "missing"
    assert missing.get_ydata()[0] == pytest.approx(table[(0,)][-1])
    np.testing.assert_allclose(
        [bar.get_height() for bar in titles["colour"].patches], table[(1,)][:2]
    )
    assert [t.get_text() for t in titles["colour"].get_xticklabels()] == ["green", "red"]

from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.junta.junta import Junta
from tests.students.test_readable import CLASS, VALUE, X

pytestmark = pytest.mark.usefixtures("closed_figures")


def test_a_junta_draws_its_fractions_or_values() -> None:
    junta = Junta(["colour"]).fit(X, CLASS)
    ax = junta.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["green", "red"]
    seen = junta.table_.value[junta.table_.weight > 0]
    drawn = [[bar.get_width() for bar in c] for c in ax.containers[1:]]
    np.testing.assert_allclose(np.transpose(drawn), seen)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["_dear", "cheap $x$"]
    values = Junta([0, "colour"], bins=3, task="value").fit(X, VALUE)
    ax = values.plot()
    assert len(ax.patches) == values.size == 8
    assert ax.get_yticklabels()[0].get_text().endswith(", green")

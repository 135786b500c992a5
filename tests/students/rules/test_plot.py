from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.rule_list.rule_list import RuleList


def test_rules_are_plotted():
    plt = pytest.importorskip("matplotlib.pyplot")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    student = RuleList(max_rules=3).fit(X, X[:, 0] > 0)
    ax = student.plot()
    texts = " ".join(t.get_text() for t in ax.texts)
    assert "ELSE" in texts
    assert "x0" in texts
    plt.close("all")

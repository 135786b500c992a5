from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limbeck.core.measured import Measured
from limbeck.results.distillation_sections.plot import plot_models

pytest.importorskip("matplotlib").use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def test_numbers_that_are_not_known_are_not_drawn(record: Any) -> None:
    given = record().comparison
    teacher, student, control = given.entries
    unknown = replace(student, agreement=Measured(*[math.nan] * 3), accuracy=None)
    comparison = replace(given, entries=(teacher, unknown, control), level=0.995)
    ax = plot_models(comparison, classifies=False)
    agreement, accuracy = ax.containers
    assert agreement.get_label() == "R² against the teacher"
    np.testing.assert_allclose(
        np.asarray(agreement[0].get_ydata(), float), [2 - 0.08]
    )  # the control's alone
    np.testing.assert_allclose(np.asarray(accuracy[0].get_ydata(), float), [0.08, 2.08])
    assert ax.get_xlabel() == "R², 99.5% intervals"
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "teacher\nteacher's model", "student\nstudent's model, 2 leaves",
        "control\ncontrol's model, 2 leaves",
    ]  # fmt: skip

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import Difference
from limbeck.results.ablation import Ablation, Dropped

HALF = Measured(0.5, 0.4, 0.6)
HELPS = Difference("accuracy", 0.2, 0.1, 0.3)
COSTS = Difference("agreement", -0.2, -0.3, -0.1)
DOUBT = Difference("agreement", 0.1, -0.1, 0.3)


def ablation(**changes: Any) -> Ablation:
    parts = (
        Dropped("SoftTargets", HALF, HELPS, COSTS),
        Dropped("Hints", HALF, None, COSTS),
        Dropped("GoldLabels", HALF, None, DOUBT),
    )
    given: dict[str, Any] = {"full": HALF, "parts": parts, "seeds": 2, "rows": 300, "delta": 0.05}
    return Ablation(**{**given, **changes})


def test_a_part_is_judged_by_labels_else_by_the_teacher() -> None:
    found = ablation()
    assert [part.brings for part in found.parts] == [HELPS, COSTS, DOUBT]
    frame = found.to_frame()
    assert frame["without"].tolist() == ["nothing", "SoftTargets", "Hints", "GoldLabels"]
    assert frame["verdict"].tolist() == ["", "brings something", "costs something", "no evidence"]
    np.testing.assert_array_equal(frame["gain"], [np.nan, 0.2, np.nan, np.nan])
    np.testing.assert_array_equal(frame["agreement_gain_low"], [np.nan, -0.3, -0.3, -0.1])


def test_of_students_trained_too_short_nothing_is_judged() -> None:
    found = ablation(untrained="Too short.", seeds=1)
    assert set(found.to_frame()["verdict"]) == {""}
    assert found.sheet().notes[0] == "Too short."
    assert found.sheet().notes[1].endswith("One seed cannot show run-to-run variability.")
    assert "1 seed, 300 validation rows" in found.sheet().caption


@pytest.fixture
def axes() -> Iterator[Any]:
    pytest.importorskip("matplotlib").use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_only_what_was_measured_is_drawn(axes: Any) -> None:
    ax = ablation(parts=ablation().parts[1:]).plot(axes)
    assert ax.get_xlabel() == "what the part brings in agreement with the teacher"
    (drawn,) = ax.containers
    assert drawn[0].get_xdata().tolist() == [-0.2, 0.1]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Hints", "GoldLabels"]

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from limbeck.core.measured import Measured
from limbeck.results.advice import Advice
from limbeck.results.advice_record import Outlook, PilotPoint
from limbeck.results.advice_sections import (
    fragment,
    outlook_table,
    panels,
    plot_advice,
    point_table,
    terminal,
)

GAIN, UNKNOWN = Measured(0.05, 0.01, 0.09), Measured(0.1, math.nan, math.nan)
WIDE = Measured(0.8, 0.7, 0.9)


def point(rows: int, updates: int, value: float, model: str = "student") -> PilotPoint:
    own = Measured(value, value - 0.1, value + 0.05)
    return PilotPoint(model, rows, updates, 3, own, WIDE, GAIN, 0.5)


POINTS = (
    point(100, 40, 0.9), point(50, 10, 0.5), point(50, 20, 0.6), point(100, 10, 0.7),
    point(400, 90, 0.95, "student of twice the size"),
)  # fmt: skip


def advice(points: tuple[PilotPoint, ...] = POINTS, level: float = 0.995) -> Advice:
    outlooks = (
        Outlook("these data", 100, 10, WIDE, WIDE, GAIN, 0.0, 1.5),
        Outlook("twice the inputs", 200, 10, WIDE, WIDE, UNKNOWN, 1.0, 3.0),
    )
    settings = {
        "teacher": "<b>Net", "student": "Small", "later_seeds": 3, "enough": 300.0, "pairs": 7,
        "seconds": 9.0, "budget": 60.0, "measured_rows": 5000, "updates_per_epoch": 4.0,
        "call": {"epochs": 10},
    }  # fmt: skip
    return Advice(outlooks, points, None, "accuracy", level, (), settings)


def test_a_curve_holds_the_other_coordinate_or_takes_the_longest_training() -> None:
    rows, updates = panels(advice())
    assert (rows.heading, updates.heading) == ("By training rows", "By updates")
    assert rows.lines[0].points == ((50.0, 0.6), (100.0, 0.9))
    assert updates.lines[0].points == ((10.0, 0.7), (40.0, 0.9))
    assert [p for _, p in rows.lines[1].points] == [0.8, 0.8]
    assert (rows.chosen, updates.chosen) == (100, 40)
    assert panels(advice(points=POINTS[:1])) == []


def test_tables_give_levels_and_leave_out_what_is_not_known() -> None:
    found = advice()
    table = outlook_table(found)
    assert "99.5% intervals for a later run of 3 seeds" in table.caption
    assert table.to_frame()["verdict"].tolist() == ["pays", "not known"]
    assert [o.name for o in found.outlooks if table.strong(o)] == ["these data"]
    pilot = point_table(found)
    assert pilot is not None
    assert pilot.to_frame()["student"].tolist() == [p.student.value for p in POINTS]
    assert point_table(advice(points=())) is None


def test_the_terminal_and_the_notebook_tell_what_to_run_next() -> None:
    found = advice()
    lines = [str(line) for line in terminal(found).renderables]
    assert f"Next: {found.code}" in lines
    assert "7 pairs of student and control in 9.0 s of 60.0 s, measured on 5,000 rows." in lines
    assert f"<strong>{found.sentence}</strong>" in fragment(found)


@pytest.fixture
def grid() -> Iterator[Any]:
    pytest.importorskip("matplotlib").use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, axes = plt.subplots(1, 3)
    yield axes
    plt.close(figure)


def test_only_known_gains_are_drawn(grid: Any) -> None:
    rows, _, gains = plot_advice(advice(), grid)
    assert [t.get_text() for t in gains.get_yticklabels()] == ["these data"]
    (drawn,) = gains.containers
    np.testing.assert_allclose(drawn[2][0].get_segments()[0][:, 0], [0.01, 0.09])
    np.testing.assert_allclose(np.asarray(rows.containers[0][0].get_xdata(), float), [50, 100])

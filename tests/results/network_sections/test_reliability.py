from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from limbeck.results.network import NetworkDistillation
from limbeck.results.network_sections.reliability import (
    plot_reliability,
    reliability,
    reliability_table,
)

BINS = ((0.5, 0.25, 0.36), (1.0, 1.0, 0.64))


@pytest.fixture
def measured(networks: Callable[..., NetworkDistillation]) -> NetworkDistillation:
    """Teacher and student, without the control."""
    facts = networks().facts
    found = {role: replace(facts[role], reliability=BINS) for role in ("teacher", "student")}
    return networks(facts={**facts, **found})


def test_the_table_has_a_row_for_each_model_and_bin(
    measured: NetworkDistillation, networks: Callable[..., NetworkDistillation]
) -> None:
    table = reliability_table(measured)
    assert table is not None
    assert table.to_frame().to_numpy().tolist() == [
        [role, *found] for role in ("teacher", "student") for found in BINS
    ]
    assert "25.0%" in table.to_html()
    assert reliability_table(networks()) is None
    assert reliability(networks()) is None


def test_only_student_and_control_are_drawn_at_confidence_and_accuracy(
    measured: NetworkDistillation,
) -> None:
    html = reliability(measured)
    assert html is not None
    assert re.findall(r"<h3>(.*?)</h3>", html) == ["student"]
    circles = re.findall(r'<circle[^>]*?cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', html)
    # a square of 210 px, whose lower left corner is at (46, 230)
    np.testing.assert_allclose(
        np.array(circles, float), [[151, 177.5, 2.5 + 7 * 0.6], [256, 20, 2.5 + 7 * 0.8]]
    )
    assert "confidence 50.0%: 25.0% right, 36.0% of all answers" in html


def test_axes_show_the_same_points(measured: NetworkDistillation) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, ax = plt.subplots()
    plot_reliability(measured, ax)
    student, diagonal = ax.lines
    assert student.get_label() == "student"
    np.testing.assert_allclose(student.get_xydata(), [b[:2] for b in BINS])
    np.testing.assert_allclose(diagonal.get_xydata(), [[0, 0], [1, 1]])
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [b[:2] for b in BINS])
    plt.close(figure)

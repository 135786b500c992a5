from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from limbeck.audits.results import Differences, Shape
from limbeck.core.errors import InvalidInput
from limbeck.results.audit_sections.plot import plot_features

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def shape(feature: str, off: list[float]) -> Shape:
    """A feature whose score differs from the outcome by ``off``, known to 0.1."""
    d, n = np.array(off), len(off)
    band = np.column_stack([d - 0.1, d + 0.1])
    level = tuple(f"${i}" for i in range(n))
    return Shape(feature, "", np.empty(0), level, np.ones(n), d, band, np.zeros(n), band - 1, d,
                 band, band, 1.0)  # fmt: skip


def test_an_audit_draws_the_features_that_differ_most_first() -> None:
    shapes = (shape("alike", [0.0, 0.05]), shape("once $", [0.5, 0.0]), shape("all", [1.0, -1.0]))
    audit = SimpleNamespace(differences=Differences(shapes, (), 0.95, 10))
    grid = plot_features(audit)
    grid[0].figure.canvas.draw()
    assert [ax.get_title().split("\n")[0] for ax in grid] == ["all", "once $"]
    assert grid[1].get_title().split("\n")[1] == "differs in 1 of 2 bins"
    score = grid[1].patches[0].get_data()
    assert score.values.tolist() == [0.5, 0.0]
    (marked,) = [line for line in grid[1].lines if line.get_label() == "differ"]
    assert marked.get_xdata().tolist() == [0]
    assert [t.get_text() for t in grid[0].get_xticklabels()] == ["$0", "$1"]
    alike = SimpleNamespace(differences=Differences(shapes[:1], (), 0.95, 10))
    (only,) = plot_features(alike)
    assert only.get_title().endswith("no bin surely differs")
    without = replace(shapes[1], outcome=np.empty(0), outcome_band=np.empty((0, 2)),
                      difference=np.empty(0), pointwise=np.empty((0, 2)),
                      simultaneous=np.empty((0, 2)))  # fmt: skip
    (only,) = plot_features(SimpleNamespace(differences=Differences((without,), (), 0.95, 10)))
    assert [p.get_label() for p in only.patches] == ["score"]
    assert only.get_ylabel() == "units of the score"
    assert only.get_title() == "once $"
    with pytest.raises(InvalidInput, match="no shapes"):
        plot_features(SimpleNamespace(differences=None))

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from limbeck.core.measured import Measured
from limbeck.results.removals import RemovalCost, Removals

BEFORE, HEALED = Measured(0.5, 0.4, 0.7), Measured(0.9, 0.85, 0.92)
PARTS = (
    RemovalCost("layers.0", "layers", "all", 120, BEFORE, HEALED, None, None),
    RemovalCost("layers.1", "heads", "2 of 8", 60, BEFORE, HEALED, None, None),
)


def test_parts_are_named_by_what_was_removed_and_costs_need_labels() -> None:
    table = Removals(PARTS, 1, 100, 0.1).sheet()
    frame = table.to_frame()
    assert frame["removed"].tolist() == ["all", "2 of 8 heads"]
    assert frame["healed_agreement_low"].tolist() == [0.85, 0.85]
    assert not [name for name in frame if "cost" in name]
    assert table.caption == "What can be dropped (1 seed, 100 rows)"
    assert table.notes[0].startswith("Intervals of a column hold together at 90%.")


@pytest.fixture
def axes() -> Iterator[Any]:
    pytest.importorskip("matplotlib").use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_what_is_lost_is_drawn_with_its_interval_turned_around(axes: Any) -> None:
    ax = Removals(PARTS, 1, 100, 0.1).plot(axes)
    before, healed = ax.containers
    np.testing.assert_allclose(np.asarray(before[0].get_xdata(), float), [0.5, 0.5])
    np.testing.assert_allclose(before[2][0].get_segments()[0][:, 0], [0.3, 0.6])
    np.testing.assert_allclose(healed[2][0].get_segments()[0][:, 0], [0.08, 0.15])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["layers.0 (all)", "layers.1 (2 of 8)"]

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from limbeck.results.network import NetworkDistillation

pytest.importorskip("matplotlib").use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def labels(ax: Any) -> list[str]:
    return [t.get_text() for t in ax.get_yticklabels()]


def test_networks_draw_their_models_and_their_training(
    networks: Callable[..., NetworkDistillation],
) -> None:
    result = networks()
    grid = result.plot()
    grid[0].figure.canvas.draw()
    assert [ax.get_title() for ax in grid[1:]] == [
        "Validation score", "Loss, weighted sum", "SoftTargets",
    ]  # fmt: skip
    assert [label.split("\n")[1] for label in labels(grid[0])][1] == "<b>Small</b>"
    student, control, chosen = grid[2].lines
    assert (student.get_label(), control.get_label()) == ("student", "control")
    assert student.get_ydata()[0] == 2.0
    assert chosen.get_xdata()[0] == 61
    assert len(networks(history=()).plot()) == 1


def test_reliability_is_drawn_last_where_it_was_measured(
    networks: Callable[..., NetworkDistillation],
) -> None:
    facts = networks().facts
    measured = {**facts, "student": replace(facts["student"], reliability=((0.7, 0.6, 1.0),))}
    grid = networks(facts=measured, history=()).plot()
    assert [ax.get_title() for ax in grid] == ["", "Reliability"]

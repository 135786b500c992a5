"""The curves of a training."""

from __future__ import annotations

from collections.abc import Callable

from limbeck.results.network import NetworkDistillation
from limbeck.results.network_sections.training import panels, training


def test_panels_show_score_and_losses_of_the_first_seed(
    networks: Callable[..., NetworkDistillation],
) -> None:
    found = list(panels(networks().history))
    assert [p.heading for p in found] == ["Validation score", "Loss, weighted sum", "SoftTargets"]
    for panel in found:
        assert panel.chosen == 61  # the best of 100 epochs, counted from 1
        assert [line.name for line in panel.lines] == ["student", "control"]
        points = dict(panel.lines[0].points)
        assert len(points) <= 41
        assert 61 in points
    assert dict(found[2].lines[0].points)[1] == 3.0


def test_points_and_axes_speak_of_epochs(networks: Callable[..., NetworkDistillation]) -> None:
    html = training(networks())
    assert html is not None
    for told in ("<title>student, epoch 61: ", "<title>control, epoch 1: ", ">epochs</text>"):
        assert told in html
    for other in ("size", "twice as many"):
        assert other not in html


def test_one_epoch_is_no_curve(networks: Callable[..., NetworkDistillation]) -> None:
    history = [r for r in networks().history if r["epoch"] == 0]
    assert list(panels(history)) == []
    assert training(networks(history=())) is None


def test_without_validation_the_last_epoch_is_marked() -> None:
    rows = [
        {"seed": 0, "role": "student", "epoch": e, "loss": 1.0, "score": None} for e in range(5)
    ]
    (only,) = panels(rows)
    assert only.chosen == 5
    assert [line.name for line in only.lines] == ["student"]

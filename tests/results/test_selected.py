from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import Difference
from limbeck.evaluation.subset_comparison import SubsetLine
from limbeck.results.selected import Selection


def line(way: str, agreement: float, *gain: float) -> SubsetLine:
    gained = Difference("agreement", *gain) if gain else None
    measured = Measured(agreement, agreement - 0.1, agreement + 0.05)
    return SubsetLine(way, 20, 40, measured, None, gained)


def selection(*lines: SubsetLine, delta: float = 0.05) -> Selection:
    ways = [found.way for found in lines if "hard" not in found.way]
    rows = {way: np.array([i, 7]) for i, way in enumerate(ways)}
    weights = {way: np.ones(2) for way in ways}
    settings = {"delta": delta, "n": 20, "pool": 5000, "student": "kernel"}
    return Selection(lines, rows, weights, None, None, 300, 5, ("A note.",), settings)


RANDOM = line("random", 0.5)
HERDING = line("herding", 0.6, 0.1, 0.05, 0.15)
MOVED = line("inducing_points", 0.8, 0.3, 0.2, 0.4)
CLOSE = line("k_center", 0.7, 0.2, -0.1, 0.5)
HARD = line("random, hard labels", 0.9, 0.4, 0.3, 0.5)


def test_the_best_way_beats_random_rows_beyond_doubt() -> None:
    assert selection(RANDOM, HERDING, CLOSE, HARD).best == "herding"
    assert selection(RANDOM, HERDING, MOVED).best == "inducing_points"
    assert selection(RANDOM, CLOSE, HARD).best == "random"
    assert selection(RANDOM, line("herding", 0.4, -0.1, -0.15, -0.05)).best == "random"


def test_chosen_rows_are_those_of_the_best_way_that_moves_none() -> None:
    found = selection(RANDOM, HERDING, MOVED)
    assert found.chosen().tolist() == [1, 7]
    assert found.chosen("inducing_points").tolist() == [2, 7]
    assert selection(RANDOM, MOVED).chosen().tolist() == [0, 7]
    with pytest.raises(InvalidInput, match=r"no way 'herdin'\. Did you mean 'herding'"):
        found.chosen("herdin")


def test_the_sentence_gives_the_gain_with_its_level() -> None:
    assert selection(RANDOM, HERDING, delta=0.005).sentence == (
        "herding helped: agreement +0.100 (+0.050 to +0.150, 99.5% for all ways together) against"
        " as many random rows with the teacher's soft labels (5 seeds)."
    )
    assert "take random rows" in selection(RANDOM, CLOSE).sentence


def test_the_sheet_names_gains_and_leaves_out_what_was_not_measured() -> None:
    found = selection(RANDOM, HERDING)
    table = found.sheet()
    frame = table.to_frame()
    assert frame["way"].tolist() == ["random", "herding"]
    assert frame["gain"].tolist()[1] == 0.1
    assert np.isnan(frame["gain"][0])
    assert "accuracy" not in frame
    assert table.notes == (found.sentence, "A note.")
    assert [a.way for a in found.lines if table.strong(a)] == ["herding"]
    assert "20 of 5,000 rows for a kernel student, on 300 rows left out" in table.caption


def test_saved_and_loaded_alike(tmp_path: Any) -> None:
    found = selection(RANDOM, HERDING, HARD)
    again = limbeck.load(found.save(tmp_path / "run"))
    assert str(again) == str(found)
    assert again.lines == found.lines
    assert again.chosen().tolist() == [1, 7]


@pytest.fixture
def axes() -> Iterator[Any]:
    pytest.importorskip("matplotlib").use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_the_first_way_is_drawn_on_top_with_its_interval(axes: Any) -> None:
    ax = selection(RANDOM, HERDING).plot(axes)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["herding", "random"]
    ends = [bar[2][0].get_segments()[0].tolist() for bar in ax.containers]
    np.testing.assert_allclose(ends, [[[0.5, 0], [0.65, 0]], [[0.4, 1], [0.55, 1]]])

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from limbeck.reports.charts import Line, Panel, axis, bar, chart, whisker, whisker_scale


def marks(drawing: str, element: str, class_: str) -> list[dict[str, str]]:
    found = ElementTree.fromstring(drawing).iter(element)
    return [mark.attrib for mark in found if mark.get("class") == class_]


def texts(drawing: str) -> list[str]:
    return [str(mark.text) for mark in ElementTree.fromstring(drawing).iter("text")]


def test_a_whisker_spans_its_interval_and_says_it() -> None:
    scale = whisker_scale([0.0, None, 1.0])
    drawn = whisker(0.5, 0.25, 1.0, scale, strong=True)
    (dot,) = marks(drawn, "circle", "dot main")
    assert float(dot["cx"]) == scale.at(0.5) == (scale.start + scale.end) / 2
    span, *ends = marks(drawn, "line", "interval")
    assert [float(span[x]) for x in ("x1", "x2")] == [scale.at(0.25), scale.at(1.0)]
    assert [end["x1"] for end in ends] == [span["x1"], span["x2"]]
    assert 'aria-label="0.500, interval 0.250 to 1.000"' in drawn
    assert len(marks(drawn, "line", "rule")) == 1
    across = whisker_scale([-1.0, 1.0])
    zero = marks(whisker(0.5, 0.2, 0.7, across), "line", "rule")[1]
    assert float(zero["x1"]) == float(zero["x2"]) == across.at(0)


def test_an_axis_names_its_ends_and_zero_where_there_is_room() -> None:
    assert texts(axis(whisker_scale([0.0, 1.0]))) == ["0.0", "1.0"]
    assert texts(axis(whisker_scale([-1.0, 1.0]))) == ["−1.0", "0.0", "1.0"]
    close = axis(whisker_scale([-0.2, 0.8]))
    assert texts(close) == ["−0.2", "0.8"]
    assert len(marks(close, "line", "rule")) == 3


@pytest.mark.parametrize(("share", "part"), [(0.0, 0), (0.25, 0.25), (1.0, 1), (1.5, 1), (-2, 0)])
def test_a_bar_fills_its_share_of_the_frame(share: float, part: float) -> None:
    (frame,), (fill,) = (marks(bar(share), "rect", c) for c in ("frame", "fill"))
    assert float(fill["width"]) == part * float(frame["width"])


def test_a_chart_marks_the_size_that_was_chosen() -> None:
    student = Line("student", ((1, 0.5), (2, 0.75), (3, 0.7)))
    control = Line("control", ((1, 0.4), (3, 0.6)), main=False)
    drawn = chart(Panel("Agreement", "share", (student, control), 2))
    (chosen,), (ring,) = marks(drawn, "line", "chosen"), marks(drawn, "circle", "ring")
    points = marks(drawn, "circle", "point main")
    assert ring["cx"] == chosen["x1"] == points[1]["cx"]
    assert ring["cy"] == points[1]["cy"] == min((p["cy"] for p in points), key=float)
    assert len(marks(drawn, "line", "curve main")) == 2
    assert len(marks(drawn, "line", "curve other")) == 1
    assert len(marks(drawn, "rect", "point")) == 2
    assert "control, size 3: 0.600" in drawn
    assert "leaves" in texts(drawn)
    wide = chart(Panel("A", "share", (Line("student", ((1, 0.5), (64, 0.75))),), 64))
    assert "leaves, each step twice as many" in texts(wide)
    assert "share" in texts(wide)

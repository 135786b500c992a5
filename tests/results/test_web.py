"""The picture of the web names every method, where it can be read."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

import limbeck
from limbeck.results.web import web_layout, web_svg
from limbeck.selection.web import reductions

SVG = "{http://www.w3.org/2000/svg}"


def test_it_names_every_student_and_method_inside_its_frame():
    layout = web_layout(reductions())
    drawn = ET.fromstring(str(web_svg(layout)))
    width, height = map(float, drawn.attrib["viewBox"].split()[2:])
    texts = drawn.findall(f"{SVG}text")
    words = [t.text for t in texts]
    for r in reductions():
        assert r.into in words
        assert any(w.split(" (")[0] == r.method for w in words)
    for t in texts:
        x, y = float(t.attrib["x"]), float(t.attrib["y"])
        room = 2 * min(x, width - x) if t.attrib["text-anchor"] == "middle" else width - x
        assert len(t.text) * 6.4 <= room
        assert 0 < y <= height
    assert set(re.findall(r'fill="([^"]+)"', str(web_svg(layout)))) <= {
        "none", "currentColor", "#0072b2", "#d55e00", "#009e73",
    }  # fmt: skip


def test_texts_do_not_overlap_and_boxes_hold_their_methods():
    layout = web_layout(reductions())
    heights = sorted(y for _, y, _ in layout.arrows)
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 15
    tops = [(top, bottom) for _, top, bottom in layout.students]
    assert all(b < c for (_, b), (c, _) in itertools.pairwise(tops))


def test_it_is_drawn_on_axes():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = limbeck.routes("stored").plot()
    words = {t.get_text() for t in ax.texts}
    assert {"tree", "search_and_stitch", "scores of rows"} <= words
    assert "columns_first" not in words
    matplotlib.pyplot.close(ax.figure)

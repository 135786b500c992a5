from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from limbeck.results.audit_sections.charts import has_outcome, path, range_of, shape_chart
from tests.results.audit_sections.test_page import SHAPES, shape

NONE = {"outcome": np.array([]), "outcome_band": np.empty((0, 2))}


def test_bands_of_rare_bins_stretch_no_scale() -> None:
    one = shape("x", [0.0, 1.0, 2.0], (), 4, 0)
    score = np.array([0.0, 1.0, 0.0, 0.0])
    flat = {"outcome": score, "difference": 0 * score, "outcome_band": np.zeros((4, 2))}
    bands = np.column_stack([score - 0.25, score + 0.25])
    bands[3] = [-50.0, 50.0]
    rare = replace(one, score=score, score_band=bands, count=np.array([500.0, 400, 99, 1]),
                   simultaneous=bands, **flat)  # fmt: skip
    assert (min(range_of([rare])[0]), max(range_of([rare])[0])) == (-0.25, 1.25)
    usual = replace(rare, count=np.array([500.0, 400, 99, 500]))
    # no further than the curves themselves reach, once more on either side
    assert (min(range_of([usual])[0]), max(range_of([usual])[0])) == (-1.0, 2.0)
    assert set(range_of([usual])[1]) == {0.0}


def test_a_shape_has_an_outcome_where_one_bin_has() -> None:
    assert has_outcome(SHAPES[0])
    assert not has_outcome(replace(SHAPES[0], **NONE))
    assert not has_outcome(replace(SHAPES[0], outcome=np.full(10, np.nan)))


@pytest.mark.parametrize("s", SHAPES)
@pytest.mark.parametrize("outcome", [True, False])
def test_every_drawing_is_well_formed_stays_inside_and_counts_all_rows(s, outcome) -> None:
    drawn = s if outcome else replace(s, **NONE)
    root = ElementTree.fromstring(shape_chart(drawn, range_of([drawn]), "log-odds"))
    wide, high = float(root.get("width")), float(root.get("height"))
    for mark in root.iter("path"):
        points = [tuple(map(float, p.split(","))) for p in re.split("[MLZ]", mark.get("d")) if p]
        assert all(0 <= x <= wide and 0 <= y <= high for x, y in points)
    bars = [mark for mark in root.iter("rect") if mark.get("class") == "count"]
    assert len(bars) == min(len(s.count), 16)
    heights = np.array([float(bar.get("height")) for bar in bars])
    if len(s.count) <= 16:
        np.testing.assert_allclose(heights / heights.max(), s.count / s.count.max(), atol=0.03)


def test_a_path_goes_through_its_points_and_back_where_it_is_closed() -> None:
    points = [(0.0, 1.0), (2.0, 3.25)]
    assert path(points, "a b") == '<path d="M0.0,1.0L2.0,3.2" class="a b"></path>'
    assert 'd="M0.0,1.0L2.0,3.2Z"' in path(points, "a", close=True)

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from limbeck.audits.results import Calibration
from limbeck.results.audit_sections.calibration import calibration, calibration_chart
from tests.results.audit_sections.test_page import Reader, example

NAN = float("nan")
FOUND = Calibration(
    np.array([0.0, 10.0, 20.0]), np.array([0.1, 0.5, 0.9]), np.array([0.05, NAN, 0.8]),
    np.array([0.2, NAN, 1.0]), np.array([400.0, 1.0, 100.0]), np.array([-2.0, 0.0, 900.0]),
    0.3, 0.0004, "linear", "The score is <calibrated>.",
)  # fmt: skip


def test_a_point_a_bin_larger_where_there_are_more_rows() -> None:
    root = ElementTree.fromstring(calibration_chart(FOUND, "score <x>", "hit"))
    dots = list(root.iter("circle"))
    across = [float(dot.get("cx")) for dot in dots]
    assert across[1] == pytest.approx((across[0] + across[2]) / 2)
    radii = [float(dot.get("r")) for dot in dots]
    assert radii[0] == 5.0
    assert radii[0] > radii[2] > radii[1]
    assert len([x for x in root.iter("line") if x.get("class") == "interval"]) == 2
    assert [dot[0].text for dot in dots] == [
        "score 0: 10.0% of 400 rows, interval 5.0% to 20.0%",
        "score 10: 50.0% of 1 rows",
        "score 20: 90.0% of 100 rows, interval 80.0% to 100.0%",
    ]
    (line,) = root.iter("path")
    ends = [float(p.split(",")[1]) for p in line.get("d")[1:].split("L")]
    assert ends[1] == pytest.approx(float(dots[1].get("cy")), abs=0.1)  # log-odds of 0 are a half
    assert ends[2] < float(dots[2].get("cy"))


def test_the_section_says_what_was_tested_and_lists_the_bins() -> None:
    text = " ".join(Reader(str(calibration(replace(example(), calibration=FOUND)))).text.split())
    assert "The score is <calibrated>." in text
    assert "Log-odds linear in the score p = 0.300 (small: they are not)" in text
    assert "Never falling with the score p = 0.0004 (small: they fall)" in text
    assert "0 400 10.0% 5.0% to 20.0% 10 1 50.0% — 20 100 90.0% 80.0% to 100.0%" in text
    assert calibration(replace(example(), calibration=None)) is None
    assert calibration(replace(example(), outcome=None)) is None


def test_small_scores_are_told_apart() -> None:
    rare = replace(FOUND, score=np.array([0.0012, 0.0034, 0.0051]))
    text = " ".join(Reader(str(calibration(replace(example(), calibration=rare)))).text.split())
    for said in ("0.0012 400", "0.0034 1", "0.0051 100"):
        assert said in text

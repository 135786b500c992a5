from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

from limbeck.students.rules.drawing import colour_of, rows_of, svg
from limbeck.students.rules.lines import RuleLine

LINES = [
    RuleLine("IF", " and ".join(f"column_{i} > {i}" for i in range(12)), "yes (0.9)", 0.25, 1.0),
    RuleLine("ELSE", "", "a <very> long & name " * 5, 0.75, 0.0),
    RuleLine("Of several rules that hold, that with the smallest number decides."),
]  # fmt: skip


def test_a_drawing_is_sound_and_says_it_all():
    drawn = svg(LINES, 'Rules of "two"')
    root = ElementTree.fromstring(drawn)
    said = " ".join(root.itertext())
    for line in LINES:
        for word in line.conditions.split():
            assert word in said
    width = float(root.get("width"))
    assert width <= 1010
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(box.get("x")) + float(box.get("width")) <= width


def test_no_two_rows_overlap():
    rows, _, _ = rows_of(LINES)
    for above, below in pairwise(rows):
        assert above.top + above.height <= below.top


def test_colours_tell_classes_and_values():
    assert colour_of(RuleLine("", place=0.0)) != colour_of(RuleLine("", place=1.0))
    assert colour_of(RuleLine("", place=0.0, of_class=False)) == "#b0cfea"

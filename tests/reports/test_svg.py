from __future__ import annotations

from xml.etree import ElementTree

from limbeck.reports.svg import drawing, line, text


def test_a_drawing_with_a_label_is_an_image_and_one_without_is_hidden() -> None:
    shown = ElementTree.fromstring(drawing((30, 20), 'A <b> & "c"', line(1, 2, 3, 4, "rule")))
    assert shown.attrib == {
        "viewBox": "0 0 30 20", "width": "30", "height": "20", "role": "img",
        "aria-label": 'A <b> & "c"',
    }  # fmt: skip
    assert [(child.tag, child.attrib) for child in shown] == [
        ("line", {"x1": "1", "y1": "2", "x2": "3", "y2": "4", "class": "rule"})
    ]
    hidden = ElementTree.fromstring(drawing((30, 20), None, None, class_="whisker"))
    assert (hidden.get("aria-hidden"), hidden.get("role")) == ("true", None)
    assert hidden.get("class") == "whisker"
    assert len(hidden) == 0


def test_words_stand_where_they_were_put_and_are_no_markup() -> None:
    found = ElementTree.fromstring(text(1.5, 2, "<a> & b"))
    assert found.text == "<a> & b"
    assert found.attrib == {"x": "1.5", "y": "2", "text-anchor": "middle"}
    assert ElementTree.fromstring(text(0, 0, "a", "end")).get("text-anchor") == "end"

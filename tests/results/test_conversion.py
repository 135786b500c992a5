from __future__ import annotations

import json

import pytest

from limbeck.core.errors import InvalidInput


def test_a_page_and_a_notebook_take_no_name_for_markup(conversions, tmp_path):
    found = conversions()
    page = found.report(tmp_path / "page.html").read_text()
    assert "<h1>&lt;b&gt;Big&lt;/b&gt;, attention in 2 of 8 layers</h1>" in page
    assert page.count("<table") == len(found.tables()) == 5
    assert "<b>" not in page + found._repr_html_()


def test_the_verdict_begins_with_the_certificate(conversions, languages):
    bare = conversions()
    assert bare.verdict == f"There is no certificate. {bare.comparison.sentence}"
    found = conversions(certificate=languages().certificate)
    assert found.verdict == f"It is near. {bare.comparison.sentence}"


def test_it_is_exported_as_onnx_alone(conversions, tmp_path):
    with pytest.raises(InvalidInput, match=r"'model\.pt'.*ends in \.onnx.*save\(folder\)"):
        conversions().export(tmp_path / "model.pt")


def test_numbers_are_kept_and_printed(conversions):
    found = conversions()
    kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert kept["recalled"]["student"][1]["right"] == {"value": 0.25, "low": 0.0, "high": 1.0}
    assert kept["facts"]["student"]["divergence"] == 0.1
    assert "student" not in kept
    text = str(found)
    order = ["On 40", "Share recalled", "Share of 30 pairs", "training: All", "note: A note."]
    places = [text.find(part) for part in order[1:]]
    assert -1 not in places
    assert places == sorted(places)

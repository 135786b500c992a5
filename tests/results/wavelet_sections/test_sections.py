from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import limbeck
from limbeck.reports.style import PAGE
from limbeck.results.wavelet_sections import sections as wavelet_sections
from limbeck.results.wavelet_sections.facts import kept_rows

HEADS = ["The wavelet", "What the teacher uses", "Sparsity against prediction"]


class Balanced(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("kind", ["signal", "channels", "picture"])
def test_the_page_has_the_sections_and_needs_nothing_else(wavelet_results, kind, tmp_path):
    page = wavelet_results[kind].report(tmp_path / "wavelet.html").read_text("utf-8")
    text = Balanced(page).text
    for head in HEADS:
        assert f"<h2>{head}</h2>" in page
    assert ("The pictures, and" if kind == "picture" else "The signals, and") in text
    assert not re.search(r"<(script|img|link|iframe)|url\(|@import", page)
    assert len(page) < 400_000


def test_the_page_says_what_the_search_did_and_the_teacher_uses(wavelet_results):
    said = wavelet_sections.filters(wavelet_results["signal"])
    assert "The search from 24 starts changed the filters of db5." in said
    assert "By its own measure it succeeded" in said
    failed = replace(
        wavelet_results["signal"], trace={**wavelet_results["signal"].trace, "success": False}
    )
    assert "did not succeed: another run may" in wavelet_sections.filters(failed)
    uses = wavelet_sections.importance(wavelet_results["signal"])
    assert "move most with approximation 2: it has 55.6% of all" in uses


def test_the_student_is_drawn_by_what_its_bands_add(wavelet_results):
    model = wavelet_results["signal"].student
    found, drawn = model.importances(), model.drawing()
    shares = re.findall(r">([\d.]+)%<", drawn)
    total = sum(found.values())
    assert shares == [f"{100 * found[band.name] / total:.1f}" for band in model.bands]
    assert f"{model.size} coefficients" in drawn
    assert drawn in wavelet_results["signal"]._repr_html_()


def test_energy_and_answers_are_those_of_the_rows(wavelet_results):
    kept = kept_rows(wavelet_results["signal"])
    section = wavelet_sections.kept(wavelet_results["signal"])
    assert f"keep {100 * kept.energy:.1f}% of their energy" in section
    assert section.count("<figcaption>teacher") == 6
    assert f"teacher {kept.teacher[0]}, student {kept.student[0]}" in section


def test_channels_are_named(wavelet_results):
    section = wavelet_sections.kept(wavelet_results["channels"])
    assert section.count("channel 1</figcaption>") == section.count("channel 2</figcaption>") == 3


def test_without_a_search_only_the_student_is_shown(wavelet_results):
    bare = replace(wavelet_results["signal"], trace={})
    assert "as they were given" in wavelet_sections.filters(bare)
    assert wavelet_sections.importance(bare) is None
    assert wavelet_sections.path(bare) is None
    assert wavelet_sections.kept(bare) is not None


def test_pages_of_other_students_are_as_they_were(tmp_path):
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(5, random_state=0).fit(X[::2], y[::2])
    result = limbeck.distill(forest, X[1::2], max_leaves=3, queries=100, progress=False)
    page = result.report(tmp_path / "r.html").read_text("utf-8")
    assert f"<style>{PAGE}</style>" in page


@pytest.mark.parametrize("kind", ["signal", "picture"])  # channels: test_pages.py
def test_the_page_fits_the_window(wavelet_results, kind, tmp_path, browsed):
    page = wavelet_results[kind].report(tmp_path / "wavelet.html").read_text("utf-8")
    assert all(content <= window for window, (content, _) in browsed(page, [390, 1200]).items())

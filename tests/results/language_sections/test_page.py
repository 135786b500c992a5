from __future__ import annotations

import re
from html import unescape

from limbeck.results.language_sections.page import fragment, write_page


def headings(page):
    return re.findall("<h2[^>]*>([^<]*)</h2>", page)


def test_a_page_has_the_parts_that_the_record_has(languages, tmp_path):
    page = write_page(languages(), tmp_path / "page.html").read_text()
    assert headings(page) == [
        "Teacher, student and controls", "What they write", "Certificate", "Bill",
        "Texts side by side", "Notes", "Pre-flight", "History", "Settings",
    ]  # fmt: skip
    bare = languages(certificate=None, generations=(), notes=(), preflight=(), history=())
    page = write_page(bare, tmp_path / "page.html").read_text()
    assert headings(page) == [
        "Teacher, student and controls", "What they write", "Bill", "Settings",
    ]  # fmt: skip


def test_its_lead_says_how_small_the_student_is(languages, tmp_path):
    page = unescape(write_page(languages(), tmp_path / "page.html").read_text())
    assert "The student has 1,500,000 parameters, 50% of its teacher's." in page
    assert "1,000 training prompts, 60 test prompts that no training saw, 2 seeds." in page


def test_settings_are_told_and_names_are_no_markup(languages, tmp_path):
    page = write_page(languages(), tmp_path / "page.html").read_text()
    told = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert told["Versions"] == "torch 2.0"  # one that is not known is left out
    assert told["Seeds"] == "0, 1"
    assert told["Time"] == "90.0 s"
    assert told["Teacher"] == "&lt;b&gt;Big&lt;/b&gt;"
    assert told["Student (SHA-256)"].endswith(f"{'a' * 16}</code>")
    for shown in (page, fragment(languages())):
        assert "<b>" not in shown
        assert "&lt;b&gt;Big&lt;/b&gt;, distilled into Small" in shown

"""A network's distillation as a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from limbeck.results.network import NetworkDistillation
from limbeck.results.network_sections.page import fragment, write_page

Make = Callable[..., NetworkDistillation]


@pytest.fixture
def page(networks: Make, tmp_path: Path) -> str:
    return write_page(networks(), tmp_path / "r.html").read_text("utf-8")


def test_names_are_text_and_nothing_runs_or_is_loaded(page: str) -> None:
    for markup in ("<b>Small", "<i>dog", "<u>Columns", "<script", "http://", "https://"):
        assert markup not in page.replace("http://www.w3.org/2000/svg", "")
    for text in ("&lt;b&gt;Small&lt;/b&gt;", "&lt;i&gt;dog&lt;/i&gt;", "&lt;u&gt;Columns"):
        assert text in page


def test_every_part_has_its_section(page: str) -> None:
    assert page.count("<h1") == 1
    for head in ("Teacher, student and control", "Whose mistakes", "By class", "Training", "Notes",
                 "Settings"):  # fmt: skip
        assert f">{head}</h2>" in page
    for absent in ("Certificate", "How to verify"):
        assert f">{absent}</h2>" not in page
    assert "50% of its teacher" in page  # 23.5 M / 2


def test_nothing_is_wider_than_the_window(
    page: str, browsed: Callable[[str, list[int]], dict[int, tuple[int, list[str]]]]
) -> None:
    for window, (content, _) in browsed(page, [390, 1200]).items():
        assert content <= window


def test_the_fragment_holds_verdict_and_table(networks: Make) -> None:
    result = networks()
    html = fragment(result)
    assert html.count("<table") == 1
    assert "Distilling helped accuracy on the labels" in html
    assert "<b>Small" not in html


def test_what_is_lacking_is_left_out(networks: Make, tmp_path: Path) -> None:
    bare = networks(history=(), notes=())
    page = write_page(bare, tmp_path / "r.html").read_text("utf-8")
    assert ">Training</h2>" not in page
    assert ">Notes</h2>" not in page

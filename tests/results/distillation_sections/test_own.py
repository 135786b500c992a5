"""What the page of some kinds of students has of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

import limbeck
from limbeck.reports.style import PAGE
from limbeck.results.distillation_sections.own import own_page
from limbeck.results.distillation_sections.sections import picture, sections_of
from limbeck.students.tree.tree import Tree


class Plain(Tree):
    """A student of another package: no drawing of its own, and no rules."""

    def rules(self, *_: Any, **__: Any) -> list[str]:
        return []

    def drawing(self) -> Any:
        return super(Tree, self).drawing()

    def caption(self) -> str:
        return ""


def test_a_wavelet_has_sections_of_its_own_and_a_tree_has_none(wavelet_results: Any) -> None:
    wavelet = wavelet_results["signal"]
    assert len(own_page(wavelet).sections) == 4
    assert own_page(wavelet).style != PAGE
    assert [s for s in sections_of(wavelet) if s in own_page(wavelet).sections]


def test_a_student_is_shown_by_what_it_says_of_itself() -> None:
    X = np.arange(200.0).reshape(-1, 1)
    teacher = Tree(max_leaves=2).fit(X, X[:, 0] > 90)
    result = limbeck.distill(teacher, X, into="tree", max_leaves=2, queries=0, progress=False)
    assert own_page(result).sections == ()
    assert own_page(result).style == PAGE
    assert "<svg" in picture(result)
    assert "2 leaves, depth 1" in picture(result)
    assert "As 2 rules" in sections_of(result)[3](result)
    result.student.__class__ = Plain
    assert "<svg" not in picture(result)
    assert f"<pre>{result.student.text()[:3]}" in picture(result)
    assert "figcaption" not in picture(result)
    assert "rules" not in sections_of(result)[3](result)

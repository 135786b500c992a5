"""Pages in a browser: what is wide folds in narrow windows, and a deep tree fits a usual one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.results.network import NetworkDistillation
from limbeck.students.tree.tree import Tree

Look = Callable[[str, Sequence[int]], dict[int, tuple[int, list[str]]]]
WIDTHS = [360, 500, 800, 1280]


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a tree of depth 7 with long names, groups and missing values."""
    rng = np.random.default_rng(0)
    names = [
        f"{what} of the applicant in the twelve months before the decision [days]"
        for what in ("number of late payments", "share_of_income_that_is_paid_for_debts", "length")
    ]
    X = pd.DataFrame(rng.normal(size=(900, 3)), columns=names)
    X.iloc[::9, 1] = np.nan
    labels = np.array(["refused", "granted", "granted with a guarantee of someone else"])

    def teacher(X: Any) -> Any:
        v = np.nan_to_num(np.asarray(X, float))
        return labels[np.digitize(np.sin(3 * v[:, 0]) + v[:, 1] * v[:, 2], [-0.5, 0.7])]

    result = limbeck.distill(
        teacher, X, teacher(X), classes=list(labels), into="tree", max_leaves=2, queries=0,
        groups=np.where(X.iloc[:, 0] > 0, "more than the usual number", "fewer"), progress=False,
    )  # fmt: skip
    result = replace(result, student=Tree(60).fit(X, teacher(X)))  # deep, and soon grown
    assert result.student.depth >= 7
    folder = tmp_path_factory.mktemp("deep")
    return result.report(folder / "r.html").read_text("utf-8")


def test_a_deep_tree_with_long_names_is_never_cut_off(deep: str, browsed: Look) -> None:
    for width, (content, cut) in browsed(deep, WIDTHS).items():
        assert content <= width
        assert cut == [], width


def test_a_scorecard_of_long_names_wraps_them(browsed: Look, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"{what} of the applicant in the twelve months before [days]" for what in "abc"]
    X = pd.DataFrame(rng.normal(size=(160, 3)), columns=names)
    said = (X.iloc[:, 0] > 0) & (X.iloc[:, 1] > 0) & (X.iloc[:, 2] > -1)
    result = limbeck.distill(
        lambda X: (X.to_numpy() > [0, 0, -1]).all(axis=1), X, said, into="scorecard",
        max_numbers=8, queries=0, progress=False,
    )  # fmt: skip
    assert any(len(line) > 120 for line in result.student.text().splitlines())
    page = result.report(tmp_path / "r.html").read_text("utf-8")
    for width, (content, cut) in browsed(page, [*WIDTHS, 700]).items():
        assert content <= width
        assert cut == [], width


def test_nor_are_the_tables_of_networks(
    networks: Callable[..., NetworkDistillation], browsed: Look, tmp_path: Path
) -> None:
    page = networks().report(tmp_path / "r.html").read_text("utf-8")
    for width, (content, cut) in browsed(page, WIDTHS).items():
        assert content <= width
        assert cut == [], width


def test_of_wavelets_only_the_map_of_strengths_scrolls_in_narrow_windows(
    wavelet_results: Any, browsed: Look, tmp_path: Path
) -> None:
    page = wavelet_results["channels"].report(tmp_path / "r.html").read_text("utf-8")
    for width, (content, cut) in browsed(page, WIDTHS).items():
        assert content <= width
        assert [label.split(",")[0] for label in cut] == (
            ["Absolute attribution by band and time"] if width <= 500 else []
        )


def test_a_page_that_is_too_wide_would_be_noticed(browsed: Look) -> None:
    page = (
        '<html><body><div class="scroll" aria-label="wide" style="overflow-x:auto">'
        '<div style="width:600px">x</div></div></body></html>'
    )
    assert browsed(page, [360, 800]) == {360: (360, ["wide"]), 800: (800, [])}

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import limbeck
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.status import Status, StatusCode
from limbeck.results.distillation import Distillation
from limbeck.results.distillation_sections import facts
from limbeck.results.distillation_sections.page import fragment, write_page

EVIL = "<script>alert(1)</script>"
VOID = {"meta", "br", "hr", "img", "input", "link"}


@pytest.fixture(scope="module")
def result() -> Distillation:
    return distilled(np.repeat(["<b>a</b>", "b"], 75))


def distilled(groups: object = None, labels: bool = True) -> Distillation:
    X, y = load_iris(return_X_y=True, as_frame=True)
    X = X.rename(columns={"petal length (cm)": EVIL})
    teacher = RandomForestClassifier(20, random_state=0).fit(X[::2], y[::2])
    return limbeck.distill(
        teacher, X, y if labels else None,
        max_leaves=4, queries=200, groups=groups, progress=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(result: Distillation, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(result, tmp_path_factory.mktemp("page") / "r.html").read_text("utf-8")


class Reader(HTMLParser):
    """Checks that tags close in order, and collects text and attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data + " "


def test_page_is_well_formed_and_headed(page: str) -> None:
    read = Reader(page)
    tags = [tag for tag, _ in read.seen]
    assert page.startswith("<!DOCTYPE html>")
    assert tags.count("h1") == 1
    assert tags.count("h2") >= 6
    assert all(a.get("scope") in ("row", "col") for t, a in read.seen if t == "th")


def test_page_needs_nothing_else(page: str, result: Distillation) -> None:
    for source in (page, fragment(result)):
        read = Reader(source)
        assert not [t for t, _ in read.seen if t in ("script", "link", "img", "iframe")]
        assert not [a for _, a in read.seen if "src" in a or "href" in a]
        assert "url(" not in source
        assert "@import" not in source


def test_page_states_the_certificate(page: str, result: Distillation) -> None:
    text, c = Reader(page).text, result.certificate
    assert c.statement in text
    assert facts.lead(result) in text
    assert all(a in text for a in c.assumptions)
    assert c.student[:12] in text
    assert c.student in page
    assert c.rows in page
    for entry in result.comparison.entries[1:]:
        assert f"{entry.agreement.value:.3f}" in text
    for group in c.groups:
        assert group.group in text


def test_names_are_escaped(page: str, result: Distillation) -> None:
    assert len(result.certificate.groups) == 2
    for source in (page, fragment(result)):
        assert "<script" not in source
        assert "<b>" not in source
    assert EVIL in Reader(page).text  # the tree asks about it


@pytest.mark.parametrize("labels", [True, False])
def test_no_number_is_missing(labels: bool) -> None:
    result = distilled(labels=labels)
    for source in (fragment(result), "".join(map(str, _sections(result)))):
        assert not re.search(r"\b(nan|inf|undefined)\b", Reader(source).text, re.I)
    without = re.sub(r"\w+\(.*?\)", "", Reader("".join(_sections(result))).text)  # the method
    assert "None" not in without


def _sections(result: Distillation) -> list[str]:
    from limbeck.results.distillation_sections.sections import sections_of

    return [made for section in sections_of(result) if (made := section(result)) is not None]


def test_without_labels_it_says_that_there_is_no_control() -> None:
    text = Reader(fragment(distilled(labels=False))).text
    assert "No control" in text
    assert "accuracy" not in text


def test_layers_and_interruption_are_shown(result: Distillation, tmp_path: Path) -> None:
    row = {"layer": "relu<1>", "width": 8, "rank": 3, "answers_r2": 0.9, "clauses_r2": -0.1}
    lrh = {"r_squared": 0.8, "r_squared_inputs": 0.3, "tau": 4.0, "penalty": 0.1}
    stopped = Status(StatusCode.INTERRUPTED, "It was interrupted.", "Run it again.")
    changed = replace(result, status=stopped, trace={**result.trace, "layers": [row], "lrh": lrh})
    text = Reader(write_page(changed, tmp_path / "r.html").read_text("utf-8")).text
    assert "relu<1>" in text
    assert "80%" in text
    assert "It was interrupted. Run it again." in text


def test_regression_gives_tolerance_and_unit() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"depth [m]": rng.normal(size=300), "b": rng.normal(size=300)})
    result = limbeck.distill(
        lambda X: np.where(np.asarray(X)[:, 0] > 0, 3.0, 1.0) + np.asarray(X)[:, 1],
        X, X["b"], regression=True, unit="kg", max_leaves=4, queries=200, progress=False,
    )  # fmt: skip
    text = Reader(fragment(result)).text
    assert "R²" in text
    assert re.search(r"within [\d.]+ kg of the teacher", text)


def test_folder_must_exist(result: Distillation, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        write_page(result, tmp_path / "no" / "r.html")
    with pytest.raises(InvalidInput, match="is a folder"):
        write_page(result, tmp_path)


def test_nothing_is_left_when_writing_fails(
    result: Distillation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "r.html"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(FileRefused, match="disk"):
        write_page(result, target)
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]
    assert target.read_text() == "old"


def test_the_page_never_scrolls_sideways(
    page: str, browsed: Callable[[str, list[int]], dict[int, tuple[int, list[str]]]]
) -> None:
    for window, (content, _) in browsed(page, [360, 1400]).items():
        assert content <= window


def test_the_sampler_and_what_was_tried_are_shown(result: Distillation, tmp_path: Path) -> None:
    tried = {"munge": 0.91, "gaussian_copula": 0.934, "none": 0.9}
    trace = {**result.trace, "sampler": "gaussian_copula", "samplers_tried": tried}
    page = write_page(replace(result, trace=trace), tmp_path / "r.html")
    shown = Reader(page.read_text("utf-8")).text
    assert "gaussian copula; agreement on rows left out" in shown
    assert "gaussian copula 0.934, munge 0.910, none 0.900" in shown

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import limbeck
from limbeck.reports.numbers import count, decimal, duration, measured, percent
from limbeck.reports.printed import plain_text
from limbeck.results.distillation import Distillation
from limbeck.results.distillation_sections.tables import result_table


@pytest.fixture(scope="module")
def result() -> Distillation:
    X, y = load_iris(return_X_y=True, as_frame=True)
    teacher = RandomForestClassifier(20, random_state=0).fit(X[::2], y[::2])
    return limbeck.distill(teacher, X, y, max_leaves=4, queries=200, progress=False)


def rendered(result: Distillation, width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(result)
    return capture.get()


def test_it_holds_models_status_certificate_and_verdict(result: Distillation) -> None:
    text = plain_text(result_table(result))
    flat = " ".join(text.split())
    for entry in result.comparison.entries:
        assert entry.role in text
        assert entry.model in text
        assert entry.role == "teacher" or str(entry.agreement) in text
        assert str(entry.accuracy) in text
    for sentence in (str(result.status), result.certificate.statement, result.comparison.sentence):
        assert sentence in flat


@pytest.fixture(scope="module")
def by_class() -> Distillation:
    return _with_groups("class")


def _with_groups(groups: Any) -> Distillation:
    X, y = load_iris(return_X_y=True, as_frame=True)
    teacher = RandomForestClassifier(20, random_state=0).fit(X[::2], y[::2])
    found: Distillation = limbeck.distill(teacher, X, y, max_leaves=4, queries=0, groups=groups)
    return found


def test_bounds_by_class_stand_beside_agreement_by_class(by_class: Distillation) -> None:
    text = plain_text(result_table(by_class))
    assert "certified at 95%:" in text
    start = next(i for i, line in enumerate(text.splitlines()) if "teacher's" in line)
    lines = text.splitlines()[start + 2 : start + 5]
    for line, bound in zip(lines, by_class.certificate.groups, strict=True):
        label, rows, *_, last = line.split()
        assert (label, rows) == (bound.group, str(bound.n))
        assert bound.epsilon <= float(last.rstrip("%")) / 100 < bound.epsilon + 0.001
    assert text.count("certified at") == 1


def test_bounds_of_other_groups_have_a_table_of_their_own() -> None:
    size = np.where(load_iris(return_X_y=True)[0][:, 0] > 5.8, "large", "small")
    text = plain_text(result_table(_with_groups(size)))
    assert "at most (95%, all at once)" in text
    lines = [line.split() for line in text.splitlines() if line.startswith(("large", "small"))]
    assert [line[0] for line in lines] == ["large", "small"]
    many = plain_text(result_table(_with_groups(np.arange(150) % 12)))
    assert "largest bounds" in many


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_number_is_cut_at_any_width(result: Distillation, width: int) -> None:
    text = rendered(result, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert all(str(e.accuracy) in text for e in result.comparison.entries)
    assert "…" not in text


@pytest.mark.parametrize("width", [80, 100, 200])
def test_nor_is_a_bound(by_class: Distillation, width: int) -> None:
    text = rendered(by_class, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text


def test_str_is_plain_and_at_most_100_wide(
    result: Distillation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    text = str(result)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert text == "\n".join(line.rstrip() for line in text.splitlines())


def test_names_are_not_markup(result: Distillation) -> None:
    teacher, *others = result.comparison.entries
    named = replace(
        result.comparison, entries=(replace(teacher, model="[bold]net[/bold] :smile:"), *others)
    )
    assert "[bold]net[/bold] :smile:" in plain_text(result_table(replace(result, comparison=named)))


def test_without_labels_there_is_no_accuracy(result: Distillation) -> None:
    entries = tuple(replace(e, accuracy=None) for e in result.comparison.entries)
    bare = replace(result, comparison=replace(result.comparison, entries=entries, differences=()))
    text = plain_text(result_table(bare))
    assert "accuracy" not in text
    assert "No control" in text


def test_numbers() -> None:
    assert plain_text(Text("a")) == "a"
    assert [decimal(v) for v in (0.1234, -0.5, -0.0001, float("nan"), None)] == [
        "0.123", "−0.500", "0.000", "—", "—",
    ]  # fmt: skip
    assert percent(0.1234) == "12.3%"
    assert count(12345) == "12,345"
    assert [duration(s) for s in (0.0123, 3.21, 180)] == ["12 ms", "3.2 s", "3.0 min"]
    assert measured(None) == "—"

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from limbeck.core.columns import Features, Rows
from limbeck.methods.answered_rows import answer_rows
from limbeck.selection.front import Entrant
from limbeck.selection.race import Route
from limbeck.selection.routes import students
from limbeck.selection.stability import near_equal, refitted, said_of, statements, thresholds_of
from limbeck.students import Linear, Tree
from limbeck.teachers import CallableTeacher

X = np.random.default_rng(0).normal(size=(300, 3))
ROWS = Rows(Features.of(X), X)
TEACHER = CallableTeacher(
    lambda X: np.where(np.asarray(X)[:, 0] > 0.5, "yes", "no"), classes=["no", "yes"]
)
EVERY = answer_rows(TEACHER, ROWS, "none", 0, np.random.default_rng(0))
Y = np.where(X[:, 0] > 0.5, "yes", "no")


def entrant(student: Any, losses: Any = (0.0,), variant: str = "answers") -> Entrant:
    method = students()["tree"]["greedy"].from_settings({}).limited(8)
    return Entrant(Route("tree", "greedy", method), student, np.asarray(losses), (), variant)


def test_a_step_at_a_threshold_returns_in_every_refit():
    tree = Tree(2, task=TEACHER.task).fit(ROWS, Y)
    again = refitted(entrant(tree), EVERY, 0, time.time() + 60, refits=8)
    assert len(again) == 8
    assert len({s.fingerprint() for s in again}) > 1  # bags differ
    found = {s.text: s for s in statements(tree, again, [tree], ROWS)}
    assert found["x0 is used"].refits.value == 1
    assert found["x0 is used"].refits.low == pytest.approx(0.025 ** (1 / 8))  # Clopper-Pearson
    assert found["more x0 never speaks against yes"].near == 1
    cut = next(s for text, s in found.items() if "threshold" in text)
    assert cut.text.startswith("x0 has a threshold within")
    assert cut.refits.value == 1
    assert not any("x1" in text or "x2" in text for text in found)


def test_noise_does_not_return():
    rng = np.random.default_rng(1)
    coin = {row.tobytes(): v for row, v in zip(X, rng.random(300) < 0.5, strict=True)}
    teacher = CallableTeacher(
        lambda X: np.where([coin[r.tobytes()] for r in np.asarray(X)], "yes", "no"),
        classes=["no", "yes"],
    )
    every = answer_rows(teacher, ROWS, "none", 0, rng)
    told = np.where(every.answers == 1, "yes", "no")
    tree = Tree(2, task=teacher.task).fit(ROWS, told)
    again = refitted(entrant(tree), every, 0, time.time() + 60, refits=12)
    cut = next(s for s in statements(tree, again, [], ROWS) if "threshold" in s.text)
    assert cut.refits.value < 0.8


def test_time_that_is_over_leaves_fewer_refits():
    tree = Tree(2, task=TEACHER.task).fit(ROWS, Y)
    assert refitted(entrant(tree), EVERY, 0, time.time() - 1) == []


def test_directions_of_values():
    line = Linear().fit(X, 2 * X[:, 0] - X[:, 1])
    said = said_of(line, ROWS)
    assert {"more x0 never lowers the value", "more x1 never raises the value"} <= said
    bump = Tree(3).fit(X, (np.abs(X[:, 0]) < 1) * 1.0)
    assert said_of(bump, ROWS) == {"x0 is used"}


def test_thresholds_of_a_tree_are_its_own():
    tree = Tree(2, task=TEACHER.task).fit(ROWS, Y)
    ((column, cut),) = thresholds_of(tree)
    assert column == 0
    assert cut == pytest.approx(0.5, abs=0.05)


def test_near_equal_students_are_within_the_margin_or_one_standard_error():
    def one(name: str, losses: Any) -> Entrant:
        return entrant(SimpleNamespace(fingerprint=lambda: name), losses)

    errs = np.r_[1.0, np.zeros(99)]
    best, twin = one("a", errs), one("a", errs)
    close = one("b", np.r_[0.0, 1.0, 1.0, np.zeros(97)])  # 0.01 behind, with an error of 0.017
    far = one("c", np.r_[np.ones(10), np.zeros(90)])
    assert near_equal([far, close, best, twin], 0.0) == [best, close]
    assert near_equal([far, best], 0.2) == [best, far]

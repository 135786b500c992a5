"""Monotone trees: everywhere, whatever their questions, by every method that takes the setting."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.methods.search_and_stitch.monotone import in_order, isotonic, leaf_order
from limbeck.selection.routes import methods_into
from limbeck.students.tree.apply import walker
from limbeck.students.tree.nodes import EQ, LE, MISSING, Nodes
from limbeck.teachers import CallableTeacher

KINDS = ("numeric", "numeric", "categorical")
DIRECTION = np.array([1, -1, 0])
METHODS = [name for name, method in methods_into("tree").items()
           if "monotone" in method.__dataclass_fields__
           and "monotone" not in method.without]  # fmt: skip


def random_tree(seed: int, leaves: int, classes: bool) -> Nodes:
    """Any questions about two numbers and a category of which three levels are asked about."""
    rng = np.random.default_rng(seed)
    parts: list[list] = [[-1, 0, 0.0, False, -1, -1]]
    for _ in range(leaves - 1):
        at = int(rng.choice([i for i, p in enumerate(parts) if p[0] < 0]))
        j = int(rng.integers(3))
        op = MISSING if rng.random() < 0.15 else EQ if KINDS[j] == "categorical" else LE
        t = 0.0 if op == MISSING else float(rng.integers(3) if op == EQ else rng.integers(6) / 2)
        parts[at] = [j, op, t, bool(op != MISSING and rng.random() < 0.5), len(parts),
                     len(parts) + 1]  # fmt: skip
        parts += [[-1, 0, 0.0, False, -1, -1], [-1, 0, 0.0, False, -1, -1]]
    share = rng.random(len(parts))
    value = np.column_stack([1 - share, share]) if classes else share[:, None]
    return Nodes(*map(np.array, zip(*parts, strict=True)), value, rng.random(len(parts)) + 0.1)


def said(nodes: Nodes, values: np.ndarray) -> np.ndarray:
    find, leaves = walker(nodes)
    return nodes.value[leaves[find(values)], -1]


def points() -> np.ndarray:
    """One in every cell, and missing ones."""
    line = [*np.arange(-0.25, 3.5, 0.5), np.nan]
    return np.array(list(itertools.product(line, line, [0.0, 1.0, 2.0, 3.0, np.nan])))


@given(st.integers(0, 10**6), st.integers(1, 12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_tree_becomes_monotone_in_every_cell(seed, leaves, classes):
    nodes = in_order(random_tree(seed, leaves, classes), DIRECTION)
    values = points()
    for j in (0, 1):
        for to in (0.25, 1.0, 5.0):
            raised = values.copy()
            raised[:, j] += to
            rise = said(nodes, raised) - said(nodes, values)
            assert (DIRECTION[j] * rise[~np.isnan(values[:, j])] >= 0).all()
    if classes:
        assert np.allclose(nodes.value.sum(axis=1), 1)
    assert in_order(nodes, DIRECTION) is nodes


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_pairs_are_those_that_one_column_leads_between(seed):
    nodes = random_tree(seed, 7, False)
    find, leaves = walker(nodes)
    values = points()
    at = leaves[find(values)]
    expected = set()
    for j in (0, 1):
        key = np.delete(np.nan_to_num(values, nan=-9.0), j, axis=1)
        for group in np.unique(key, axis=0):
            here = np.flatnonzero((key == group).all(axis=1) & ~np.isnan(values[:, j]))
            line = at[here[np.argsort(values[here, j])]]
            pairs = [(a, b) for n, a in enumerate(line) for b in line[n + 1 :] if a != b]
            expected |= {(a, b) if DIRECTION[j] > 0 else (b, a) for a, b in pairs}
    assert {(a, b) for a, b in leaf_order(nodes, DIRECTION).tolist()} == expected


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_no_monotone_values_are_nearer_nor_wrong_less_often(seed):
    rng = np.random.default_rng(seed)
    m = 6
    pairs = np.array([(a, b) for a, b in itertools.combinations(range(m), 2)
                      if rng.random() < 0.4] or [(0, 1)])  # fmt: skip
    share, weight = rng.random(m), rng.random(m) + 0.1
    kept = isotonic(share, weight, pairs)
    assert (kept[pairs[:, 0]] <= kept[pairs[:, 1]]).all()
    # the nearest: no other monotone values lie on the side of the given ones
    labels = [np.array(z) for z in itertools.product([0.0, 1.0], repeat=m)]
    ups = [z for z in labels if (z[pairs[:, 0]] <= z[pairs[:, 1]]).all()]
    for z in ups:
        assert weight @ ((share - kept) * (z - kept)) <= 1e-9
    # cut at one half, no monotone labels are wrong less often
    wrong = [weight @ np.where(z > 0.5, 1 - share, share) for z in ups]
    assert weight @ np.where(kept > 0.5, 1 - share, share) <= min(wrong) + 1e-9


RNG = np.random.default_rng(3)
N = 160
X = pd.DataFrame(
    {
        "up": np.where(RNG.random(N) < 0.1, np.nan, RNG.normal(size=N)),
        "down": RNG.normal(size=N),
        "free": RNG.normal(size=N),
        "level": pd.Categorical(RNG.choice(["x", "y", "z"], N)),
    }
)
WAYS = {"up": 1, "down": -1}


def bends(Z):
    """What goes the wrong way now and then."""
    up = Z["up"].fillna(0.0)
    return (up + 1.5 * np.sin(3 * up) - Z["down"] + np.cos(4 * Z["down"])
            + np.where(Z["level"] == "x", -1.0, 1.0) * Z["free"]).to_numpy()  # fmt: skip


def tree_of(method, values, monotone, free=False):
    teacher = CallableTeacher(
        bends if values else lambda Z: (bends(Z) > 0) * 1.0,
        **({"score_kind": "value"} if values else {"score_kind": "label", "classes": [0, 1]}),
    )
    made = methods_into("tree")[method].from_settings(
        {"monotone": monotone, "queries": 200, "max_leaves": 10, "leaves": 10,
         **({"thresholds": 12} if method == "optimal" else {})}
    )  # fmt: skip
    rows = Features.of(X).rows(X)
    return made, made.distill(teacher, rows, np.random.default_rng(0), quiet), teacher, rows


# values are put in order alike after every method: two stand for all, the rest is slow
@pytest.mark.parametrize(
    ("method", "values"),
    [(m, False) for m in METHODS]
    + [pytest.param(m, True, marks=() if m in ("search_and_stitch", "greedy") else pytest.mark.slow)
       for m in METHODS],
)  # fmt: skip
def test_every_method_keeps_to_directions_everywhere(method, values):
    made, found, teacher, rows = tree_of(method, values, WAYS)
    told = bends(X) if values else (bends(X) > 0).astype(int)
    control = made.learn(rows, told, teacher.task, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    Z = pd.DataFrame({name: rng.normal(scale=1.5, size=2000) for name in ("up", "down", "free")})
    Z["level"] = pd.Categorical(rng.choice(["x", "y", "z"], 2000))
    raised = {name: Z.assign(**{name: Z[name] + rng.exponential(size=2000)}) for name in WAYS}
    tables = [rows.features.rows(table) for table in (Z, *raised.values())]
    for student in (found.student, control, *found.frontier):
        before, *after = (student.predict(t) if values else student.predict_proba(t)[:, 1]
                          for t in tables)  # fmt: skip
        for way, there in zip(WAYS.values(), after, strict=True):
            assert (way * (there - before) >= 0).all()
    assert found.student.size > 2
    assert {"up <=", "down <="} <= {q for q in ("up <=", "down <=") if q in found.student.text()}


def test_without_directions_the_same_teacher_is_followed_back_down():
    student = tree_of("search_and_stitch", True, {})[1].student
    line = pd.DataFrame({"up": np.linspace(-2, 2, 200), "down": 0.0, "free": 0.0})
    line["level"] = pd.Categorical(["x"] * 200, ["x", "y", "z"])
    assert (np.diff(student.predict(line)) < 0).any()


@pytest.mark.parametrize("method", METHODS)
def test_classes_without_an_order_and_categories_are_refused_before_any_question(method):
    def never(Z):
        raise AssertionError("it was asked")

    for given_, classes, why in (
        (WAYS, [0, 1, 2], "3 classes, which have no order"),
        ({"level": 1}, [0, 1], "categories have no order"),
        ({"upp": 1}, [0, 1], "no column 'upp'"),
    ):
        teacher = CallableTeacher(never, score_kind="label", classes=classes)
        made = methods_into("tree")[method].from_settings({"monotone": given_})
        with pytest.raises(InvalidInput, match=why):
            made.distill(teacher, Features.of(X).rows(X), np.random.default_rng(0), quiet)

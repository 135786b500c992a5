from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.core.columns import Features, Rows
from limbeck.core.task import Task
from limbeck.students import files
from limbeck.students.additive.additive import Additive
from limbeck.students.junta.junta import Junta
from limbeck.students.tree.conditions import Condition, quoted
from limbeck.students.tree.tree import Tree

_QUOTED = re.compile(r"'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"")


class Rule:
    """One printed rule, read by nothing but its words: on which rows it holds, and what it says."""

    def __init__(self, said: str, features: Features) -> None:
        self.features, self.texts = features, []
        self.place = {c.label: j for j, c in enumerate(features.columns)}
        masked = _QUOTED.sub(self._mask, said)
        self.outcome = said.split("THEN ", 1)[-1].removeprefix("ALWAYS ").split("  [")[0]
        condition = masked.removeprefix("IF ").split(" THEN ")[0]
        parts = [] if said.startswith("ALWAYS") else condition.split(" and ")
        self.parts = [self._part(part) for part in parts]  # read once, for all rows

    def holds(self, row: np.ndarray) -> bool:
        return all(part(row) for part in self.parts)

    def _mask(self, found: Any) -> str:
        self.texts.append(ast.literal_eval(found.group()))
        return f"\x00{len(self.texts) - 1}\x00"

    def _plain(self, text: str) -> str:
        return re.sub("\x00(\\d+)\x00", lambda m: self.texts[int(m[1])], text)

    def _part(self, part: str) -> Callable[[np.ndarray], bool]:
        if part.startswith("("):
            inside = part[1:].removesuffix(" or is missing)")
            name = re.split(r" is | <=? | > ", inside)
            j, present = self._column(name[1] if " < " in inside else name[0]), self._part(inside)
            return lambda row: bool(np.isnan(row[j])) or present(row)
        if " is " not in part:
            return self._number(part)
        name, _, said = part.partition(" is ")
        j = self._column(name)
        c = self.features.columns[j]
        if said in ("missing", "not missing"):
            return lambda row: bool(np.isnan(row[j])) == (said == "missing")
        if said == "impossible":
            return lambda row: False
        if c.kind == "boolean":
            value = {"true": 1.0, "false": 0.0}[said]
            return lambda row: bool(row[j] == value)
        told = re.match("(not |neither |none of )?(.*)", said, re.DOTALL)
        assert told
        named = [self._plain(n) for n in re.split(", | or | nor ", told[2])]
        met = [(level in named) != bool(told[1]) for level in c.levels]
        return lambda row: not np.isnan(row[j]) and met[int(row[j])]

    def _number(self, part: str) -> Callable[[np.ndarray], bool]:
        signs = re.split(" (<=|<|>) ", part)
        if len(signs) == 5:
            low, first, name, second, high = signs
            assert (first, second) == ("<", "<=")
            j = self._column(name)
            a, b = float(low), self._value(high, self.features.columns[j])
            return lambda row: bool(a < row[j] <= b)
        name, sign, end = signs
        j = self._column(name)
        t = self._value(end, self.features.columns[j])
        if sign == "<=":
            return lambda row: bool(row[j] <= t)
        return lambda row: bool(row[j] > t)

    def _value(self, said: str, c: Feature) -> float:
        return float(said.removesuffix(f" {c.unit}") if c.unit else said)

    def _column(self, name: str) -> int:
        return self.place[self._plain(name)]


def which(rules: list[str], features: Features, values: np.ndarray) -> np.ndarray:
    """The one rule that holds for each encoded row; -1 for none, and -2 for several."""
    read = [Rule(r, features) for r in rules]
    holds = np.array([[rule.holds(row) for rule in read] for row in values])
    count = holds.sum(axis=1)
    return np.where(count == 1, holds.argmax(axis=1), np.where(count == 0, -1, -2))


def same_leaves(tree: Tree, rules: list[str], values: np.ndarray) -> bool:
    """Whether of the printed rules just that of its leaf holds for every row."""
    leaves = [i for i in tree.nodes_.preorder() if tree.nodes_.is_leaf[i]]
    place = {leaf: j for j, leaf in enumerate(leaves)}
    reached = tree.apply(Rows(tree.features_, values))
    return bool((which(rules, tree.features_, values) == [place[i] for i in reached]).all())


def test_rules_hold_for_exactly_the_rows_of_their_leaf(forest: Any) -> None:
    """Trees of unknown origin print exact thresholds: their rules hold for any row."""
    for seed in range(6):
        tree = forest.tree(seed, 12, forest.tasks["value"])
        values = forest.rows(np.random.default_rng(seed), 200).values
        assert same_leaves(tree, tree.rules(missing=True), values)
        assert same_leaves(tree, tree.rules(exact=True), values)


_columns = st.sampled_from([
    (1013.25, 0.5), (-73.98, 0.01), (273.15, 1e-3), (0.0, 1.0), (1e-7, 1e-9), (1.6e9, 5e3),
    (-1e12, 1e9), (0.0, 1e-30), (101325.2, 0.1),
])  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    columns=st.lists(_columns, min_size=1, max_size=3),
    decimals=st.sampled_from([None, 0, 1, 2]),
    leaves=st.integers(2, 10),
    holes=st.sampled_from([0.0, 0.2]),
    digits=st.sampled_from([None, 3, 6]),
    seed=st.integers(0, 2**20),
)
def test_printed_rules_predict(
    columns: list[tuple[float, float]],
    decimals: int | None,
    leaves: int,
    holes: float,
    digits: int | None,
    seed: int,
) -> None:
    """As printed they hold for the rows seen and their float32 copies; exact ones for all."""
    rng = np.random.default_rng(seed)
    middle, spread = np.array(columns).T
    values = middle + spread * rng.normal(size=(60, len(columns)))
    if decimals is not None:
        values = np.round(values, decimals)
    values[rng.random(values.shape) < holes] = np.nan
    tree = Tree(leaves).fit(values, rng.integers(0, 3, 60))
    for again in (tree, Tree.from_dict(tree.to_dict())):
        rules = again.rules(digits=digits)
        assert same_leaves(again, rules, values)
        assert same_leaves(again, rules, values.astype(np.float32).astype(np.float64))
    fresh = middle + spread * rng.normal(size=(200, len(columns)))
    fresh[rng.random(fresh.shape) < 0.1] = np.nan
    assert same_leaves(tree, tree.rules(exact=True), fresh)


@pytest.mark.parametrize(
    ("column", "middle", "spread"),
    [("pressure [hPa]", 1013.25, 0.4), ("longitude", -73.98, 0.02), ("heat [K]", 300.0, 0.05)],
)
def test_small_differences_of_large_numbers(column: str, middle: float, spread: float) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({column: rng.normal(middle, spread, 800), "other": rng.normal(size=800)})
    scaled = (X[column] - middle) / spread
    y = np.where(np.abs(scaled) < 0.5, "in", np.where(scaled + X["other"] > 1, "high", "low"))
    tree = Tree(16).fit(X, y)
    rules = [Rule(r, tree.features_) for r in tree.rules()]
    said = [next(r.outcome.split(" (")[0] for r in rules if r.holds(row)) for row in X.to_numpy()]
    assert (np.array(said) == tree.predict(X)).all()
    assert max(len(n) for r in tree.rules() for n in re.findall(r"-?[0-9.]+", r)) < 10


def test_names_that_read_like_conditions_are_quoted() -> None:
    names = ("never married", "A30", "a <= b", "A or B", "missing", "", "or")
    assert [quoted(n) for n in names] == [
        "never married", "A30", "'a <= b'", "'A or B'", "'missing'", "''", "'or'",
    ]  # fmt: skip
    levels = ["A or B", "missing", "it's", 'a "b"', "not C", " d", "none of these, or those"]
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"this is not missing": rng.choice(levels, 300), "x and y": rng.random(300)})
    X.loc[:30, "this is not missing"] = None
    tree = Tree(12).fit(X, rng.choice(["if so", "THEN"], 300))
    values = tree.features_.encode(X)
    assert same_leaves(tree, tree.rules(), values)


@pytest.mark.parametrize(
    ("without", "said"),
    [(1, "is not A30"), (2, "is neither A30 nor A31"), (3, "is none of A30, A31 or A32"),
     (4, "is A34, A35 or A36"), (5, "is A35 or A36"), (6, "is A36"), (7, "is impossible")],
)  # fmt: skip
def test_levels_in_the_fewest_words(without: int, said: str) -> None:
    c = Feature("account", "categorical", levels=tuple(f"A{i}" for i in range(30, 37)))
    condition = Condition(c, without=frozenset(map(float, range(without))), missing=False)
    assert condition.words() == f"account {said}"


def test_where_missing_values_go_is_said_where_there_were_any() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.random(200), "b": rng.random(200)})
    y = np.where(X["a"] > 0.5, "yes", np.where(X["b"] > 0.5, "yes", "no"))
    whole = Tree(4).fit(X, y)
    assert "missing" not in whole.text() + "".join(whole.rules())
    assert "> (missing:" not in whole.svg()
    X.loc[::9, "b"] = None
    some = Tree(3).fit(X, y)
    assert "b <= 0.5? (missing: " in some.text()
    assert "b <= 0.5 or is missing)" in "".join(
        some.rules()
    ) or "b > 0.5 or is missing)" in "".join(some.rules())
    assert "> (missing: " in some.svg()
    assert "missing" not in some.text(missing=False)
    assert "> (missing:" not in some.svg(missing=False)


def test_a_file_without_what_was_seen_prints_exactly() -> None:
    tree = Tree(2).fit([[0.1], [0.2], [0.3], [0.7]], ["a", "a", "b", "b"])
    data = tree.to_dict()
    del data["nodes"]["seen"]
    old = Tree.from_dict(data)
    assert old.fingerprint() == files.fingerprint(data)  # certificates of old students hold
    assert f"x0 <= {float(tree.nodes_.threshold[0])!r}" in old.rules()[0]
    assert "x0 <= 0.2 " in tree.rules()[0] or "x0 <= 0.25 " in tree.rules()[0]


@settings(max_examples=10, deadline=None)
@given(column=_columns, decimals=st.sampled_from([None, 0, 1]), seed=st.integers(0, 2**20))
def test_printed_tables_predict(
    column: tuple[float, float], decimals: int | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a = column[0] + column[1] * rng.normal(size=80)
    X = pd.DataFrame({
        "a": a if decimals is None else np.round(a, decimals), "b": rng.random(80) < 0.5,
        "c or d": rng.choice(["u", "v or w", None], 80),
    })  # fmt: skip
    X.loc[rng.random(80) < 0.2, "a"] = np.nan
    junta = Junta(variables=["a", "b", "c or d"], bins=5).fit(X, rng.integers(0, 3, 80))
    values = junta.features_.encode(X)
    for again in (junta, Junta.from_dict(junta.to_dict())):
        rules = again.rules()
        told = which(rules, again.features_, values)
        said = [int(Rule(rules[i], again.features_).outcome[0]) for i in told]
        assert said == again.predict(X).tolist()


def test_printed_bins_of_an_additive_student_hold_its_rows() -> None:
    pytest.importorskip("interpret")
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"p": rng.normal(1013.25, 0.4, 400)})
    student = Additive(rounds=20).fit(X, (X["p"] - 1013.25) ** 2)
    ends = [
        [float(n) for n in re.findall(r"-?[0-9.]+", line.split(":")[0])]
        for line in student.text().splitlines()
        if line.startswith("  ")
    ]
    edges = np.array([e[-1] for e in ends[:-1]])
    assert (np.diff(edges) > 0).all()
    codes = np.searchsorted(edges, X["p"])
    assert (codes == student.bins_.codes(X.to_numpy())[:, 0]).all()
    exact = student.text(exact=True)
    assert all(repr(float(e)) in exact for e in student.bins_.edges[0])


def test_values_are_printed_so_that_leaves_differ() -> None:
    X = np.arange(8.0)[:, None]
    pressures = 101325.0 + np.repeat([0.1, 0.2, 0.3, 0.4], 2)
    tree = Tree(4, task=Task(unit="Pa")).fit(X, pressures)
    assert [r.split("THEN ")[1].split(" Pa")[0] for r in tree.rules()] == [
        "101325.1", "101325.2", "101325.3", "101325.4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("feature", "given"),
    [
        *((Feature("x"), given) for given in ({}, {"low": 1.0}, {"high": 1.0},
                                             {"low": 2.0, "high": 1.0})),
        *((Feature("b", "boolean"), given) for given in ({}, {"high": 0.5})),
        *((Feature("c", "categorical", levels=("u", "v")), given)
          for given in ({}, {"codes": frozenset({1.0})}, {"codes": frozenset()},
                        {"without": frozenset({0.0})}, {"without": frozenset({0.0, 1.0})})),
    ],
)  # fmt: skip
def test_a_condition_is_always_met_where_nothing_is_said(feature, given):
    for present in (True, False):
        for missing in (True, False):
            condition = Condition(feature, present=present, missing=missing, **given)
            assert condition.always == (condition.words(missing=True) == "")

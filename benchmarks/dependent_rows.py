"""Certificates on rows that are no independent draws: copies, oversampling, bootstraps, panels.

Run by ``python benchmarks/certificates.py dependent``. Each run draws rows, splits them, grows a
greedy tree of the teacher's answers, and certifies it, through
`limbeck.evaluation.holdout.set_apart` and
`limbeck.certificates.certify`, the functions that `limbeck.distill` uses. The teacher is fixed and
has seen none of the rows. A certificate is false where it is below the loss on fresh inputs, of
which there are 10,000 (of panels 2,000 cases): draws like the rows before they were copied.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from limbeck.certificates import certify
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.evaluation.holdout import set_apart
from limbeck.students.tree.tree import Tree

DELTA = 0.1
Floats = NDArray[np.float64]


@dataclass
class Draw:
    """Rows of one run, and the case of each where they have one."""

    X: Floats
    cases: NDArray[np.int64] | None = None
    holdout: Any = 0.3


@dataclass
class World:
    """A way to draw rows, fresh inputs to know the truth by, and how it is certified."""

    name: str
    draw: Callable[[np.random.Generator], Draw]
    fresh: Draw
    teacher: Any
    settings: dict[str, Any] = field(default_factory=dict)
    leaves: int = 16

    def __post_init__(self) -> None:
        self.answers = self.teacher(self.fresh.X)
        cases = self.fresh.cases
        n = len(self.fresh.X)
        # each case counts alike, so a row of a large one counts less
        weight = np.ones(n) if cases is None else 1 / np.bincount(cases)[cases]
        self.weight = weight / weight.sum()

    def run(self, seed: int) -> tuple[float, float, int]:
        """What is certified, what is true, and the draws that were counted."""
        drawn = self.draw(np.random.default_rng(seed))
        apart = set_apart(
            drawn.X, None, None, drawn.holdout, seed, features=Features.of(drawn.X),
            cases=drawn.cases if self.settings.get("cases", True) else None,
            duplicates=self.settings.get("duplicates", "auto"),
        )  # fmt: skip
        tree = Tree(max_leaves=self.leaves).fit(apart.fit.X, self.teacher(apart.fit.X))
        certificate = certify(
            tree, apart.test_rows, self.teacher(apart.test.X), delta=DELTA, seen=apart.seen,
            cases=apart.test.cases, duplicates=apart.duplicates,
            **{k: v for k, v in self.settings.items() if k in ("tolerance", "epsilon")},
        )  # fmt: skip
        predicted = tree.predict(self.fresh.X)
        if certificate.loss == "disagreement":
            lost = predicted != self.answers
        else:
            lost = np.abs(predicted - self.answers) > certificate.tolerance
        return certificate.epsilon, float(self.weight @ lost), certificate.n


def values(forest: Any) -> Callable[[Floats], Floats]:
    """What a forest of regression trees predicts, without the cost of a call of it."""

    def mean(X: Floats) -> Floats:
        rows = X.astype(np.float32)
        return np.mean([e.tree_.predict(rows)[:, 0].ravel() for e in forest.estimators_], axis=0)

    return mean


def classes(forest: Any) -> Callable[[Floats], NDArray[np.bool_]]:
    """The class that a forest predicts, of two."""

    def likelier(X: Floats) -> NDArray[np.bool_]:
        rows = X.astype(np.float32)
        votes = np.mean([e.tree_.predict(rows) for e in forest.estimators_], axis=0)
        return np.asarray(votes.reshape(len(X), 2)[:, 1] > 0.5)

    return likelier


def worlds() -> list[World]:
    """All that is simulated."""
    rng = np.random.default_rng(0)
    old = rng.normal(size=(2_000, 5))
    rough = np.sin(3 * old[:, 0]) + old[:, 1] * old[:, 2]
    forest = RandomForestClassifier(20, max_depth=8, random_state=0).fit(old, rough > 0)
    rare = RandomForestClassifier(20, max_depth=8, random_state=0).fit(old, rough > 1.5)
    number = RandomForestRegressor(20, max_depth=8, random_state=0).fit(old, rough)
    whole = Draw(rng.normal(size=(10_000, 5)))

    def copied(k: int) -> Callable[[np.random.Generator], Draw]:
        return lambda rng: Draw(rng.permutation(np.repeat(rng.normal(size=(300, 5)), k, axis=0)))

    def rounded(rng: np.random.Generator) -> Draw:
        X = rng.normal(size=(300, 5))
        return Draw(np.concatenate([X, X.astype(np.float32), X * (1 + 1e-12), X * (1 - 1e-12)]))

    def oversampled(rng: np.random.Generator) -> Draw:
        X = rng.normal(size=(400, 5))
        small = np.flatnonzero(classes(rare)(X))
        more = rng.choice(small, 400 - len(small)) if len(small) else small
        return Draw(rng.permutation(np.concatenate([X, X[more]])))

    def bootstrap(rng: np.random.Generator) -> Draw:
        return Draw(rng.normal(size=(400, 5))[rng.integers(0, 400, 400)])

    def given(rng: np.random.Generator) -> Draw:
        return Draw(
            rng.normal(size=(300, 5)),
            holdout=(np.repeat(rng.normal(size=(111, 5)), 20, axis=0), None),
        )

    def panel(rng: np.random.Generator, cases: int = 120) -> Draw:
        sizes = rng.integers(1, 16, cases)
        case = np.repeat(np.arange(cases), sizes)
        own = rng.normal(size=(cases, 5))
        return Draw(own[case] + 0.2 * rng.normal(size=(len(case), 5)), case)

    def table(levels: int, columns: int) -> Callable[[np.random.Generator, int], Draw]:
        chance = 0.6 ** np.arange(levels)

        def draw(rng: np.random.Generator, n: int = 400) -> Draw:
            return Draw(rng.choice(levels, (n, columns), p=chance / chance.sum()).astype(float))

        return draw

    def parity(X: Floats) -> Any:
        return (X[:, 0] + X[:, 1] * X[:, -1]) % 2 == 0

    many = panel(rng, 2_000)
    out = [World(f"copies: {k}", copied(k), whole, classes(forest)) for k in (1, 2, 3, 5, 10)]
    out += [
        World("copies: 10, taken for draws (keep)", copied(10), whole, classes(forest),
              {"duplicates": "keep"}, 128),
        World("copies: 10, 128 leaves", copied(10), whole, classes(forest), {}, 128),
        World("copies within float32", rounded, whole, classes(forest), {}, 128),
        World("own holdout of 111 rows, 20 times", given, whole, classes(forest)),
        World("minority oversampled", oversampled, whole, classes(rare), {}, 128),
        World("bootstrap", bootstrap, whole, classes(forest), {}, 128),
        World("panel, cases", panel, many, classes(forest)),
        World("panel, rows taken for draws", panel, many, classes(forest), {"cases": False}),
        World("panel, cases, tolerance 0.5", panel, many, values(number), {"tolerance": 0.5}),
        World("panel, cases, tolerance found", panel, many, values(number), {"epsilon": 0.2}),
    ]  # fmt: skip
    tenths = Draw(np.round(10 * whole.X))

    def rounding(draw: Callable[[np.random.Generator], Draw]) -> Callable[..., Draw]:
        return lambda rng: Draw(np.round(10 * draw(rng).X))

    def easy(X: Floats) -> NDArray[np.int64]:
        """A rare class of one split, and two that are hard to tell."""
        return np.where(X[:, 0] > 1.8, 2, classes(forest)(X).astype(np.int64))

    def easy_oversampled(rng: np.random.Generator) -> Draw:
        X = rng.normal(size=(400, 5))
        small = np.flatnonzero(np.round(10 * X[:, 0]) > 18)
        more = rng.choice(small, 400 - len(small)) if len(small) else small
        return Draw(rng.permutation(np.concatenate([X, X[more]])))

    def of_tenths(teacher: Callable[[Floats], Any]) -> Callable[[Floats], Any]:
        return lambda X: teacher(X / 10)

    out += [
        World(f"whole numbers, {name}", rounding(draw), tenths, of_tenths(taught), told, 128)
        for name, draw, taught, told in (
            ("as drawn", copied(1), classes(forest), {}),
            ("copies: 10", copied(10), classes(forest), {"duplicates": "drop"}),
            ("minority oversampled", oversampled, classes(rare), {"duplicates": "drop"}),
            ("easy minority oversampled", easy_oversampled, easy, {"duplicates": "drop"}),
            ("bootstrap", bootstrap, classes(forest), {"duplicates": "drop"}),
        )
    ]
    for levels, columns in ((2, 5), (3, 6), (4, 4)):
        draw = table(levels, columns)
        fresh = draw(rng, 10_000)
        out.append(
            World(f"discrete, {columns} columns of {levels} values", draw, fresh, parity, leaves=5)
        )
    return out


def dependent(runs: int, part: str = "") -> float:
    """Print the table; the largest excess over delta where copies and cases are told.

    Of the worlds only those are run whose name holds ``part``.
    """
    print(f"\nShare of false certificates in {runs:,} runs, delta {DELTA}\n")
    print("| rows | draws counted | certified | true | false | refused | seconds |")
    print("|---" * 7 + "|")
    worst = -np.inf
    for world in (w for w in worlds() if part in w.name):
        began, found, refused = time.perf_counter(), [], 0
        for seed in range(runs):
            try:
                found.append(world.run(seed))
            except InvalidInput as error:
                refused += 1
                if refused == 1:
                    print(f"{world.name}: {error}", file=sys.stderr, flush=True)
        certified, true, counted = np.array(found).T
        false = float((certified < true).mean())
        print(
            f"| {world.name} | {counted.mean():.0f} | {certified.mean():.3f} | {true.mean():.3f}"
            f" | {false:.4f} | {refused} | {time.perf_counter() - began:.0f} |",
            flush=True,
        )
        if "taken for draws" not in world.name:
            worst = max(worst, (false - DELTA) / np.sqrt(DELTA * (1 - DELTA) / runs))
    print(f"\nLargest excess over delta: {worst:.2f} standard errors of the simulation.")
    return float(worst)

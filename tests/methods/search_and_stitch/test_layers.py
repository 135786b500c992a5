from __future__ import annotations

import json

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.costs import row_statistics
from limbeck.methods.search_and_stitch.layers import probe_layers
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.sample import Sample


def made(n=900):
    """x0 ? x1 : x2 over +-1, and three layers: of its clauses, of the inputs, of noise."""
    rng = np.random.default_rng(0)
    X = rng.choice([-1.0, 1.0], size=(n, 6))
    features = Features(tuple(Feature(f"x{j}") for j in range(6)))
    literals = Literals(grid(features, X))
    a, b, c = (X[:, j] < 0 for j in range(3))
    y = np.where(a, b, c).astype(int)
    sample = Sample(literals, X, row_statistics(y, Task((0, 1)), np.ones(n)))
    plan = PlannedTree(
        0,
        PlannedTree(1, PlannedTree(), PlannedTree()),
        PlannedTree(2, PlannedTree(), PlannedTree()),
    )
    clauses = np.stack([a, a & b, a & ~b, ~a & c, ~a & ~c], axis=1)
    at = np.sort(rng.permutation(n)[:600])
    phi = {
        "clauses": clauses[at] @ rng.normal(size=(5, 20)),
        "copy": X[at] @ rng.normal(size=(6, 12)),
        "noise": rng.normal(size=(600, 8)),
    }
    phi = {k: v.astype(np.float32) for k, v in phi.items()}
    return sample, plan, at, phi, rng


def test_layers_say_what_they_hold():
    sample, plan, at, phi, rng = made()
    report = probe_layers(phi, sample, at, True, rng).about(plan, sample)
    rows = {r["layer"]: r for r in report.layers}
    assert list(rows) == ["inputs", "clauses", "copy", "noise"]
    assert [r["width"] for r in rows.values()] == [6, 20, 12, 8]
    assert rows["clauses"]["clauses_r2"] > 0.99
    assert rows["clauses"]["answers_r2"] > 0.99
    assert rows["clauses"]["rank"] <= 6
    # single literals are linear in the inputs, pairs of them only in part: the mean over the
    # tree's 2 + 4 clauses is (2 * 1 + 4 * 2 / 3) / 6
    expected = (2 + 4 * 2 / 3) / 6
    for layer in ("inputs", "copy"):
        assert rows[layer]["clauses_r2"] == pytest.approx(expected, abs=0.05)
    assert rows["noise"]["clauses_r2"] < 0.1
    assert report.lrh["r_squared"] > 0.99
    assert report.lrh["r_squared_inputs"] == pytest.approx(expected, abs=0.05)
    assert report.lrh["tau"] > 0
    assert report.lrh["penalty"] == report.probes.penalty
    json.dumps([report.layers, report.lrh])


def test_a_leaf_has_no_clauses_to_doubt():
    sample, _, at, phi, rng = made()
    report = probe_layers(phi, sample, at, True, rng).about(PlannedTree(), sample)
    assert report.lrh["r_squared"] == 1.0
    assert report.lrh["tau"] == 0.0


def test_constant_and_missing_inputs_do_no_harm():
    sample, plan, at, phi, rng = made()
    values = sample.values.copy()
    values[::7, 3], values[:, 5] = np.nan, 4.0
    holed = Sample(sample.literals, values, sample.stats)
    report = probe_layers(phi, holed, at, True, rng).about(plan, holed)
    assert np.isfinite([r["clauses_r2"] for r in report.layers]).all()


def test_layers_of_any_name_are_kept_apart_from_the_inputs():
    sample, plan, at, phi, _ = made()
    plain = probe_layers(phi, sample, at, True, np.random.default_rng(1)).about(plan, sample)
    renamed = {"inputs": phi["noise"], "clauses": phi["clauses"]}
    report = probe_layers(renamed, sample, at, True, np.random.default_rng(1)).about(plan, sample)
    rows = {r["layer"]: r for r in report.layers}
    assert list(rows) == ["inputs", "layer inputs", "clauses"]
    assert rows["inputs"]["width"] == 6
    assert rows["layer inputs"]["clauses_r2"] < 0.1
    assert report.lrh["r_squared_inputs"] == pytest.approx(plain.lrh["r_squared_inputs"], abs=0.02)


def test_values_are_judged_by_themselves_and_absent_classes_not_at_all():
    """Weights are constant and linear in anything; neither they nor y squared are answers."""
    sample, plan, at, phi, rng = made()
    y = 3.0 * sample.values[:, 0] - sample.values[:, 1]  # linear in the inputs, y squared is not
    ones = np.ones(len(y))
    numbers = Sample(sample.literals, sample.values, row_statistics(y, Task(), ones))
    report = probe_layers(phi, numbers, at, False, rng).about(plan, numbers)
    rows = {r["layer"]: r["answers_r2"] for r in report.layers}
    assert rows["inputs"] > 0.99
    assert rows["noise"] < 0.1
    stats = row_statistics(np.where(y > 2, 1, 0), Task((0, 1, 2)), ones)  # class 2 never comes
    absent = Sample(sample.literals, sample.values, stats)
    report = probe_layers(phi, absent, at, True, rng)
    assert report.answers.shape[1] == 2

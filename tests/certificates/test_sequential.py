from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from limbeck.certificates import sequential
from limbeck.certificates.sequential import AnytimeBound
from limbeck.core.errors import InvalidInput

losses = arrays(np.float64, st.integers(1, 80), elements=st.floats(0, 1))


def benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "certificates.py"
    spec = importlib.util.spec_from_file_location("certificate_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_mixture_shares_its_capital() -> None:
    assert sequential._SHARES.sum() == pytest.approx(1.0, abs=1e-12)
    assert ((sequential._FRACTIONS > 0) & (sequential._FRACTIONS <= 1)).all()


def test_wealth_without_errors_by_hand() -> None:
    bound = AnytimeBound(0.5, 0.4)
    one = (sequential._SHARES * (1 + sequential._FRACTIONS)).sum()  # m / (1 - m) = 1
    two = (sequential._SHARES * (1 + sequential._FRACTIONS) ** 2).sum()
    assert one < 2.5 < two
    assert not bound.update([0.0])
    assert bound.update([0.0])
    assert bound.rows == 2


@settings(max_examples=30)
@given(losses, st.lists(st.integers(0, 80), max_size=4), st.floats(0.05, 0.9))
def test_batches_do_not_matter(x: np.ndarray, cuts: list[int], epsilon: float) -> None:
    whole, parts = AnytimeBound(epsilon, 0.1), AnytimeBound(epsilon, 0.1)
    whole.update(x)
    for part in np.split(x, sorted(cuts)):
        parts.update(part)
    assert whole.rows == parts.rows
    assert whole.n == parts.n
    assert whole.bound == pytest.approx(parts.bound, abs=1e-9)
    assert whole.mean == pytest.approx(x[: whole.n].mean(), abs=1e-9)


@settings(max_examples=30)
@given(losses, st.floats(0.05, 0.9), st.floats(0.01, 0.5))
def test_certified_exactly_when_the_bound_is_low_enough(
    x: np.ndarray, epsilon: float, delta: float
) -> None:
    test = AnytimeBound(epsilon, delta)
    for part in np.array_split(x, 3):
        test.update(part)
        if not test.n:
            continue
        values, counts = test._joined()
        low = sequential._bound(values, counts * 1.0, delta)
        if test.certified:
            assert low <= epsilon + 1e-9
            break
        assert low >= epsilon - 1e-9
    assert not test.certified or test.bound <= epsilon


def bisected(x: np.ndarray, delta: float) -> float:
    """The largest mean that the mixture has not driven above 1/delta, by bisection."""
    low, high = x.mean(), 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if middle >= 1:
            break
        paths = sequential.log_factors(x, middle).sum(axis=0)
        if np.logaddexp.reduce(np.log(sequential._SHARES) + paths) >= -math.log(delta):
            high = middle
        else:
            low = middle
    return high


@given(losses, st.sampled_from([0.5, 0.05, 1e-6]))
def test_the_bound_is_where_the_mixture_reaches_one_over_delta(x: np.ndarray, delta: float) -> None:
    bound = AnytimeBound(0.999, delta)
    bound.update(x)
    if not bound.certified:
        exact = bisected(x, delta)
        assert exact - 1e-12 <= bound.bound <= exact + 1e-11


def test_many_different_losses_are_joined_and_counted(monkeypatch) -> None:
    monkeypatch.setattr(sequential, "_JOIN", 5_000)
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.random(8_000), rng.random(8_000).round(2), rng.random(8_000)])
    bound = AnytimeBound(0.4, 0.05)
    bound.update(x)
    assert len(bound._values) < 4
    assert bound.mean == math.fsum(x) / len(x)
    values, counts = np.unique(x, return_counts=True)
    assert [a.tolist() for a in bound._joined()] == [values.tolist(), counts.tolist()]
    assert bound.bound == pytest.approx(bisected(x, 0.05), abs=1e-11)


def test_the_bound_only_falls_between_looks() -> None:
    rng = np.random.default_rng(0)
    bound, before = AnytimeBound(0.001, 0.05), 1.0
    for _ in range(30):
        bound.update(rng.random(20) * 0.5)
        assert 0.25 <= bound.bound <= before
        before = bound.bound
    assert before < 0.32


def test_losses_after_the_stop_are_not_taken() -> None:
    bound = AnytimeBound(0.1, 0.05)
    bound.update([0.0] * 1000)
    assert bound.rows == bound.n < 40
    bound.update([1.0] * 1000)
    assert bound.mean == 0.0
    assert bound.bound <= 0.1


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.3])
def test_false_certificates_under_optional_stopping(rate: float) -> None:
    """The bound is below the mean at any row at all in at most delta of the runs."""
    rng = np.random.default_rng(2)
    runs, n = 1000, 500
    for kind in ("counts", "spread"):
        hit = rng.random((runs, n))
        if kind == "counts":
            x = (hit < rate).astype(float)
        else:
            x = np.where(hit < 2 * rate, rng.random((runs, n)), 0.0)
        paths = np.zeros((runs, len(sequential._SHARES)))
        highest = np.full(runs, -np.inf)
        for t in range(n):
            paths += sequential.log_factors(x[:, t], rate)
            wealth = np.log(np.exp(paths) @ sequential._SHARES)
            highest = np.maximum(highest, wealth)
        for delta in (0.1, 0.05, 0.01):
            false = np.mean(highest >= math.log(1 / delta))
            assert false <= delta + 3 * math.sqrt(delta * (1 - delta) / runs)


def test_stopping_at_the_first_success_is_honest() -> None:
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(400):
        bound = AnytimeBound(0.09, 0.1)  # the true error is 0.1: every certificate is false
        false += bound.update((rng.random(400) < 0.1).astype(float))
    assert false / 400 <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / 400)


@pytest.mark.parametrize("delta", [0.1, 0.05, 0.01])
def test_rows_needed_against_the_exact_bound(delta: float) -> None:
    bench = benchmark()
    exact = bench.fixed_rows
    assert bench.anytime_rows(0.05, delta, 0.0) <= 1.15 * exact(0.05, delta, 0.0)
    assert bench.anytime_rows(0.05, delta, 0.0125) <= 1.6 * exact(0.05, delta, 0.0125)


def test_the_benchmarks_recursion_agrees_with_simulation() -> None:
    rng = np.random.default_rng(4)
    rows = []
    for _ in range(400):
        bound = AnytimeBound(0.1, 0.05)
        bound.update((rng.random(2000) < 0.025).astype(float))
        rows.append(bound.rows or 2000)
    median = benchmark().anytime_rows(0.1, 0.05, 0.025)
    assert np.mean(np.array(rows) <= median) == pytest.approx(0.5, abs=0.15)
    assert np.mean(np.array(rows) < median) < 0.5 + 3 * math.sqrt(0.25 / 400)


def test_refusals() -> None:
    with pytest.raises(InvalidInput, match="epsilon is 1"):
        AnytimeBound(1.0, 0.05)
    with pytest.raises(InvalidInput, match="delta is 0"):
        AnytimeBound(0.1, 0.0)
    with pytest.raises(InvalidInput, match="outside the range"):
        AnytimeBound(0.1, 0.05).update([0.0, 2.0])
    with pytest.raises(InvalidInput, match="No loss"):
        _ = AnytimeBound(0.1, 0.05).mean
    assert AnytimeBound(0.1, 0.05).bound == 1.0


@pytest.mark.slow
def test_the_full_grid_of_the_benchmark() -> None:
    """All bounds, rates, sizes and deltas, 2,000 runs each: a few minutes."""
    bench = benchmark()
    assert bench.coverage() <= 3.5  # standard errors, the largest of some 200 cells
    assert bench.ratio() <= 1.6

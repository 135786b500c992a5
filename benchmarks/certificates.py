"""How honest and how sharp the certificates are.

``python benchmarks/certificates.py coverage`` simulates false certificates (2,000 runs a cell,
a few minutes on one core); ``python benchmarks/certificates.py ratio`` compares the rows that the
anytime-valid bound needs with those of the exact bound for a fixed n (exact, half a minute);
``python benchmarks/certificates.py dependent`` simulates rows that are copies, or belong to cases
(`dependent_rows.py`; 2,000 runs each, or as many as a second argument says; a third is a part of
the names of what is simulated); ``python benchmarks/certificates.py --rows 1e8`` measures memory,
time and disk of certificates of rows that are made on the way (`streamed_rows.py`; a third
argument is a part of the names of what is measured).
All print tables in markdown; docs/measurements/coverage.md keeps a copy.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, logsumexp

from limbeck.certificates import sequential
from limbeck.certificates.binomial import smallest_n, upper_bound
from limbeck.certificates.bounded import betting_exceeds, empirical_bernstein
from limbeck.certificates.tolerance import tolerance_bound
from limbeck.certificates.wording import versions
from limbeck.core.errors import InvalidInput

RUNS = 2_000
RATES = (0.0, 0.001, 0.01, 0.3)
SIZES = (20, 500, 20_000)
DELTAS = (0.1, 0.05, 0.01)
CHUNK = 50  # runs at once, so that 20,000 rows and 10 bets fit in 80 MB

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int, float], Floats]


def counts(rng: np.random.Generator, runs: int, n: int, rate: float) -> Floats:
    """Losses 0 and 1 with mean ``rate``, shape (runs, n)."""
    return (rng.random((runs, n)) < rate).astype(np.float64)


def spread(rng: np.random.Generator, runs: int, n: int, rate: float) -> Floats:
    """Mostly 0, else uniform on [0, 1]: a bounded loss that is no count, with mean ``rate``."""
    return np.where(rng.random((runs, n)) < 2 * rate, rng.random((runs, n)), 0.0)


def binomial_misses(rng: np.random.Generator, rate: float, n: int, delta: float) -> float:
    errors, times = np.unique(rng.binomial(n, rate, RUNS), return_counts=True)
    missed = [upper_bound(int(k), n, delta) < rate for k in errors]
    return float(times[missed].sum()) / RUNS


def tolerance_misses(rng: np.random.Generator, rate: float, n: int, delta: float) -> float:
    """Uniform errors, so that the share beyond a tolerance t is 1 - t."""
    missed = 0
    for _ in range(RUNS):
        try:
            t, _ = tolerance_bound(rng.random(n), rate, delta)
        except InvalidInput:
            return math.nan  # n is too small for any tolerance, and is refused
        missed += 1 - t > rate
    return missed / RUNS


def chunks(draw: Draw, seed: int, n: int, rate: float) -> Iterator[Floats]:
    rng = np.random.default_rng(seed)
    for _ in range(RUNS // CHUNK):
        yield draw(rng, CHUNK, n, rate)


def bounded_misses(draw: Draw, rate: float, n: int) -> dict[tuple[str, float], float]:
    out = {(bound, delta): 0.0 for bound in ("bernstein", "betting") for delta in DELTAS}
    for x in chunks(draw, 1, n, rate):
        for delta in DELTAS:
            low = sum(empirical_bernstein(row, delta) < rate for row in x)
            out["bernstein", delta] += low / RUNS
            out["betting", delta] += betting_exceeds(x, rate, delta).sum() / RUNS
    return out


def anytime_misses(draw: Draw, rate: float) -> dict[tuple[int, float], float]:
    """Runs in which the bound was below the mean at any row up to n: the worst of all stops."""
    out = {(n, delta): 0.0 for n in SIZES for delta in DELTAS}
    for x in chunks(draw, 2, max(SIZES), rate):
        for row in x:
            paths = sequential.log_factors(row, rate)
            np.cumsum(paths, axis=0, out=paths)
            wealth = logsumexp_rows(paths + np.log(sequential._SHARES))
            for n in SIZES:
                highest = wealth[:n].max()
                for delta in DELTAS:
                    out[n, delta] += (highest >= -math.log(delta)) / RUNS
    return out


def logsumexp_rows(a: Floats) -> Floats:
    top = a.max(axis=1)
    return top + np.log(np.exp(a - top[:, None]).sum(axis=1))


def coverage() -> float:
    """Print the table; the largest excess over delta, in standard errors of the simulation."""
    rng = np.random.default_rng(0)
    rows: dict[str, dict[tuple[float, int, float], float]] = {}
    for rate in RATES:
        for n in SIZES:
            for delta in DELTAS:
                cell = (rate, n, delta)
                rows.setdefault("binomial", {})[cell] = binomial_misses(rng, rate, n, delta)
                if rate:
                    miss = tolerance_misses(rng, rate, n, delta)
                    rows.setdefault("tolerance", {})[cell] = miss
        for name, draw in (("counts", counts), ("spread", spread)):
            for n in SIZES:
                for (bound, delta), miss in bounded_misses(draw, rate, n).items():
                    rows.setdefault(f"{bound}, {name}", {})[rate, n, delta] = miss
            for (n, delta), miss in anytime_misses(draw, rate).items():
                rows.setdefault(f"anytime, {name}", {})[rate, n, delta] = miss
        print(f"rate {rate} done", file=sys.stderr, flush=True)
    print(f"\nShare of false certificates in {RUNS:,} runs, {header()}\n")
    cells = [(n, delta) for n in SIZES for delta in DELTAS]
    titles = [f"n={n:,} delta={delta}" for n, delta in cells]
    print("| bound | true rate | " + " | ".join(titles) + " |")
    print("|---" * (len(cells) + 2) + "|")
    worst = -math.inf
    for name, found in rows.items():
        for rate in RATES:
            values = [found.get((rate, *cell), math.nan) for cell in cells]
            if all(map(math.isnan, values)):
                continue
            texts = ["refused" if math.isnan(v) else f"{v:.4f}" for v in values]
            print(f"| {name} | {rate} | " + " | ".join(texts) + " |")
            for (_, delta), v in zip(cells, values, strict=True):
                if not math.isnan(v):
                    worst = max(worst, (v - delta) / math.sqrt(delta * (1 - delta) / RUNS))
    print(f"\nLargest excess over delta: {worst:.2f} standard errors of the simulation.")
    return worst


def fixed_rows(epsilon: float, delta: float, rate: float) -> int:
    """The fewest rows at which the exact bound certifies epsilon in half of all runs."""
    for errors in range(10_000):
        n = smallest_n(epsilon, delta, errors)
        if bdtr(errors, n, rate) >= 0.5:
            return n
    raise AssertionError("rate is too near epsilon")


def anytime_rows(epsilon: float, delta: float, rate: float) -> int:
    """Median row at which `AnytimeBound` certifies epsilon, for counts; exact, by recursion."""
    rows = np.arange(1, int(100 / epsilon) + 1)
    most = allowed_errors(epsilon, delta, rows)
    mass = np.zeros(most.max() + 2)  # probability of each number of errors, not yet certified
    mass[0], stopped = 1.0, 0.0
    for n, k in zip(rows, most, strict=True):
        mass[1:] = mass[1:] * (1 - rate) + mass[:-1] * rate
        mass[0] *= 1 - rate
        stopped += mass[: k + 1].sum()
        mass[: k + 1] = 0.0
        if stopped >= 0.5:
            return int(n)
    raise AssertionError("rate is too near epsilon")


def allowed_errors(epsilon: float, delta: float, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The most errors in each number of rows at which epsilon is certified; -1 for none."""
    right, wrong = sequential.log_factors(np.array([0.0, 1.0]), epsilon)
    most = np.full(len(rows), -1)
    for errors in range(rows[-1]):
        spent = errors * wrong if errors else 0.0  # 0 times a full bet's -inf would be no number
        wealth = np.log(sequential._SHARES) + (rows - errors)[:, None] * right + spent
        reached = (logsumexp(wealth, axis=1) >= -math.log(delta)) & (rows >= errors)
        if not reached.any():
            break
        most[reached] = errors
    return most


def ratio() -> float:
    """Print the table; the largest ratio where the error is 0 or epsilon / 4."""
    worst = 0.0
    print(f"\nRows of the anytime bound (median) over rows of the exact bound, {header()}\n")
    print("| epsilon | delta | error 0 | epsilon/4 | epsilon/2 |\n|---|---|---|---|---|")
    for epsilon in (0.1, 0.01, 0.001):
        for delta in DELTAS:
            texts = []
            for rate in (0.0, epsilon / 4, epsilon / 2):
                a, b = anytime_rows(epsilon, delta, rate), fixed_rows(epsilon, delta, rate)
                worst = max(worst, a / b) if rate < epsilon / 2 else worst
                texts.append(f"{a:,} / {b:,} = {a / b:.2f}")
            print(f"| {epsilon} | {delta} | " + " | ".join(texts) + " |")
    return worst


def header() -> str:
    return ", ".join(f"{name} {number}" for name, number in versions().items())


if __name__ == "__main__":
    if sys.argv[1:2] == ["dependent"]:
        from dependent_rows import dependent

        dependent(int(sys.argv[2]) if len(sys.argv) > 2 else RUNS, *sys.argv[3:4])
        sys.exit()
    if sys.argv[1:2] == ["--rows"]:
        from streamed_rows import KINDS, table

        part = sys.argv[3] if len(sys.argv) > 3 else ""
        table(int(float(sys.argv[2])), [kind for kind in KINDS if part in kind])
        sys.exit()
    tasks = {"coverage": coverage, "ratio": ratio}
    for name in sys.argv[1:] or list(tasks):
        tasks[name]()

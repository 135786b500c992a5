"""Is the wavelet found again, of which a network reads one coefficient?

A teacher answers tanh(c), c one wavelet coefficient of its input (128 white numbers, 3 levels).
The method sees inputs and teacher only, and starts from another wavelet. A filter counts as found
when it is nearer than 0.05 to the true one after sign, reversal and shift; beside it stands what
the run itself says. Each wavelet is tried with a coefficient of each level.

The public implementation of adaptive wavelets (Ha et al. 2021), which holds the taps by penalties,
goes from db5 (0.31) to 0.21 for sym5, and never arrives. Its form is run here as well.

    python reproductions/wavelet_recovery.py --small            # sym5 and haar, a few seconds
    python reproductions/wavelet_recovery.py --docs docs/measurements/wavelet_recovery.md
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import pywt
import torch
from torch import Tensor, nn

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.adaptive_wavelets import AdaptiveWavelets
from limbeck.signal.wavelets.angles import random_filter
from limbeck.signal.wavelets.bank import analysis
from limbeck.signal.wavelets.penalty import orthogonality_error
from limbeck.signal.wavelets.search import difference
from limbeck.teachers.torch import TorchTeacher

LENGTH, LEVELS, ROWS = 128, 3, 500
FOUND = 0.05
STARTS = {  # the wavelet, and another to start from, of as many taps or more
    "haar": "db5", "db2": "db5", "db3": "db5", "db4": "sym4", "db5": "sym5", "db6": "sym6",
    "sym4": "db4", "sym5": "db5", "coif1": "db5", "coif2": "db6", "db7": "sym7", "db8": "sym8",
    "sym6": "db6", "sym8": "db8", "coif3": "db9",
}  # fmt: skip
ASKED = ("haar", "db2", "db3", "db4", "db5", "db6", "sym4", "sym5", "coif1", "coif2")
RANDOM = 10
PENALTY_TRIM = (0.1, 1.0, 10.0, 100.0)


class OneCoefficient(nn.Module):
    """tanh of the middle detail coefficient of one level."""

    def __init__(self, low: np.ndarray, level: int) -> None:
        super().__init__()
        self.register_buffer("low", torch.from_numpy(low))
        self.level = level

    def forward(self, x: Tensor) -> Tensor:
        band = analysis(x[:, None].double(), self.low, LEVELS)[1 + LEVELS - self.level][:, 0]
        return torch.tanh(band[:, band.shape[1] // 2, None])


def truths(names: list[str]) -> dict[str, tuple[str, np.ndarray]]:
    """The wavelets with their starts; random ones of 4 to 10 taps."""
    found = {n: (STARTS[n], np.array(pywt.Wavelet(n).rec_lo)) for n in names if n in STARTS}
    for i in range(RANDOM) if "random" in names else ():
        low = random_filter(4 + 2 * (i % 4), np.random.default_rng([7, i]))
        found[f"random {i}, {len(low)} taps"] = ("db5", low)
    return found


def recover(low: np.ndarray, start: str, level: int, seed: int, **settings) -> tuple:
    """Filter found, seconds by the clock and of the processor, what the run says, and starts."""
    rng = np.random.default_rng([seed, level])
    X = rng.standard_normal((ROWS, LENGTH)).astype(np.float32)
    method = AdaptiveWavelets(start, levels=LEVELS, **{"sparsity": 0.0, "trim": 1.0} | settings)
    teacher = TorchTeacher(OneCoefficient(low, level), regression=True)
    clock, work = time.perf_counter(), time.process_time()
    trace = method.distill(teacher, Features.of(X).rows(X), rng, quiet).trace
    spent = time.perf_counter() - clock, time.process_time() - work
    return np.array(trace["low"]), *spent, trace["success"], trace["starts"]


def table(names: list[str], seeds: int) -> tuple[list[str], bool]:
    """Lines of the table, and whether all that was asked for was found and said so."""
    lines = [
        "| wavelet | start | distance of the start | found, worst | said so | seconds, worst |"
        " processor seconds, worst | starts, most | off orthogonal |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    hits: dict[str, bool] = {}
    for name, (start, low) in truths(names).items():
        runs = [recover(low, start, j, s) for j in range(1, LEVELS + 1) for s in range(seeds)]
        far = [difference(r[0], low) for r in runs]
        clock, work, most = (max(r[i] for r in runs) for i in (1, 2, 4))
        began = difference(np.array(pywt.Wavelet(start).rec_lo), low)
        said = sum(r[3] is True for r in runs)
        false = any(d >= FOUND and r[3] is True for d, r in zip(far, runs, strict=True))
        hits[name] = max(far) < FOUND and said == len(runs)
        lines.append(
            f"| {name} | {start} | {began:.2f} | {max(far):.4f} | {said} of {len(runs)}"
            f"{', FALSELY' if false else ''} | {clock:.1f} | {work:.1f} | {most:,} |"
            f" {max(orthogonality_error(r[0]) for r in runs):.0e} |"
        )
        print(lines[-1], flush=True)
    asked = all(hits[n] for n in ASKED if n in hits)
    drawn = [h for n, h in hits.items() if n.startswith("random")]
    return lines, asked and sum(drawn) >= 0.8 * len(drawn)


def penalised(epochs: int) -> list[str]:
    """The authors' form for sym5 from db5: its best weight of TRIM, by level."""
    low = np.array(pywt.Wavelet("sym5").rec_lo)
    lines = ["| level | trim | distance | off orthogonal | seconds |", "|---|---|---|---|---|"]
    for level in range(1, LEVELS + 1):
        for trim in PENALTY_TRIM:
            found, spent, *_ = recover(
                low, "db5", level, 0, parametrization="penalty", boundary="zero",
                trim=trim, epochs=epochs,
            )  # fmt: skip
            lines.append(
                f"| {level} | {trim:g} | {difference(found, low):.3f} |"
                f" {orthogonality_error(found):.0e} | {spent:.0f} |"
            )
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="haar and sym5 alone")
    parser.add_argument("--only", nargs="*", help="names of wavelets, or random")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=200, help="of the penalty form")
    parser.add_argument("--docs", type=Path, help="write the tables to this file")
    args = parser.parse_args()
    names = args.only or (["haar", "sym5"] if args.small else [*STARTS, "random"])
    began = time.perf_counter()
    lines, found = table(names, 1 if args.small else args.seeds)
    if not args.small and not args.only:
        other = penalised(args.epochs)
        threads = torch.get_num_threads()
        text = _DOCS.format(
            table="\n".join(lines), penalty="\n".join(other), levels=LEVELS, seeds=args.seeds,
            epochs=args.epochs, minutes=(time.perf_counter() - began) / 60,
            machine=f"{platform.machine()}, {threads} thread{'s' * (threads > 1)}",
            python=platform.python_version(), torch=torch.__version__,
        )  # fmt: skip
        if args.docs:
            before = args.docs.read_text() if args.docs.exists() else ""
            _, heading, speed = before.partition("\n## Speed\n")  # of benchmarks/wavelets.py
            args.docs.write_text(text + heading + speed)
    if not found:
        raise SystemExit("A wavelet that was asked for was not found, or the run misjudged itself.")


_DOCS = """# Is the wavelet found again?

Written by `python reproductions/wavelet_recovery.py --docs docs/measurements/wavelet_recovery.md`
in {minutes:.0f} minutes ({machine}, Python {python}, torch {torch}).

A teacher answers tanh(c), c one wavelet coefficient of its input (128 white numbers). The method
sees the inputs and the teacher's answers and gradients, starts from another wavelet and from random
angles, and learns a filter: `AdaptiveWavelets(start, levels=3, sparsity=0, trim=1)`. Each line has
{levels} levels of the coefficient times {seeds} seeds. Distances are of the taps after sign,
reversal and shift; a filter counts as found below 0.05. "Said so" counts the runs that say of
themselves that no filter can be better: the attributions are within 1% of their floor, one
coefficient for each row. A run that found the filter and stopped short of that floor says that
nothing is proved. Seconds are from the teacher to the fitted student, on a machine shared with
other work; processor seconds leave the waiting out. The number of taps is not told where the start
is longer than the answer.

{table}

## The penalty form

The authors' form (all taps free, held by penalties; Adam with step 1e-3; zero boundary; {epochs}
epochs of 500 rows) for sym5, started at db5, distance 0.22 (0.32 without reversal). The public
implementation was measured to go from 0.31 to 0.21.

{penalty}

The loss over angles has many local minima too: a descent from one start ends in one of them. What
finds the filter is the ladder from short filters to long ones, and many starts side by side; what
makes them cheap is that the gradients do not depend on the wavelet and are asked for once.
"""


if __name__ == "__main__":
    main()

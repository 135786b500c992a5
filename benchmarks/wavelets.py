"""One epoch of learning a wavelet: angles and stored gradients against the published form.

The published form (Ha et al. 2021) passes every batch through the inverse transform and the
network, takes the attributions by a backward pass with its graph kept, and a second backward pass
leads to the taps. Ours asks the network for its gradients once; an epoch is then the transform of
signals and gradients and one backward pass to the angles. Both see the same rows and the same
teacher in one run, four levels, batches of 100; the two are timed in turn, so that other work on
the machine weighs on both.

    python benchmarks/wavelets.py [--threads 2]
    python benchmarks/wavelets.py --memory          # a million signals of length 128
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ptwt
import pywt
import torch
from torch import Tensor, nn

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.adaptive_wavelets import AdaptiveWavelets
from limbeck.signal.wavelets.angles import angles_from_filter, complete, filter_from_angles
from limbeck.signal.wavelets.bank import analysis, synthesis
from limbeck.signal.wavelets.loss import WaveletLoss, WaveletRows
from limbeck.signal.wavelets.penalty import Penalty, penalties
from limbeck.teachers.torch import TorchTeacher

DB5 = np.array(pywt.Wavelet("db5").rec_lo)
LEVELS, BATCH = 4, 100


class LSTM(nn.Module):
    """A recurrent teacher as for the clathrin tracks."""

    def __init__(self, width: int = 40) -> None:
        super().__init__()
        self.lstm, self.last = nn.LSTM(1, width, batch_first=True), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.lstm(x[..., None])[0][:, -1])


class CNN(nn.Module):
    """A small convolutional teacher."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 32, 7, padding=3), nn.ReLU(), nn.Conv1d(32, 32, 7, padding=3), nn.ReLU(),
            nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.Linear(128, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x[:, None])


def signals(n: int, length: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, length)).cumsum(1).astype(np.float32) / 3


def published(
    net: nn.Module, X: np.ndarray, sparsity: float = 1e-3, trim: float = 1e-2
) -> Callable:
    """An epoch of the published form: TRIM by double backward through the network."""
    h = torch.tensor(DB5, dtype=torch.float32, requires_grad=True)
    adam = torch.optim.Adam([h], lr=1e-3)
    net.requires_grad_(False)

    def epoch() -> None:
        for start in range(0, len(X), BATCH):
            x = torch.from_numpy(X[start : start + BATCH])[:, None]
            bands = analysis(x, h, LEVELS, "zero")
            rebuilt = synthesis(bands, h, x.shape[-1], "zero")
            residual = (x - rebuilt).detach()
            score = net((rebuilt + residual)[:, 0]).sum()
            slopes = torch.autograd.grad(score, bands, create_graph=True)
            over = len(x) * len(bands)
            loss = (
                (x - rebuilt).square().sum() / len(x)
                + penalties(h)
                + sparsity * sum(b.abs().sum() for b in bands) / over
                + trim * sum((s * b).abs().sum() for s, b in zip(slopes, bands, strict=True)) / over
            )
            adam.zero_grad()
            loss.backward()
            adam.step()

    return epoch


def seconds(works: list[Callable], repeats: int) -> list[float]:
    """Median seconds of each, taken in turn."""
    times = [[] for _ in works]
    for _ in range(repeats + 1):
        for own, work in zip(times, works, strict=True):
            began = time.perf_counter()
            work()
            own.append(time.perf_counter() - began)
    return [float(np.median(own[1:])) for own in times]  # the first warms up


def epochs(net: nn.Module, X: np.ndarray, name: str, repeats: int) -> None:
    asked = []

    def ask() -> None:
        asked[:] = [TorchTeacher(net, regression=True).gradient(X, 0)]

    ask()
    gradients = asked[0]
    shaped = X[:, None], gradients[:, None]
    free = torch.from_numpy(angles_from_filter(DB5))[None, :-1]

    def filters(p: Tensor) -> Tensor:
        return filter_from_angles(complete(p))

    losses = [
        WaveletLoss(WaveletRows.of(shaped[0]), rows, LEVELS, "zero")
        for rows in (WaveletRows.of(shaped[1]), WaveletRows.of(shaped[1], shaped[0]))
    ]
    penalty = Penalty(LEVELS, sparsity=1e-3, trim=1e-2, input_x_gradient=True, epochs=1)
    rng = np.random.default_rng(0)
    works = [
        published(net, X),
        lambda: penalty.run(*shaped, DB5, rng),
        lambda: losses[0].descend(free, filters, 0.001),
        lambda: losses[1].descend(free, filters, 0.001),
        ask,
    ]
    there, stored, ours, times, once = seconds(works, repeats)
    print(
        f"| {name} | {len(X):,} x {X.shape[1]} | {there:.3f} | {stored:.3f} | {ours:.4f} |"
        f" {times:.4f} | {there / ours:.1f} x | {there / times:.1f} x | {once:.3f} |"
    )


def banks(repeats: int) -> None:
    """The transform and its gradient by the filter: ours, ptwt, and PyWavelets without gradient."""
    warnings.simplefilter("ignore")  # PyWavelets warns of bands that are all boundary
    for n, length in ((256, 128), (2000, 40)):
        X = signals(n, length).astype(np.float64)
        x = torch.from_numpy(X)
        h = torch.from_numpy(DB5).requires_grad_()
        signs = torch.tensor([(-1.0) ** k for k in range(len(DB5))], dtype=torch.float64)

        def ours(x=x, h=h) -> None:
            h.grad = None
            sum(b.abs().sum() for b in analysis(x[:, None], h, LEVELS, "zero")).backward()

        def theirs(x=x, h=h, signs=signs) -> None:
            h.grad = None
            g = h.flip(0) * signs
            bank = ptwt.WaveletTensorTuple(h.flip(0), g.flip(0), h, g)
            sum(b.abs().sum() for b in ptwt.wavedec(x, bank, mode="zero", level=LEVELS)).backward()

        def forward(x=x, h=h) -> None:
            with torch.no_grad():
                analysis(x[:, None], h, LEVELS, "zero")

        def numpy(X=X) -> None:
            pywt.wavedec(X, "db5", mode="zero", level=LEVELS)

        a, b, c, d = seconds([ours, theirs, forward, numpy], 5 * repeats)
        print(
            f"| {n:,} x {length} | {1e3 * a:.2f} | {1e3 * b:.2f} | {1e3 * c:.2f} | {1e3 * d:.2f} |"
        )


def memory(n: int, length: int = 128) -> None:
    """The whole method on many signals: peak memory of the process."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, length), dtype=np.float32)
    rows = Features.of(X).rows(X)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    net = nn.Sequential(nn.Linear(length, 8), nn.Tanh(), nn.Linear(8, 1))
    teacher = TorchTeacher(net, regression=True, batch_size=4096)
    method = AdaptiveWavelets(levels=3, trim=1.0, sparsity=0.0)
    began = time.perf_counter()
    method.distill(teacher, rows, rng, quiet)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n:,} signals of length {length}: peak {peak:.2f} GiB, of which {base:.2f} GiB are the"
        f" signals as given and as rows; {time.perf_counter() - began:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--signals", type=int, default=1_000_000)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.memory:
        memory(args.signals)
        return
    torch.manual_seed(0)
    load = Path("/proc/loadavg").read_text().split()[0] if Path("/proc/loadavg").exists() else "?"
    print(f"{platform.machine()}, {args.threads} threads, load {load}, torch {torch.__version__}\n")
    print(
        "| teacher | signals | published, s an epoch | penalty on stored gradients | ours, saliency"
        " | ours, input x gradient | faster, saliency | faster, same attribution |"
        " gradients, once |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    epochs(LSTM(), signals(1000, 40), "LSTM", args.repeats)
    epochs(CNN(), signals(1000, 128), "CNN", args.repeats)
    print("\n| signals | ours, ms | ptwt, ms | ours, no gradient | PyWavelets, no gradient |")
    print("|---|---|---|---|---|")
    banks(args.repeats)


if __name__ == "__main__":
    main()

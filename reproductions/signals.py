"""Adaptive wavelets for real signals: heartbeats, power demand, wafers, spectra of meat.

Each data set gets a small convolutional network as teacher, and the student of adaptive wavelets
stands beside the same student on fixed db5 wavelets, the control (labels and no teacher), and a
linear model of the signal itself, all on the official test rows.

    python reproductions/signals.py --quick               # small sets, few starts: about a minute
    python reproductions/signals.py --out docs            # all; pages in build/
    python reproductions/signals.py --only tecator
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from wavelet_figures import draw

import limbeck

HERE = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("LIMBECK_DATA") or HERE.parent / "shared" / "data")
TECATOR_TRAIN = 172  # rows of the usual split
_NUMBER = {"regression": True, "unit": "%", "epsilon": 0.1}  # 43 test rows certify no less


@dataclass(frozen=True)
class Case:
    """One data set: epochs of the teacher, and levels of the wavelets."""

    epochs: int
    levels: int
    quick: bool = False


CASES = {
    "italy_power_demand": Case(150, 2, quick=True),
    "ecg200": Case(200, 3, quick=True),
    "ecg5000": Case(40, 4),
    "wafer": Case(30, 4),
    "tecator": Case(400, 4, quick=True),
}


@dataclass(frozen=True)
class Split:
    """Signals (n, length) and labels or values (n,), to learn from and to test on."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @property
    def classes(self) -> list[int]:
        return [] if self.y.dtype.kind == "f" else np.unique(self.y).tolist()


class Convolutional(nn.Module):
    """Two convolutions over time, means over a few stretches, and a linear map."""

    def __init__(self, length: int, outputs: int, width: int = 32) -> None:
        super().__init__()
        stretches = 8 if length >= 40 else 4
        self.body = nn.Sequential(
            nn.Unflatten(1, (1, length)),
            nn.Conv1d(1, width, 7, padding=3),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Conv1d(width, width, 5, padding=2),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(stretches),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(width * stretches, outputs),
        )
        self.register_buffer("low", torch.tensor(0.0))
        self.register_buffer("unit", torch.tensor(1.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.low + self.unit * self.body(x)


def load(name: str) -> Split:
    file = DATA / "signals" / f"{name}.npz"
    if not file.is_file():
        sys.exit(f"No data: {file} is not there. Set LIMBECK_DATA to the folder with signals/.")
    data = np.load(file)
    if name == "tecator":  # each spectrum less its mean, by its spread: scatter is not fat
        X = data["x"].astype(np.float32)
        X = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
        y, n = data["fat"].astype(np.float64), TECATOR_TRAIN
        return Split(X[:n], y[:n], X[n:], y[n:])
    return Split(
        data["x_train"].astype(np.float32),
        data["y_train"].astype(np.int64),
        data["x_test"].astype(np.float32),
        data["y_test"].astype(np.int64),
    )


def train(split: Split, epochs: int) -> Convolutional:
    torch.manual_seed(0)
    net = Convolutional(split.X.shape[1], len(split.classes) or 1)
    X = torch.from_numpy(split.X)
    if split.classes:
        y = torch.from_numpy(np.searchsorted(split.classes, split.y))
    else:
        net.low.fill_(float(split.y.mean()))
        net.unit.fill_(float(split.y.std()))
        y = torch.from_numpy(split.y.astype(np.float32))
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = epochs * (len(X) // 32)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(X))[: len(X) // 32 * 32].split(32):
            out = net(X[rows])
            if split.classes:
                miss = nn.functional.cross_entropy(out, y[rows])
            else:
                miss = ((out[:, 0] - y[rows]) / net.unit).square().mean()
            optimiser.zero_grad()
            miss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def trained(name: str, split: Split, epochs: int) -> Convolutional:
    """The network from build/, trained and put there the first time."""
    kept = HERE / "build" / f"signals_{name}_{epochs}.safetensors"
    if not kept.is_file():
        kept.parent.mkdir(exist_ok=True)
        save_file(train(split, epochs).state_dict(), kept)
    net = Convolutional(split.X.shape[1], len(split.classes) or 1)
    net.load_state_dict(load_file(kept))
    return net.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three small sets, few starts")
    parser.add_argument("--only", choices=list(CASES), nargs="*")
    parser.add_argument("--out", type=Path, help="a folder for a picture a data set")
    args = parser.parse_args()
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    names = args.only or [n for n, c in CASES.items() if c.quick or not args.quick]
    print(
        "| signals | rows, test rows | model | size | agrees with the teacher | right | seconds |"
    )
    print("|---" * 7 + "|", flush=True)
    for name in names:
        split, case = load(name), CASES[name]
        net = trained(name, split, case.epochs)
        said = {"classes": split.classes} if split.classes else _NUMBER
        started = time.perf_counter()
        result = limbeck.distill(
            net, split.X, split.y, into="wavelet", holdout=(split.X_test, split.y_test),
            levels=case.levels, **({"starts": 8} if args.quick else {}), **said,
        )  # fmt: skip
        took = f"{time.perf_counter() - started:.0f}"
        for e in result.comparison.entries:
            if e.role == "control":
                model = "control: no teacher"
            else:
                model = f"adaptive ({e.model})" if e.role == "student" else e.model
            print(f"| {name} | {len(split.X)}, {len(split.X_test)} | {model} | {e.size} |"
                  f" {e.agreement} | {e.accuracy} | {took} |", flush=True)  # fmt: skip
            took = ""
        print(f"{name}: {result.status} {result.comparison.sentence}\n", file=sys.stderr)
        result.report(HERE / "build" / f"{name}.html")
        if args.out is not None:
            draw(result, "kept", args.out / f"{name}_kept.svg", columns=3)


if __name__ == "__main__":
    main()

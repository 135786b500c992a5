"""Adaptive wavelets for clathrin tracks: the case study of Ha et al. (2021).

An LSTM reads how much clathrin a pit holds, second by second, and predicts how much auxilin it
recruits. Wavelets are learnt from the network, and a linear model of
the strongest coefficients of each band takes its place. Published are R² on held-out cells, the
share of coefficients kept, and the time of a prediction, for wavelets learnt with and without the
network's attributions (TRIM) and for db5.

    python reproductions/clathrin.py --quick       # 272 tracks, few starts
    python reproductions/clathrin.py --out docs    # tables, pictures; the page in build/
    python reproductions/clathrin.py --target aux_positive
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import r2_score, roc_auc_score
from torch import nn
from wavelet_figures import draw

import limbeck
from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.adaptive_wavelets import AdaptiveWavelets
from limbeck.students.wavelet.wavelet import WaveletStudent
from limbeck.teachers.torch import TorchTeacher

HERE = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("LIMBECK_DATA") or HERE.parent / "shared" / "data")
LEVELS, START, TRIM = 4, "db5", (0.0, 0.1, 0.3, 1.0, 3.0)
RECIPE = {"keep": "size", "largest": 6}  # as published: the six largest magnitudes of each band
# Ha et al. 2021, the table of the case study: R², share of coefficients kept, seconds.
PUBLISHED = {
    "adaptive": "0.262, 0.574, 0.0003",
    "adaptive, no TRIM": "0.231, 0.651, 0.0003",
    "db5": "0.197, 0.704, 0.0003",
}


@dataclass(frozen=True)
class Tracks:
    """Tracks of 40 points (n, 40), what is predicted of them (n,), and their cells (n,)."""

    X: np.ndarray
    y: np.ndarray
    cell: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Tracks:
        return Tracks(self.X[rows], self.y[rows], self.cell[rows])


class Lstm(nn.Module):
    """One LSTM layer of 40 cells over the track; a linear map of its last state."""

    def __init__(self, width: int = 40, both_ways: bool = False) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, width, batch_first=True, bidirectional=both_ways)
        self.head = nn.Linear(width * (1 + both_ways), 1)
        for name, value in {"mean": 0.0, "spread": 1.0, "low": 0.0, "unit": 1.0}.items():
            self.register_buffer(name, torch.tensor(value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(((x - self.mean) / self.spread)[:, :, None])
        return self.low + self.unit * self.head(states[:, -1])[:, 0]


def load(target: str) -> Tracks:
    file = DATA / "signals" / "clathrin_auxilin.npz"
    if not file.is_file():
        sys.exit(f"No data: {file} is not there. Set LIMBECK_DATA to the folder with signals/.")
    data = np.load(file)
    rows = data["idx40"]
    return Tracks(data["x40"], data[target][rows].astype(np.float32), data["cell"][rows])


def train(
    tracks: Tracks, classes: bool, epochs: int, seed: int = 0, both_ways: bool = False
) -> Lstm:
    """The LSTM, on tracks whose mean and spread it keeps."""
    torch.manual_seed(seed)
    net = Lstm(both_ways=both_ways)
    net.mean.fill_(float(tracks.X.mean()))
    net.spread.fill_(float(tracks.X.std()))
    if not classes:
        net.low.fill_(float(tracks.y.mean()))
        net.unit.fill_(float(tracks.y.std()))
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-3)
    X, y = torch.from_numpy(tracks.X), torch.from_numpy(tracks.y)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 3e-3, total_steps=epochs * -(-len(X) // 64)
    )
    log_loss = nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            out = net(X[rows])
            miss = (
                log_loss(out, y[rows]) if classes else ((out - y[rows]) / net.unit).square().mean()
            )
            optimiser.zero_grad()
            miss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return net.eval()


def trained(
    tracks: Tracks, target: str, epochs: int, seed: int = 0, both_ways: bool = False
) -> Lstm:
    """The LSTM from build/, trained and put there the first time."""
    name = f"clathrin_{target}_{len(tracks.X)}_{epochs}_{seed}{'_both' if both_ways else ''}"
    kept = HERE / "build" / f"{name}.safetensors"
    if not kept.is_file():
        kept.parent.mkdir(exist_ok=True)
        net = train(tracks, target == "aux_positive", epochs, seed, both_ways)
        save_file(net.state_dict(), kept)
    net = Lstm(both_ways=both_ways)
    net.load_state_dict(load_file(kept))
    return net.eval()


def says(net: Lstm, X: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return net(torch.from_numpy(X)).numpy().astype(np.float64)


def seconds(predict: Callable[[], object], times: int = 50) -> float:
    """The median processor time of predicting all test tracks at once."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        predict()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def draws(cell: np.ndarray, n: int = 1000) -> list[np.ndarray]:
    """Bootstrap resamples of tracks within their cells."""
    rng = np.random.default_rng(0)
    own = [np.flatnonzero(cell == c) for c in np.unique(cell)]
    return [np.concatenate([rng.choice(o, len(o)) for o in own]) for _ in range(n)]


class Measure:
    """R² of values, or the area under the ROC curve of log-odds, with intervals by cells."""

    def __init__(self, truth: np.ndarray, cell: np.ndarray, classes: bool) -> None:
        self.truth, self.cell, self.draws = truth, cell, draws(cell)
        self.of = roc_auc_score if classes else r2_score

    def text(self, predicted: np.ndarray) -> str:
        found = [self.of(self.truth[i], predicted[i]) for i in self.draws]
        low, high = np.quantile(found, [0.025, 0.975])
        each = [self.of(self.truth[self.cell == c], predicted[self.cell == c])
                for c in np.unique(self.cell)]  # fmt: skip
        cells = ", ".join(f"{v:.3f}" for v in each)
        return f"{self.of(self.truth, predicted):.3f} [{low:.3f}, {high:.3f}] | {cells}"

    def difference(self, a: np.ndarray, b: np.ndarray) -> str:
        found = [self.of(self.truth[i], a[i]) - self.of(self.truth[i], b[i]) for i in self.draws]
        low, high = np.quantile(found, [0.025, 0.975])
        return f"{self.of(self.truth, a) - self.of(self.truth, b):+.3f} [{low:+.3f}, {high:+.3f}]"


def kept_share(student: WaveletStudent, X: np.ndarray) -> float:
    """The share of coefficients that hold 99 % of the energy of a track, as a mean."""
    energy = -np.sort(-(student.coefficients(X) ** 2), axis=1)
    held = np.cumsum(energy, axis=1) / energy.sum(axis=1, keepdims=True)
    return float(((held < 0.99).sum(axis=1) + 1).mean() / energy.shape[1])


def scores(student: WaveletStudent, X: np.ndarray) -> np.ndarray:
    """Values, or log-odds of the second class."""
    if not student.task_.classifies:
        return student.predict(X)
    p = np.clip(student.predict_proba(X)[:, 1], 1e-12, 1 - 1e-12)
    return np.log(p / (1 - p))


def learnt(net: Lstm, learn: Tracks, classes: bool, starts: int) -> dict[float, np.ndarray]:
    """The wavelet of each weight of TRIM."""
    said = {"classes": [0, 1]} if classes else {"regression": True}
    teacher, rows = TorchTeacher(net, **said), Features.of(learn.X).rows(learn.X)
    found = {}
    for trim in TRIM:
        method = AdaptiveWavelets(START, LEVELS, trim=trim, starts=starts)
        finding = method.distill(teacher, rows, np.random.default_rng(0), quiet)
        found[trim] = finding.student.filters.low
    return found


def best_of(found: dict[float, np.ndarray], learn: Tracks, target: np.ndarray, task: Task) -> float:
    """The weight of TRIM whose student on the labels does best in folds of cells."""

    def score(trim: float) -> float:
        student = WaveletStudent(found[trim], levels=LEVELS, task=task, **RECIPE)
        return student.compare(learn.X, target, groups=learn.cell)[0]["score"]

    return max((trim for trim in found if trim > 0), key=score)


@dataclass(frozen=True)
class Experiment:
    """The LSTM, the tracks, and what students may be fitted to: labels, or the LSTM's answers."""

    net: Lstm
    learn: Tracks
    test: Tracks
    classes: bool

    @property
    def task(self) -> Task:
        return Task((0, 1)) if self.classes else Task()

    @property
    def targets(self) -> dict[str, np.ndarray]:
        own = says(self.net, self.learn.X)
        if not self.classes:
            return {"labels": self.learn.y.astype(float), "LSTM": own}
        second = 1 / (1 + np.exp(-own))
        return {"labels": self.learn.y.astype(int), "LSTM": np.stack([1 - second, second], 1)}

    def table(self, filters: dict[str, np.ndarray | str]) -> None:
        """Print a row per student, and the differences of those that follow the recipe."""
        test, own = self.test, says(self.net, self.test.X)
        truth, fidelity = Measure(test.y, test.cell, self.classes), Measure(own, test.cell, False)
        what, targets = "AUC" if self.classes else "R²", self.targets
        batch = torch.from_numpy(test.X)
        heads = ["wavelet", "fitted to", f"{what} [95 %]", "cell 7, cell 8", "R² against the LSTM",
                 "99 % of energy in", "coefficients used", "seconds", "times faster"]  # fmt: skip
        first = ["LSTM", "labels", truth.text(own), "1", "", "", f"{self.slow(batch):.5f}", "1"]
        if not self.classes:
            heads.append("published R², kept, seconds")
            first.append("0.237, –, 0.073")
        print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n| {' | '.join(first)} |")
        found = {}
        for name, low in filters.items():
            for fitted, recipe in (("labels", RECIPE), ("LSTM", RECIPE), ("labels", {})):
                student = WaveletStudent(low, levels=LEVELS, task=self.task, **recipe)
                student.fit(self.learn.X, targets[fitted], groups=self.learn.cell)
                predicted = scores(student, test.X)
                if recipe:
                    found[name, fitted] = predicted
                slow, fast = self.slow(batch), seconds(lambda s=student: s.predict(test.X))
                cells = [
                    name, fitted if recipe else f"{fitted}, chosen", truth.text(predicted),
                    fidelity.text(predicted).split(" |")[0], f"{kept_share(student, test.X):.3f}",
                    f"{student.size}, by {student.strongest_.keep}", f"{fast:.5f}",
                    f"{slow / fast:.0f}",
                ]  # fmt: skip
                if not self.classes:
                    cells.append(PUBLISHED[name] if recipe and fitted == "labels" else "")
                print(f"| {' | '.join(cells)} |", flush=True)
        print(f"\nDifferences of {what}, intervals by resampling tracks within cells:\n")
        for fitted in targets:
            rivals = {name: found[name, fitted] for name in filters if name != "adaptive"}
            for name, rival in {**rivals, "the LSTM": own}.items():
                told = truth.difference(found["adaptive", fitted], rival)
                print(f"* adaptive, fitted to {fitted}, less {name}: {told}")

    def slow(self, batch: torch.Tensor) -> float:
        """Seconds of the LSTM; asked beside each student, so that other work disturbs both."""
        with torch.no_grad():
            return seconds(lambda: self.net(batch))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="272 tracks, few starts")
    parser.add_argument("--target", choices=["aux_max", "aux_positive"], default="aux_max")
    parser.add_argument("--epochs", type=int, default=60, help="of the LSTM")
    parser.add_argument("--out", type=Path, help="a folder for the pictures")
    args = parser.parse_args()
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    tracks, classes = load(args.target), args.target == "aux_positive"
    learn, test = tracks[tracks.cell <= 6], tracks[tracks.cell > 6]
    starts = 8 if args.quick else 64
    if args.quick:
        learn, args.epochs = learn[np.arange(0, len(learn.X), 4)], 10
    case = Experiment(trained(learn, args.target, args.epochs), learn, test, classes)
    kind = int if classes else float

    started = time.perf_counter()
    result = limbeck.distill(
        case.net, learn.X, learn.y.astype(kind), into="wavelet", groups=test.cell,
        holdout=(test.X, test.y.astype(kind)), wavelet=START, levels=LEVELS, starts=starts,
        **({"classes": [0, 1]} if classes else {"regression": True}), **RECIPE,
    )  # fmt: skip
    page = HERE / "build" / f"clathrin_{args.target}.html"
    result.report(page)
    print(f"{args.target}: {len(learn.X)} tracks of cells 1-6 to learn from, {len(test.X)} of cells"
          f" 7 and 8 to test on; from trained teacher to report"
          f" {time.perf_counter() - started:.0f} s\n")  # fmt: skip
    if args.out is not None:
        draw(result, "filters", args.out / f"{page.stem}_filters.svg")
        draw(result, "importance", args.out / f"{page.stem}_importance.svg", columns=1)
        draw(result, "kept", args.out / f"{page.stem}_kept.svg", columns=3)
        draw(result, "path", args.out / f"{page.stem}_path.svg")

    wavelets = learnt(case.net, learn, classes, starts)
    chosen = best_of(wavelets, learn, case.targets["labels"], case.task)
    case.table({"adaptive": wavelets[chosen], "adaptive, no TRIM": wavelets[0.0], START: START})
    print(f"\nThe weight of TRIM chosen by folds of training cells is {chosen}.")
    if not args.quick:
        of = roc_auc_score if classes else r2_score
        others = [of(test.y, says(trained(learn, args.target, args.epochs, s), test.X))
                  for s in range(5)]  # fmt: skip
        both = says(trained(learn, args.target, 30, both_ways=True), test.X)
        print(f"LSTMs of five seeds: {', '.join(f'{v:.3f}' for v in others)}, mean"
              f" {np.mean(others):.3f}; reading both ways {of(test.y, both):.3f}.")  # fmt: skip
    print(f"\n{result}")


if __name__ == "__main__":
    main()

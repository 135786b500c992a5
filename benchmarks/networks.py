"""What a step of `limbeck.networks` costs beside a loop by hand, and beside the student alone.

Ratios of processor time in one thread (wall time on a GPU), medians of repeats in turns, so that a
busy moment hits all alike. The loop by hand reads its batches by index from tensors, which is the
fastest that one would write. Setting up and reading the losses counts as limbeck's. The allocator
of the C library is told to keep what it was given: else either loop, by chance, asks the system for
the memory of each step anew, which moves a ratio by up to a tenth either way.

Run: python benchmarks/networks.py [--repeats 9] [--steps 40]
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.core.task import Task
from limbeck.networks import GoldLabels, SoftTargets, TeacherCache, Training
from limbeck.networks.datasets.data import Samples
from limbeck.networks.training.train import train

TASK = Task.of("classification", 10)
BOTH = 0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels()


def mlp(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10))


def cnn(width: int) -> nn.Module:
    layers: list[nn.Module] = []
    before = 3
    for i in range(3):
        after = width * 2**i
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after),
                   nn.ReLU(), nn.MaxPool2d(2)]  # fmt: skip
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


class Transformer(nn.Module):
    """A small encoder with dropout, of 32 tokens."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(1000, width), nn.Embedding(32, width)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        z = self.words(x) + self.places(torch.arange(x.shape[1], device=x.device))
        out: Tensor = self.head(self.layers(z).mean(1))
        return out


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module], Any, int, float]] = {
    # student, teacher, shape of a row, batch, the most that the ratio should be
    "MLP 784-256-10": (lambda: mlp(256), lambda: mlp(1024), (784,), 128, 1.10),
    "MLP 784-128-10": (lambda: mlp(128), lambda: mlp(256), (784,), 128, 1.10),
    "CNN": (lambda: cnn(16), lambda: cnn(32), (3, 32, 32), 64, 1.03),
    "transformer": (lambda: Transformer(64, 2), lambda: Transformer(128, 4), 32, 32, 1.03),
}


def rows(shape: Any, n: int, device: str) -> Tensor:
    if isinstance(shape, int):
        return torch.randint(0, 1000, (n, shape), device=device)
    return torch.randn(n, *shape, device=device)


def by_hand(make: Callable[[], nn.Module], teacher: nn.Module, x: Tensor, y: Tensor, batch: int,
            notes: list[float] | None = None) -> None:  # fmt: skip
    torch.manual_seed(0)
    student = make().to(x.device).train()
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-3)
    teacher.eval()
    for index in Samples.of((x, y)).order(0, 0).to(x.device).split(batch):
        inputs, labels = x[index], y[index]
        with torch.no_grad():
            told = teacher(inputs)
        out = student(inputs)
        soft = F.kl_div(F.log_softmax(out / 4, -1), F.softmax(told / 4, -1), reduction="batchmean")
        loss = 0.9 * (soft * (4 * 4)) + 0.1 * F.cross_entropy(out, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if notes is not None:
            notes.append(loss.item())


def keep_memory() -> bool:
    """Let glibc give no memory back between steps; whether it is glibc and took that."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    no_mapping, trim_threshold = (-4, 0), (-1, 2**31 - 1)  # M_MMAP_MAX, M_TRIM_THRESHOLD
    return all([mallopt(*no_mapping), mallopt(*trim_threshold)])


def seconds(work: Callable[[], Any], device: str) -> float:
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return clock() - start


def ratio(ours: Callable[[], Any], other: Callable[[], Any], repeats: int, device: str) -> Any:
    """Median ratio, its quartiles, and the median times."""
    ours(), other()  # warm
    times = []
    for i in range(repeats):  # in turns, and who begins changes
        pair = (ours, other) if i % 2 else (other, ours)
        found = {f: seconds(f, device) for f in pair}
        times.append((found[ours], found[other]))
    ratios = sorted(a / b for a, b in times)
    low, high = ratios[repeats // 4], ratios[-1 - repeats // 4]
    a, b = (statistics.median(t) for t in zip(*times, strict=True))
    return statistics.median(ratios), low, high, a, b


def overhead(repeats: int, steps: int, device: str) -> None:
    print("a step of ours / by hand             [ms]           ratio (quartiles)    at most")
    for name, (make, make_teacher, shape, batch, most) in CASES.items():
        torch.manual_seed(1)
        teacher = make_teacher().to(device)
        x, y = rows(shape, steps * batch, device), torch.randint(0, 10, (steps * batch,))
        y = y.to(device)
        samples = Samples.of((x, y)).aimed(TASK)
        training = Training(1, batch, lr=1e-3, schedule="constant", device=device)

        def ours(folder: Any = None, training: Training = training) -> None:
            train(make, samples, BOTH, TASK, training=training, teacher=teacher, folder=folder)  # noqa: B023

        found = ratio(
            ours, lambda: by_hand(make, teacher, x, y, batch), repeats, device  # noqa: B023
        )  # fmt: skip
        tell(name, found, steps, most)
        losses: list[float] = []
        short = slice(0, 20 * batch)
        by_hand(make, teacher, x[short], y[short], batch, losses)
        samples = Samples.of((x[short], y[short])).aimed(TASK)
        with tempfile.TemporaryDirectory() as folder:
            each = Training(1, batch, lr=1e-3, schedule="constant", device=device, log_every=1)
            ours(folder, each)
            with (Path(folder) / "metrics.csv").open() as file:
                same = [float(r["loss"]) for r in csv.DictReader(file)] == losses
        print(f"  20 losses equal bit for bit: {same}")


class Augmented(torch.utils.data.Dataset[Any]):
    """Pictures, shifted by up to 4 pixels and mirrored at random."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = F.pad(x, (4, 4, 4, 4)), y.tolist()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        up, left, mirrored = torch.randint(0, 9, (3,)).tolist()
        picture = self.x[i, :, up : up + 32, left : left + 32]
        return picture.flip(-1) if mirrored > 4 else picture, self.y[i]


def stored(repeats: int, steps: int, device: str) -> None:
    """With a cache, beside the student alone; the teacher has 16 times its weights."""
    batch = 64
    torch.manual_seed(1)
    teacher = cnn(66).to(device)
    size = [sum(p.numel() for p in m.parameters()) for m in (teacher, cnn(16))]
    data = Augmented(
        rows((3, 32, 32), steps * batch, "cpu"), torch.randint(0, 10, (steps * batch,))
    )
    samples = Samples.of(data).aimed(TASK)
    training = Training(1, batch, lr=1e-3, device=device)
    with tempfile.TemporaryDirectory() as folder:
        cache = TeacherCache(folder, views=1).fill(teacher, samples)

        def student(objective: Any, teacher: Any = None) -> Callable[[], Any]:
            return lambda: train(
                lambda: cnn(16), samples, objective, TASK, training=training, teacher=teacher
            )

        alone = student(GoldLabels())
        taught, live = student(BOTH, cache), student(BOTH, teacher)
        print(
            f"\nteacher of {size[0] / size[1]:.1f} times the student's weights, augmented samples"
        )
        tell("stored outputs / student alone", ratio(taught, alone, repeats, device), steps, 1.10)
        tell(
            "live teacher / student alone",
            ratio(live, alone, max(repeats // 3, 3), device),
            steps,
            0,
        )


def tell(name: str, found: Any, steps: int, most: float) -> None:
    middle, low, high, a, b = found
    limit = f"{most:.2f}" if most else ""
    times = f"{1e3 * a / steps:8.2f} / {1e3 * b / steps:.2f}"
    print(f"{name:32s} {times:18s}   {middle:.3f} ({low:.3f} to {high:.3f})   {limit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = "kept" if keep_memory() else "given back as the system likes"
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__},")
    print(
        f"{given.device}, {given.steps} steps, median of {given.repeats} repeats in turns,"
        f" memory {kept}\n"
    )
    overhead(given.repeats, given.steps, given.device)
    stored(given.repeats, given.steps, given.device)


if __name__ == "__main__":
    main()

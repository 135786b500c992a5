"""Distilling networks on a GPU: the same as on the CPU? Does it resume? What does a step cost?

Handwritten digits and made data; torch, accelerate and scikit-learn are enough. Prints one line a
check, with what was measured and what it should be, and ends with status 1 if one of them fails.

Run: python benchmarks/gpu.py [--device cuda] [--small] [--out gpu.json]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before torch: for exact resumes

import torch
from networks import BOTH, CASES, by_hand, ratio, rows
from sklearn.datasets import load_digits
from torch import Tensor, nn

import limbeck
from limbeck.core.task import Task
from limbeck.networks import GoldLabels, HiddenStates, TeacherCache, Training
from limbeck.networks.datasets.data import Samples
from limbeck.networks.training.train import Trained, train

TASK = Task.of("classification", 10)
CPU = torch.device("cpu")


def digits() -> tuple[Tensor, Tensor]:
    """Images (n, 1, 8, 8) between 0 and 1, in a fixed random order, and their digits."""
    X, y = load_digits(return_X_y=True)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    return torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8)[order] / 16, torch.tensor(y)[
        order
    ]


def network(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, stride=2),
        nn.ReLU(), nn.Flatten(), nn.Linear(9 * width, 4 * width), nn.ReLU(),
        nn.Linear(4 * width, 10),
    )  # fmt: skip


def learned(x: Tensor, y: Tensor, steps: int) -> nn.Module:
    """A teacher, trained on the CPU."""
    torch.manual_seed(0)
    net = network(32)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    for step in range(steps):
        some = torch.arange(128 * step, 128 * (step + 1)) % len(x)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[some]), y[some]).backward()
        optimizer.step()
    return net.eval()


@contextmanager
def exact() -> Iterator[None]:
    """Full float32, and the same operations in the same order."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def apart(a: nn.Module, b: nn.Module) -> float:
    """The largest difference of two weights."""
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return max(float((p.detach().cpu() - q.detach().cpu()).abs().max()) for p, q in pairs)


class Checks:
    """The checks of one machine, printed as they come."""

    def __init__(self, device: str, small: bool) -> None:
        self.device, self.small, self.found = device, small, []
        self.x, self.y = digits()
        self.teacher = learned(self.x[:900], self.y[:900], 60 if small else 400)

    def tell(self, name: str, value: Any, should: str, good: bool | None) -> None:
        """Note a result; ``good`` is None for what is only measured."""
        mark = "" if good is None else "ok" if good else "FAILS"
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        print(f"{name:52s} {shown:>24s}   {should:24s} {mark}", flush=True)
        self.found.append({"check": name, "value": value, "should": should, "good": good})

    def tried(self, name: str, work: Callable[[], None]) -> None:
        """A check; an error in it fails it and stops no other."""
        try:
            work()
        except Exception as error:
            self.tell(name, f"{type(error).__name__}", "no error", False)
            print(f"    {error}"[:600])

    def train(
        self, device: str, *, objective: Any = BOTH, n: int = 512, epochs: int = 2,
        teacher: Any = None, make: Callable[[], nn.Module] = lambda: network(8), **given: Any,
    ) -> Trained:  # fmt: skip
        """A short training on digits."""
        folder, told = given.pop("folder", None), given.pop("progress", None)
        settings = Training(**{"epochs": epochs, "batch_size": 64, "lr": 2e-3, "device": device,
                               **given})  # fmt: skip
        samples = Samples.of((self.x[:n], self.y[:n])).aimed(TASK)
        more = {} if told is None else {"progress": told}
        return train(make, samples, objective, TASK, training=settings,
                     teacher=teacher or self.teacher, folder=folder, **more)  # fmt: skip

    def same_as_cpu(self) -> None:
        """Few updates in float32: rounding is the only difference."""
        with exact():
            found = [self.train(d).module for d in ("cpu", self.device)]
            layers = 0.5 * BOTH + 0.5 * HiddenStates({"4": "4"})
            hidden = [self.train(d, objective=layers).module for d in ("cpu", self.device)]
        self.tell("float32, 16 updates: weights apart from CPU", apart(*found), "below 1e-4",
                  apart(*found) < 1e-4)  # fmt: skip
        self.tell("the same with a layer objective", apart(*hidden), "below 1e-4",
                  apart(*hidden) < 1e-4)  # fmt: skip
        self.tell("the teacher is back on the CPU", str(next(self.teacher.parameters()).device),
                  "cpu", next(self.teacher.parameters()).device == CPU)  # fmt: skip

    def precisions(self) -> None:
        """Whole runs: accuracy of student and control on the same test rows."""
        accuracy = {}
        for precision in ("fp32", "bf16", "fp16"):
            if precision == "fp16" and self.device == "cpu":
                continue
            began = time.perf_counter()
            result = limbeck.distill(
                self.teacher, (self.x[:900], self.y[:900]), into=lambda: network(8),
                test=(self.x[1200:], self.y[1200:]), device=self.device, precision=precision,
                epochs=4 if self.small else 40, batch_size=32, lr=2e-3, timing=not self.small,
            )  # fmt: skip
            took = time.perf_counter() - began
            by_role = {e.role: e.accuracy.value for e in result.comparison.entries if e.accuracy}
            accuracy[precision] = by_role["student"]
            near = abs(by_role["student"] - accuracy["fp32"]) < 0.03
            right = f"{by_role['student']:.3f} / {by_role['control']:.3f}"
            self.tell(f"{precision}: student / control right", right, "within 0.03 of fp32",
                      near or self.small)  # fmt: skip
            self.tell(f"{precision}: seconds of the run", took, "", None)
            finite = all(torch.isfinite(p).all() for p in result.student.parameters())
            self.tell(f"{precision}: weights finite, float32", finite, "True", finite and all(
                p.dtype is torch.float32 for p in result.student.parameters()))  # fmt: skip
            self.tell(f"{precision}: certificate", result.certificate.epsilon, "a bound",
                      0 < result.certificate.epsilon <= 1)  # fmt: skip

    def resumes(self) -> None:
        """Stopped within an epoch and gone on with: the same weights, bit for bit."""
        with exact():
            for precision in ("fp32", "bf16", "fp16"):
                if precision == "fp16" and self.device == "cpu":
                    continue
                given: dict[str, Any] = {"precision": precision, "epochs": 3, "checkpoint_every": 5}
                whole = self.train(self.device, **given).module
                again = self.train(self.device, **given).module
                self.tell(f"{precision}: the same seed again, weights apart", apart(whole, again),
                          "0", apart(whole, again) == 0)  # fmt: skip
                with tempfile.TemporaryDirectory() as folder:
                    with suppress(KeyboardInterrupt):
                        self.train(self.device, folder=folder, progress=Stop(13), **given)
                    gone_on = self.train(self.device, folder=folder, **given).module
                self.tell(f"{precision}: stopped and resumed, weights apart", apart(whole, gone_on),
                          "0", apart(whole, gone_on) == 0)  # fmt: skip

    def accumulates(self) -> None:
        with exact():
            one = self.train(self.device, n=500).module
            for parts in (4, 8):
                other = self.train(self.device, n=500, gradient_accumulation_steps=parts).module
                self.tell(f"gradient_accumulation_steps={parts}: weights apart from 1",
                          apart(one, other), "below 1e-5", apart(one, other) < 1e-5)  # fmt: skip

    def caches(self) -> None:
        """Filled by a teacher on the GPU; students there learn from it as from the teacher."""
        with exact(), tempfile.TemporaryDirectory() as folder:
            samples = Samples.of((self.x[:512], self.y[:512])).aimed(TASK)
            self.teacher.to(self.device)
            try:
                cache = TeacherCache(folder).fill(self.teacher, samples)
                live = self.train(self.device).module
            finally:
                self.teacher.to("cpu")
            stored = self.train(self.device, teacher=cache).module
        self.tell("cache filled on the device: weights apart from live", apart(live, stored),
                  "below 1e-4", apart(live, stored) < 1e-4)  # fmt: skip

    def compiles(self) -> None:
        """A student under torch.compile, made so by its function; compiling takes its time."""
        if self.small:
            return
        with exact():
            plain = self.train(self.device).module
        made = self.train(self.device, make=lambda: torch.compile(network(8))).module
        off = apart(plain, getattr(made, "_orig_mod", made))
        self.tell("torch.compile: weights apart from plain", off, "below 1e-3", off < 1e-3)

    def overhead(self) -> None:
        """A step of limbeck over a step of a loop by hand, wall time, with set-up counted."""
        repeats, steps = (1, 4) if self.small else (5, 200)
        cuda = self.device != "cpu"
        for name, (make, make_teacher, shape, batch, _) in CASES.items():
            torch.manual_seed(1)
            teacher = make_teacher().to(self.device)
            x = rows(shape, steps * batch, self.device)
            y = torch.randint(0, 10, (steps * batch,)).to(self.device)
            samples = Samples.of((x, y)).aimed(TASK)
            for precision in ("fp32", "bf16") if cuda else ("fp32",):
                settings = Training(1, batch, lr=1e-3, schedule="constant", device=self.device,
                                    precision=precision)  # fmt: skip

                def ours(settings: Training = settings) -> None:
                    train(make, samples, BOTH, TASK, training=settings, teacher=teacher)  # noqa: B023

                def hand(precision: str = precision) -> None:
                    with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
                        by_hand(make, teacher, x, y, batch)  # noqa: B023

                middle, low, high, a, b = ratio(ours, hand, repeats, self.device)
                self.tell(f"step, {name}, {precision}: ms ours / by hand",
                          f"{1e3 * a / steps:.3f} / {1e3 * b / steps:.3f}", "", None)  # fmt: skip
                self.tell(f"step, {name}, {precision}: ratio [quartiles]",
                          f"{middle:.3f} [{low:.3f}, {high:.3f}]", "near 1", None)  # fmt: skip

    def memory(self) -> None:
        """A second training leaves nothing of the first on the GPU."""
        if self.device == "cpu":
            return
        held = []
        for _ in range(3):
            self.train(self.device, objective=GoldLabels())
            gc.collect()  # what only waits to be collected is not held
            torch.cuda.synchronize()
            held.append(torch.cuda.memory_allocated())
        grew = held[-1] - held[0]
        self.tell("bytes held after a third training, over a first", grew, "0", grew == 0)

    def run(self) -> bool:
        """All of them; whether none failed."""
        for work in (self.same_as_cpu, self.precisions, self.resumes, self.accumulates,
                     self.caches, self.compiles, self.memory, self.overhead):  # fmt: skip
            began = time.perf_counter()
            self.tried(work.__name__, work)
            print(f"    ({work.__name__}: {time.perf_counter() - began:.1f} s)", flush=True)
        return all(f["good"] is not False for f in self.found)


class Stop:
    """Interrupts a training once a number of updates are made."""

    def __init__(self, after: int) -> None:
        self.after = after

    def __call__(self, stage: str, done: float, total: float) -> None:
        if done >= self.after:
            raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="few updates, for a test on a CPU")
    parser.add_argument("--out", help="a .json file for the results")
    given = parser.parse_args()
    card = torch.cuda.get_device_name() if given.device != "cpu" else platform.machine()
    head = f"{card}, Python {platform.python_version()}, torch {torch.__version__}"
    print(head, flush=True)
    checks = Checks(given.device, given.small)
    good = checks.run()
    if given.out:
        Path(given.out).write_text(json.dumps({"machine": head, "checks": checks.found}, indent=1))
    failed = [f["check"] for f in checks.found if f["good"] is False]
    print("all checks hold" if good else f"failed: {', '.join(failed)}")
    sys.exit(not good)


if __name__ == "__main__":
    main()

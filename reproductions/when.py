"""When distilling pays: a map over labels, training, sizes and label noise, on four small problems.

MNIST and Fashion-MNIST (14 x 14 pixels), SST-2 (MiniLM's embeddings) and adult; 6,000 training
rows of each, of which a share has labels. A teacher (two hidden layers of 256) learned from the
same labels, or from all of them. The student (one hidden layer) learns from the teacher on all rows
and from the labels; its control, the same student with the same start and number of updates, learns
from the labelled rows alone. Every run is a line of JSON, and what is there is not done again.

    python reproductions/when.py --out when --minutes 60     # so many processor minutes, then stop
    python reproductions/when.py --out when --table          # what is there, as tables
    python reproductions/when.py --out when --draw docs/when.svg
    python reproductions/when.py --out when --small          # does it run?
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from networks.small_sets import Problem, problem
from torch import nn
from when_report import draw, tables

from limbeck.core.task import Task
from limbeck.evaluation.networks import ask, right
from limbeck.networks import GoldLabels, RowWeights, Samples, SoftTargets, TeacherCorrect
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import train

SETS = ("MNIST", "Fashion-MNIST", "SST-2", "adult")
ROWS, TEST, BATCH, UPDATES = 6000, 4000, 64, 250
SEEDS = 5
LABELS, LENGTHS, SIZES, NOISES = (
    (0.01, 0.03, 0.1, 0.3, 1.0),
    (1, 2, 8, 16),
    (2, 30, 100),
    (0.0, 0.2, 0.4),
)
WAYS = ("teacher and labels", "teacher where right", "teacher where right, labels elsewhere",
        "teacher where right, labels everywhere")  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One student with its control.

    Parameters
    ----------
    axis, set : str
        Which part of the map, and of which problem.
    labels : float
        Share of the training rows that have a label.
    teacher : str
        "same" learned from the same labels, "all" from all rows with their true labels.
    length : int
        Times 250 updates.
    smaller : int
        By how much the student is smaller than its teacher, in parameters.
    noise : float
        Share of the labels that were drawn anew among the other classes.
    way : str
        What is learned from whom, one of `WAYS`.
    seed : int
        Of labels, teacher, student and order of rows.
    """

    axis: str
    set: str
    labels: float = 0.1
    teacher: str = "all"
    length: int = 4
    smaller: int = 10
    noise: float = 0.0
    way: str = WAYS[0]
    seed: int = 0


def plan(seeds: int) -> Iterator[Run]:
    """All runs; those of a seed together, so that a part of the map has all of its cells."""
    for seed in range(seeds):
        for name in SETS:
            own = Run("labels", name, seed=seed)
            yield from (replace(own, labels=share, teacher=t)
                        for share in LABELS for t in ("same", "all"))  # fmt: skip
            yield from (replace(own, axis="size", smaller=s) for s in SIZES)
            for n in NOISES:
                noisy = replace(own, axis="noise", labels=1.0, noise=n)
                yield from (replace(noisy, teacher="same", way=w) for w in WAYS)
                if n:
                    yield noisy
            yield from (replace(own, axis="length", length=k) for k in LENGTHS)


def task_of(given: Problem) -> Task:
    return Task.of("classification", given.outputs)


def labels_of(name: str, share: float, noise: float, seed: int) -> tuple[Any, Any]:
    """Labels of the training rows, -1 where there is none; as many of each class, and noise."""
    given, rng = problem(name), np.random.default_rng([seed, 1])
    y = given.train[1][:ROWS].numpy().copy()
    wrong = rng.random(len(y)) < noise
    y[wrong] = (y[wrong] + rng.integers(1, given.outputs, int(wrong.sum()))) % given.outputs
    kept = np.zeros(len(y), dtype=bool)
    for c in range(given.outputs):
        mine = rng.permutation(np.flatnonzero(given.train[1][:ROWS].numpy() == c))
        kept[mine[: max(1, round(share * len(mine)))]] = True
    return torch.from_numpy(np.where(kept, y, -1)), torch.from_numpy(kept)


def mlp(width: int, outputs: int, *hidden: int, dropout: float = 0.0) -> nn.Module:
    layers: list[nn.Module] = []
    for h in hidden:
        layers += [nn.Linear(width, h), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
        width = h
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def size(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def student_of(given: Problem, smaller: int) -> Any:
    """One hidden layer, as wide as makes the teacher's parameters, divided."""
    wanted = size(mlp(given.width, given.outputs, 256, 256)) / smaller
    hidden = max(1, round((wanted - given.outputs) / (given.width + given.outputs + 1)))
    return lambda: mlp(given.width, given.outputs, hidden)


def learn(
    net: Any, x: Any, y: Any, objective: Any, task: Task, updates: int, seed: int, **given: Any
) -> nn.Module:
    settings = Training(max_steps=updates, batch_size=min(BATCH, len(x)), lr=3e-3,
                        checkpoint_every=None)  # fmt: skip
    settings = settings.settled(len(x), validated=False)
    rows = Samples.of((x, y)).aimed(task)
    return train(net, rows, objective, task, training=settings, seed=seed, **given).module


@lru_cache(maxsize=4)
def teacher_of(name: str, share: float, noise: float, seed: int) -> nn.Module:
    given, (y, kept) = problem(name), labels_of(name, share, noise, seed)
    x = given.train[0][:ROWS]
    make = lambda: mlp(given.width, given.outputs, 256, 256, dropout=0.3)  # noqa: E731
    return learn(make, x[kept], y[kept], GoldLabels(), task_of(given), 4 * UPDATES, 100 + seed)


@lru_cache(maxsize=64)
def control_of(name: str, share: float, noise: float, seed: int, length: int, smaller: int) -> Any:
    """Right answers of the student alone on the test rows."""
    given, (y, kept) = problem(name), labels_of(name, share, noise, seed)
    x = given.train[0][:ROWS]
    made = learn(student_of(given, smaller), x[kept], y[kept], GoldLabels(), task_of(given),
                 length * UPDATES, seed)  # fmt: skip
    return scored(made, given)


def scored(net: nn.Module, given: Problem) -> np.ndarray:
    rows = Samples.of((given.test[0][:TEST], given.test[1][:TEST])).aimed(task_of(given))
    said = right(ask(net, rows.batches(range(len(rows)), 1000), task_of(given)))
    assert said is not None
    return said.astype(bool)


def taught(run: Run, teacher: nn.Module) -> np.ndarray:
    """Right answers of the distilled student on the test rows."""
    given, (y, _) = problem(run.set), labels_of(run.set, run.labels, run.noise, run.seed)
    x, task, soft = given.train[0][:ROWS], task_of(given), SoftTargets(temperature=4.0)
    rows = Samples.of((x, y)).aimed(task)
    said = ask(teacher, rows.batches(range(len(rows)), 1000), task).answers
    agrees = torch.from_numpy(said == y.numpy())
    part = float(agrees.float().mean())  # each row counts the same, whoever teaches it
    more: dict[str, Any] = {"teacher": teacher}
    if run.way == WAYS[0]:
        objective: Any = 0.9 * soft + 0.1 * GoldLabels()
    elif run.way == WAYS[1]:
        objective, more["filter"] = soft, TeacherCorrect()
    elif run.way == WAYS[2]:
        objective = part * soft + (1 - part) * GoldLabels()
        y, more["filter"] = torch.where(agrees, -1, y), RowWeights(agrees.float())
    else:
        objective, more["filter"] = 0.9 * soft + 0.1 * GoldLabels(), TeacherCorrect()
    if not bool((y >= 0).any()):
        objective = soft  # nothing is left for the labels
    return scored(learn(student_of(given, run.smaller), x, y, objective, task,
                        run.length * UPDATES, run.seed, **more), given)  # fmt: skip


def measured(run: Run) -> dict[str, Any]:
    began = time.process_time()
    share, noise = (1.0, 0.0) if run.teacher == "all" else (run.labels, run.noise)
    teacher = teacher_of(run.set, share, noise, run.seed)
    alone = control_of(run.set, run.labels, run.noise, run.seed, run.length, run.smaller)
    ours = taught(run, teacher)
    means = {"teacher": scored(teacher, problem(run.set)), "student": ours, "control": alone}
    return asdict(run) | {
        "accuracy": {who: float(answers.mean()) for who, answers in means.items()},
        "rows": len(ours), "student": packed(ours), "control": packed(alone),
        "parameters": size(student_of(problem(run.set), run.smaller)()),
        "cpu_seconds": time.process_time() - began,
    }  # fmt: skip


def packed(bits: np.ndarray) -> str:
    return base64.b64encode(np.packbits(bits).tobytes()).decode()


def finished(path: Path) -> dict[Run, dict[str, Any]]:
    """What is there, by run; a line that was cut off is left out."""
    found: dict[Run, dict[str, Any]] = {}
    if not path.is_file():
        return found
    for line in path.read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        found[Run(**{k: row[k] for k in Run.__dataclass_fields__})] = row
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("when"))
    parser.add_argument("--minutes", type=float, default=1e9, help="processor minutes, at most")
    parser.add_argument("--small", action="store_true", help="one cell of each axis, one seed")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--draw", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "runs.jsonl"
    done = finished(path)
    if given.table or given.draw:
        print(tables(list(done.values())))
        if given.draw:
            draw(list(done.values()), given.draw)
        return
    runs = list(plan(1 if given.small else SEEDS))
    if given.small:
        runs = [next(r for r in runs if r.axis == axis) for axis in ("labels", "size", "noise")]
    with path.open("a") as file:
        for i, run in enumerate(runs):
            if run in done:
                continue
            if time.process_time() > 60 * given.minutes:
                print(f"stopped after {given.minutes:g} minutes: {i} of {len(runs)}",
                      file=sys.stderr)  # fmt: skip
                break
            row = measured(run)
            file.write(json.dumps(row, allow_nan=False) + "\n")
            file.flush()
            print(f"{i + 1}/{len(runs)} {run.axis} {run.set} {row['accuracy']}"
                  f" {row['cpu_seconds']:.1f} s", file=sys.stderr, flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

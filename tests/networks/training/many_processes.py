"""Started by torchrun in test_engine.py: one training, written by the first process."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import nn

from limbeck.core.task import Task
from limbeck.networks import (
    GoldLabels,
    HiddenStates,
    RowWeights,
    SoftTargets,
    TeacherCorrect,
    balanced,
)
from limbeck.networks.datasets.data import Samples
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import train


def run(folder: Path, strategy: str = "auto", shares: bool = False, layers: bool = False):
    torch.manual_seed(0)
    x = torch.randn(70, 4)
    y = (x[:, 0] > 0).long()
    teacher = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
    student = Student()
    terms = 0.2 * HiddenStates({"0": "one"})
    if not layers:
        terms = 0.5 * SoftTargets(temperature=2) + 0.3 * GoldLabels() + terms
    return train(
        student,
        Samples.of((x, y)),
        balanced(terms) if shares else terms,
        Task.of("classification", 2),
        training=Training(
            3,
            24,
            lr=0.02,
            strategy=strategy,
            log_every=1,
            max_grad_norm=1.0,
            gradient_accumulation_steps=1 if shares else 2,
            checkpoint_every=2,
        ),
        seed=1,
        teacher=teacher,
        validation=Samples.of((x[:31], y[:31])),
        folder=folder,
    )


def run_tokens(folder: Path, gradient_accumulation_steps: int):
    """Ragged tokens, some without a label, and a filter; objectives of outputs and of layers."""
    ids = [[1 + (i * j) % 19 for j in range(1, 3 + i * 7 % 12)] for i in range(1, 49)]
    labels = [[t % 3 if j else -100 for j, t in enumerate(row)] for row in ids]
    torch.manual_seed(0)
    teacher, student = Tagger(9), Tagger(5)
    task = Task.of("tokens", 3)
    objective = (
        0.5 * SoftTargets(temperature=2)
        + 0.3 * GoldLabels(rest=True)
        + 0.2 * HiddenStates({"words": "words"})
    )
    return train(
        student,
        Samples.of({"input_ids": ids, "labels": labels}).aimed(task),
        objective,
        task,
        training=Training(
            2, 16, optimizer="sgd", lr=0.5, gradient_accumulation_steps=gradient_accumulation_steps
        ),
        seed=1,
        teacher=teacher,
        filter=TeacherCorrect() & RowWeights([i % 3 / 2 for i in range(48)]),
        folder=folder,
    )


class Tagger(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(20, width), nn.Linear(width, 3)

    def forward(self, input_ids):
        return self.head(self.words(input_ids).tanh())


class Student(nn.Module):
    """With a layer that does not enter the outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.idle, self.two = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        return self.two(torch.tanh(self.one(x)))


if __name__ == "__main__":
    import torch.distributed as dist

    from limbeck.networks.training import teacher_outputs
    from limbeck.networks.training.training_step import Learner

    where, strategy, shares = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "shares"
    teachers = []
    watched = teacher_outputs.watched

    def noted(module, *rest, **more):
        teachers.append(module)
        return watched(module, *rest, **more)

    teacher_outputs.watched = noted
    runs = [run(where / "a", strategy, shares)]
    local = [getattr(p, "to_local", lambda p=p: p)().numel() for p in teachers[0].parameters()]
    silent = not any(p.requires_grad or p.grad is not None for p in teachers[0].parameters())
    runs.append(run(where / "a", strategy, shares))  # a second one in the same processes
    update = Learner.update

    def stopping(self, step, *rest):
        if step == 4:  # in the middle of the second epoch
            raise InterruptedError
        return update(self, step, *rest)

    Learner.update = stopping
    try:
        run(where / "cut", strategy, shares)
    except InterruptedError:
        Learner.update = update
    runs.append(run(where / "cut", strategy, shares))
    runs.append(run(where / "layers", strategy, shares, layers=True))
    tokens = run_tokens(where / "tokens", 2)
    rank = dist.get_rank()
    weights, layers = (
        [p.detach().flatten().tolist() for p in runs[i].module.parameters()] for i in (0, 3)
    )
    told = {
        "history": list(runs[0].history),
        "teacher": [sum(local), silent],
        "weights": weights,
        "layers": layers,
        "again": list(runs[1].history),
        "tokens": [p.detach().flatten().tolist() for p in tokens.module.parameters()],
        "of tokens": list(tokens.history),
        "cut": list(runs[2].history),
        "maps": [p.detach().flatten().tolist() for p in runs[0].maps.parameters()],
    }
    (where / f"rank_{rank}.json").write_text(json.dumps(told))
    dist.destroy_process_group()

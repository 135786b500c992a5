"""A step of limbeck beside one of NVIDIA Model-Optimizer, and both beside a loop by hand.

The same student, teacher, batches and loss (temperature 4, weight 0.9; labels 0.1). Model-Optimizer
is used as its guide says: ``convert`` with ``kd_loss``, then ``compute_kd_loss`` in a loop of one's
own. Its loss averages over classes as well, so its number is smaller; the work is the same.
torchdistill is not measured: it needs torchvision, which does not go with a CPU build of torch.

Run: pip install nvidia-modelopt; python benchmarks/networks_peers.py [--repeats 9] [--steps 40]
"""

from __future__ import annotations

import argparse
import copy
import platform
import sys
import warnings
from typing import Any

import torch
from networks import BOTH, CASES, TASK, by_hand, ratio, rows, tell
from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.networks import Samples, Training
from limbeck.networks.training.train import train


class Named(nn.Module):
    """Model-Optimizer cannot convert a bare ``nn.Sequential``."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.inner(x)
        return out


def optimized(peer: Any, make: Any, teacher: nn.Module, x: Tensor, y: Tensor, batch: int) -> None:
    """One epoch by hand around Model-Optimizer's module."""
    torch.manual_seed(0)
    config = {
        "teacher_model": Named(copy.deepcopy(teacher)),
        "criterion": peer.LogitsDistillationLoss(temperature=4.0),
    }
    student = peer.convert(Named(make()), mode=[("kd_loss", config)])
    student.train()  # returns None
    optimizer = torch.optim.AdamW([p for p in student.parameters() if p.requires_grad], lr=1e-3)
    for index in Samples.of((x, y)).order(0, 0).split(batch):
        labels = y[index]
        out = student(x[index])
        loss = 0.9 * student.compute_kd_loss() + 0.1 * F.cross_entropy(out, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    try:
        import modelopt
        import modelopt.torch.distill as peer
    except ImportError as error:
        sys.exit(f"{error}: pip install nvidia-modelopt")
    torch.set_num_threads(1)
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__},")
    print(f"Model-Optimizer {modelopt.__version__}, {given.steps} steps, median of"
          f" {given.repeats} repeats in turns\n")  # fmt: skip
    print("a step, ours / other                [ms]           ratio (quartiles)")
    for name, (make, make_teacher, shape, batch, _) in CASES.items():
        torch.manual_seed(1)
        teacher = make_teacher()
        x, y = rows(shape, given.steps * batch, "cpu"), torch.randint(0, 10, (given.steps * batch,))
        samples = Samples.of((x, y)).aimed(TASK)
        training = Training(1, batch, lr=1e-3, schedule="constant")

        def ours() -> None:
            train(make, samples, BOTH, TASK, training=training, teacher=teacher)  # noqa: B023

        def theirs() -> None:
            optimized(peer, make, teacher, x, y, batch)  # noqa: B023

        def hand() -> None:
            by_hand(make, teacher, x, y, batch)  # noqa: B023

        tell(f"{name}: limbeck / by hand", ratio(ours, hand, given.repeats, "cpu"), given.steps, 0)
        tell(f"{name}: Model-Optimizer / by hand", ratio(theirs, hand, given.repeats, "cpu"),
             given.steps, 0)  # fmt: skip


if __name__ == "__main__":
    main()

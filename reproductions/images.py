"""A large residual network into a small one on CIFAR-10: ResNet-50 into ResNet-18, and smaller.

Published, in a small public experiment: ResNet-50 84.70%, ResNet-18 distilled 77.41%, ResNet-18
alone 76.48%. Here both have a stem for pictures of 32 x 32, and every row stands beside the same
student, data, order and seeds on gold labels. The default is the scale of a CPU: 5,500 pictures, a
network of 2.8 million weights into one of 20 thousand.

    python reproductions/images.py --teacher         # only train the teacher; 10 minutes
    python reproductions/images.py --quick           # 300 pictures, one seed: does it run?
    python reproductions/images.py                   # all; resumes
    python reproductions/images.py --full --seeds 1  # ResNet-50 into ResNet-18; one GPU, 5 minutes
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from networks.data import ROOT, Augmented, Pictures, augmented_batches, cifar10, plain_batches
from networks.nets import resnet
from networks.runs import Table, machine
from networks.teachers import DEVICE, accuracy, fit, kept
from torch.utils.data import DataLoader, TensorDataset

import limbeck
from limbeck.networks import DIST, DKD, GoldLabels, Samples, SoftTargets, TeacherCache

OBJECTIVES = {
    "soft targets": 0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels(),
    "DKD": DKD() + GoldLabels(),
    "DIST": DIST() + GoldLabels(),
}
PUBLISHED = "Published: teacher 84.70, distilled 77.41, control 76.48."


@dataclass(frozen=True)
class Scale:
    """What differs between a CPU and a GPU."""

    full: bool
    teacher: dict[str, Any]
    student: dict[str, Any]
    teacher_epochs: int
    epochs: int
    batch: int
    rows: int | None = None
    workers: int = 0
    views: int = 6


SMALL = Scale(
    False,
    {"widths": [32, 64, 128, 256], "depths": [2, 2, 2, 2]},
    {"widths": [8, 16, 32], "depths": [1, 1, 1]},
    teacher_epochs=35, epochs=24, batch=128,
)  # fmt: skip
QUICK = Scale(
    False,
    {"widths": [8, 16], "depths": [1, 1]},
    {"widths": [8, 16], "depths": [1, 1]},
    teacher_epochs=1, epochs=1, batch=64, rows=300,
)  # fmt: skip
FULL = Scale(
    True,
    {"widths": [256, 512, 1024, 2048], "depths": [3, 4, 6, 3], "kind": "bottleneck", "stem": 64},
    {"widths": [64, 128, 256, 512], "depths": [2, 2, 2, 2]},
    teacher_epochs=10, epochs=12, batch=256, workers=max(2, (os.cpu_count() or 2) - 2),
)  # fmt: skip


def network(settings: dict[str, Any]) -> Any:
    return resnet(**settings).to(DEVICE, memory_format=torch.channels_last)


def trained(path: Path, data: Pictures, scale: Scale) -> Any:
    def training(net: Any) -> Any:
        print("Training the teacher", file=sys.stderr)
        optimiser = torch.optim.SGD(
            net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3
        )
        steps = len(data.train[0]) // scale.batch
        return fit(
            net,
            lambda epoch: augmented_batches(data.train, scale.batch, epoch, DEVICE),
            steps, scale.teacher_epochs, optimiser, peak=0.1, warm=0.25,
        )  # fmt: skip

    torch.manual_seed(0)
    return kept(network(scale.teacher), path, training)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", action="store_true", help="only train the teacher")
    parser.add_argument("--full", action="store_true", help="ResNet-50 into ResNet-18; a GPU")
    parser.add_argument("--quick", action="store_true", help="300 pictures, one seed and epoch")
    parser.add_argument("--objectives", nargs="+", choices=[*OBJECTIVES])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "reproductions" / "images")
    args = parser.parse_args()
    scale = FULL if args.full else QUICK if args.quick else SMALL
    args.out = args.out / "full" if args.full else args.out / "quick" if args.quick else args.out
    seeds = 1 if args.quick else args.seeds
    wanted = args.objectives or (["soft targets"] if args.full else list(OBJECTIVES))
    data = cifar10(full=scale.full, rows=scale.rows)
    teacher = trained(args.out / "teacher.safetensors", data, scale)
    if args.teacher:
        print(f"validation {accuracy(teacher, plain_batches(data.validation, DEVICE)):.4f}")
        print(f"test {accuracy(teacher, plain_batches(data.test, DEVICE)):.4f}")
        return
    train = DataLoader(Augmented(*data.train), batch_size=scale.batch, num_workers=scale.workers)
    cache = None  # a GPU asks the teacher anew, for a new augmentation in every epoch
    if not scale.full:
        cache = TeacherCache(args.out / "cache", views=scale.views)
        cache.fill(teacher, Samples.of(train))
    table = Table(args.out, epochs=scale.epochs, seeds=seeds)
    for name in wanted:
        table.cell(
            (name,),
            lambda out, name=name: limbeck.distill(
                teacher, train, into=lambda: network(scale.student), objective=OBJECTIVES[name],
                cache=cache, epochs=scale.epochs, batch_size=scale.batch, optimizer="sgd", lr=0.1,
                weight_decay=5e-4, schedule="cosine", warmup_ratio=0.1, max_grad_norm=1.0,
                precision="bf16",
                validation=TensorDataset(*data.validation), test=TensorDataset(*data.test),
                seeds=seeds, baseline=False, out=out, control=args.out / "control",
            ),
        )  # fmt: skip
    keys = [(name,) for name in OBJECTIVES]
    print(table.markdown(keys, ("objective",)), "", table.costs(keys), sep="\n")
    if scale.full:
        print(PUBLISHED)
    print(f"{scale.epochs} epochs, {seeds} seed(s); {machine()}")


if __name__ == "__main__":
    main()

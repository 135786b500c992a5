"""A large residual network into a small one on CIFAR-10: ResNet-50 into ResNet-18, and smaller.

Published, in a small public experiment: ResNet-50 84.70%, ResNet-18 distilled 77.41%, ResNet-18
alone 76.48%. Here both have a stem for pictures of 32 x 32, and every row stands beside the same
student, data, order and seeds on gold labels. The default is the scale of a CPU: 5,500 pictures, a
network of 2.8 million weights into one of 20 thousand.

    python reproductions/images.py --teacher         # only train the teacher; 10 minutes
    python reproductions/images.py --quick           # 300 pictures, one seed: does it run?
    python reproductions/images.py                   # all; resumes
    python reproductions/images.py --full --seeds 1  # ResNet-50 into ResNet-18; one GPU, minutes

`--full` trains by the plain recipe (labels and soft targets) and by the patient one (the teacher's
probabilities alone, on mixed pictures; Beyer et al. 2022), each beside its own control.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from growing import growing
from networks.data import (
    ROOT,
    Augmented,
    MovedPictures,
    Pictures,
    augmented_batches,
    cifar10,
    plain_batches,
)
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
PATIENT = "patient"
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
    teacher_epochs=10, epochs=12, batch=256,
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


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", action="store_true", help="only train the teacher")
    parser.add_argument("--full", action="store_true", help="ResNet-50 into ResNet-18; a GPU")
    parser.add_argument("--quick", action="store_true", help="300 pictures, one seed and epoch")
    parser.add_argument("--objectives", nargs="+", choices=[*OBJECTIVES, PATIENT])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, nargs="+", help="one table each, while time is left")
    parser.add_argument("--teacher-epochs", type=int)
    parser.add_argument("--minutes", type=float, help="no table is begun that would end later")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "reproductions" / "images")
    return parser.parse_args()


def settings_of(name: str, scale: Scale, out: Path) -> dict[str, Any]:
    """What the plain recipe and the patient one do not share."""
    if name == PATIENT:
        return {"recipe": "patient", "control": out / "control-patient"}
    return {"objective": OBJECTIVES[name], "control": out / "control"}


def key_of(name: str, scale: Scale) -> tuple[str, ...]:
    """Of a cell; at the full scale each recipe has a control of its own."""
    if not scale.full:
        return (name,)
    return ("patient", "the teacher alone, mixup") if name == PATIENT else ("plain", name)


def filled(
    args: argparse.Namespace, scale: Scale, wanted: list[str], data: Pictures, teacher: Any
) -> Table:
    """The table with all cells that are wanted."""
    seeds = 1 if args.quick else args.seeds
    out = args.out if args.epochs is None else args.out / f"{scale.epochs}-epochs"
    cache = None  # a GPU asks the teacher anew, for a new augmentation in every epoch
    if scale.full:
        train: Any = Samples(MovedPictures(*data.train, DEVICE), batch_size=scale.batch)
    else:
        train = DataLoader(Augmented(*data.train), batch_size=scale.batch)
        cache = TeacherCache(args.out / "cache", views=scale.views)
        cache.fill(teacher, Samples.of(train))
    table = Table(out, epochs=scale.epochs, seeds=seeds)
    for name in wanted:
        table.cell(
            key_of(name, scale),
            lambda place, name=name: limbeck.distill(
                teacher, train, into=lambda: network(scale.student),
                cache=None if name == PATIENT else cache, epochs=scale.epochs,
                batch_size=scale.batch, optimizer="sgd", lr=0.1, weight_decay=5e-4,
                schedule="cosine", warmup_ratio=0.1, max_grad_norm=1.0, precision="bf16",
                validation=TensorDataset(*data.validation), test=TensorDataset(*data.test),
                seeds=seeds, baseline=False, out=place, **settings_of(name, scale, out),
            ),
        )  # fmt: skip
    keys = [key_of(name, scale) for name in [*OBJECTIVES, PATIENT]]
    head = ("recipe", "objective") if scale.full else ("objective",)
    print(table.markdown(keys, head), "", table.costs(keys), sep="\n")
    if scale.full:
        print(PUBLISHED)
    print(f"{scale.epochs} epochs, {seeds} seed(s); {machine()}", flush=True)
    return table


def main() -> None:
    began, args = time.monotonic(), arguments()
    scale = FULL if args.full else QUICK if args.quick else SMALL
    args.out = args.out / "full" if args.full else args.out / "quick" if args.quick else args.out
    if args.quick and args.full:
        scale = replace(FULL, teacher=QUICK.teacher, student=QUICK.student, rows=QUICK.rows,
                        teacher_epochs=1, epochs=1, batch=64)  # fmt: skip
    scale = replace(scale, teacher_epochs=args.teacher_epochs or scale.teacher_epochs)
    wanted = args.objectives or (["soft targets", PATIENT] if args.full else list(OBJECTIVES))
    data = cifar10(full=scale.full, rows=scale.rows)
    teacher = trained(args.out / "teacher.safetensors", data, scale)
    if args.teacher:
        print(f"validation {accuracy(teacher, plain_batches(data.validation, DEVICE)):.4f}")
        print(f"test {accuracy(teacher, plain_batches(data.test, DEVICE)):.4f}")
        return
    growing(
        args.epochs or [scale.epochs], args.minutes,
        lambda epochs: filled(args, replace(scale, epochs=epochs), wanted, data, teacher), began,
    )  # fmt: skip


if __name__ == "__main__":
    main()

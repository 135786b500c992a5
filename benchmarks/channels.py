"""Which channels a narrower student takes: by activation on a batch, or by the norm of weights.

Five kinds of network are trained, narrowed by `limbeck.networks.init_from_teacher` to about three
quarters, half and a quarter, and tested before any further training. Percent right of 2,000 test
rows, means over teachers. The table is in docs/networks.md.

Run: python benchmarks/channels.py [--teachers 5] [--kinds MLP ViT]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.networks import init_from_teacher

DATA = Path(
    os.environ.get(
        "LIMBECK_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    )
)
IMPORTANCE = ("norm", "activation")
ROWS, TESTED, BATCH = 6_000, 2_000, 32


def mlp(hidden: Sequence[int]) -> nn.Module:
    first, second = hidden
    return nn.Sequential(nn.Flatten(), nn.Linear(784, first), nn.ReLU(),
                         nn.Linear(first, second), nn.ReLU(), nn.Linear(second, 10))  # fmt: skip


def cnn(widths: Sequence[int], channels: int = 1, norm: bool = False) -> nn.Module:
    layers: list[nn.Module] = []
    before = channels
    for after in widths:
        layers.append(nn.Conv2d(before, after, 3, padding=1))
        layers += [nn.BatchNorm2d(after)] if norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


def resnet(widths: Sequence[int]) -> nn.Module:
    from transformers import ResNetConfig, ResNetForImageClassification

    return ResNetForImageClassification(
        ResNetConfig(num_channels=1, embedding_size=widths[0], hidden_sizes=list(widths),
                     depths=[1] * len(widths), layer_type="basic", num_labels=10,
                     downsample_in_first_stage=False)
    )  # fmt: skip


def vit(sizes: Sequence[int]) -> nn.Module:
    from transformers import ViTConfig, ViTForImageClassification

    width, inner = sizes
    return ViTForImageClassification(
        ViTConfig(hidden_size=width, num_hidden_layers=3, num_attention_heads=width // 16,
                  intermediate_size=inner, image_size=28, patch_size=7, num_channels=1,
                  num_labels=10, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    )  # fmt: skip


WIDE = [(16, 32, 64), (12, 24, 48), (8, 16, 32), (4, 8, 16)]
Kind = tuple[Callable[[Any], nn.Module], str, list[Any], int]
KINDS: dict[str, Kind] = {  # how it is made, of what it learns, its widths, and epochs
    "MLP": (mlp, "mnist", [(128, 64), (96, 48), (64, 32), (32, 16)], 4),
    "CNN": (cnn, "fashion_mnist", WIDE, 4),
    "CNN with batch norm": (lambda w: cnn(w, 3, True), "cifar10_subset", WIDE, 5),
    "residual network": (resnet, "fashion_mnist", [(16, 32), (12, 24), (8, 16), (4, 8)], 3),
    "vision transformer": (vit, "mnist", [(64, 128), (64, 64), (48, 96), (32, 64)], 5),
}


def pictures(name: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rows to train and to test on, (n, channels, height, width) in [0, 1], and their classes."""
    with np.load(DATA / "images" / f"{name}.npz", allow_pickle=False) as file:
        x, y, x_test, y_test = (file[k] for k in ("x_train", "y_train", "x_test", "y_test"))
    some = np.random.default_rng(0).permutation(len(x))[:ROWS]

    def scaled(x: np.ndarray) -> Tensor:
        found = torch.tensor(x, dtype=torch.float32) / 255
        return (found[:, None] if found.ndim == 3 else found.permute(0, 3, 1, 2)).contiguous()

    labels = (torch.tensor(v).long() for v in (y[some], y_test[:TESTED]))
    return scaled(x[some]), next(labels), scaled(x_test[:TESTED]), next(labels)


def logits(net: nn.Module, x: Tensor) -> Tensor:
    out = net(x)
    found: Tensor = getattr(out, "logits", out)
    return found


def fit(net: nn.Module, x: Tensor, y: Tensor, epochs: int, seed: int) -> None:
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    steps = epochs * -(-len(x) // 64) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    net.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(logits(net, x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
    net.eval()


@torch.no_grad()
def right(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Percent of rows."""
    net.eval()
    said = torch.cat([logits(net, part) for part in x.split(500)])
    return 100 * float((said.argmax(-1) == y).float().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teachers", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=[*KINDS], default=[*KINDS])
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"| teacher | it is right on | {' | '.join(IMPORTANCE)} |\n|---|---|---|---|")
    gains: list[float] = []
    for kind in given.kinds:
        make, name, (full, *narrow), epochs = KINDS[kind]
        x, y, x_test, y_test = pictures(name)
        taught: list[float] = []
        found = np.zeros((len(IMPORTANCE), len(narrow), given.teachers))
        for seed in range(given.teachers):
            torch.manual_seed(seed)
            teacher = make(full)
            fit(teacher, x, y, epochs, seed)
            taught.append(right(teacher, x_test, y_test))
            for i, importance in enumerate(IMPORTANCE):
                for j, widths in enumerate(narrow):
                    torch.manual_seed(seed + 100)
                    student = make(widths)
                    init_from_teacher(teacher, student, batch=x[:BATCH], importance=importance)
                    found[i, j, seed] = right(student, x_test, y_test)
        cells = (", ".join(f"{v:.1f}" for v in row) for row in found.mean(axis=2))
        print(f"| {kind}, {name} | {np.mean(taught):.1f} | {' | '.join(cells)} |", flush=True)
        gains += (found[1] - found[0]).ravel().tolist()
    mean, error = np.mean(gains), np.std(gains, ddof=1) / len(gains) ** 0.5
    ahead = f"ahead in {np.mean(np.array(gains) > 0):.0%} of {len(gains)} pairs"
    print(f"\n{IMPORTANCE[1]} less norm: {mean:+.1f}, standard error {error:.1f}, {ahead}")


if __name__ == "__main__":
    main()

"""What run.yaml names: a convolutional teacher, a small student, and handwritten digits.

Run it from this folder: ``limbeck distill run.yaml``.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import nn


def part(start: int, end: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (n, 1, 8, 8) between 0 and 1, and their digits."""
    X, y = load_digits(return_X_y=True)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))[start:end]
    images = torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    return images[order], torch.tensor(y)[order]


def train() -> tuple[torch.Tensor, torch.Tensor]:
    """Rows to learn from: few, so that the teacher has something to hand on."""
    return part(0, 100)


def validation() -> tuple[torch.Tensor, torch.Tensor]:
    """Rows to choose by."""
    return part(300, 600)


def test() -> tuple[torch.Tensor, torch.Tensor]:
    """Rows for table and certificate."""
    return part(600, 1200)


def student() -> nn.Module:
    """A thousand parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(96, 10)
    )


def teacher() -> nn.Module:
    """A larger network that has seen other rows; trained here in a few seconds."""
    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    X, y = part(1200, 1797)
    steps = torch.optim.AdamW(net.parameters(), 1e-3)
    for _ in range(20):
        for rows in torch.randperm(len(X)).split(32):
            steps.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
            steps.step()
    return net

"""Residual networks for pictures of 32 x 32, and the two networks of PyTorch's tutorial."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn


def resnet(
    widths: list[int], depths: list[int], kind: str = "basic", stem: int | None = None
) -> Any:
    """A residual network of transformers, with a stem for small pictures.

    The published stem halves the resolution twice before the first block, which suits pictures of
    224 x 224; for 32 x 32 it is one 3 x 3 convolution (as He et al. 2016 have it for CIFAR-10).
    """
    from transformers import ResNetConfig, ResNetForImageClassification
    from transformers.models.resnet.modeling_resnet import ResNetConvLayer

    stem = stem or widths[0]
    net = ResNetForImageClassification(
        ResNetConfig(embedding_size=stem, hidden_sizes=widths, depths=depths, layer_type=kind,
                     num_labels=10)
    )  # fmt: skip
    net.resnet.embedder.embedder = ResNetConvLayer(3, stem, kernel_size=3, stride=1)
    net.resnet.embedder.pooler = nn.Identity()
    return net


def _convolutions(*widths: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    return layers


class Deep(nn.Module):
    """The tutorial's teacher: four convolutions and two dense layers, 1.19 million weights."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolutions(3, 128, 64), nn.MaxPool2d(2), *_convolutions(64, 64, 32), nn.MaxPool2d(2)
        )
        self.flat = nn.Flatten()
        self.pooled = nn.AvgPool1d(2)  # 2,048 features to the student's 1,024, for the cosine
        self.classifier = nn.Sequential(
            nn.Linear(2048, 512), nn.ReLU(), nn.Dropout(0.1), nn.Linear(512, 10)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = self.flat(self.features(x))  # (n, 2048)
        self.pooled(flat)  # (n, 1024), only to be read
        return self.classifier(flat)


class Light(nn.Module):
    """The tutorial's student: two convolutions and two dense layers, 0.27 million weights."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolutions(3, 16), nn.MaxPool2d(2), *_convolutions(16, 16), nn.MaxPool2d(2)
        )
        self.flat = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Linear(1024, 256), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, 10)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.flat(self.features(x)))  # (n, 16, 8, 8) -> (n, 1024) -> (n, 10)

"""The two data sets: small pictures and short sentences."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import pad
from torch.utils.data import Dataset

from limbeck.networks.datasets.seeding import mixed

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("LIMBECK_DATA", ROOT.parent / "shared" / "data"))
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR-10's training pictures


@dataclass(frozen=True)
class Pictures:
    """Pictures as (n, 3, 32, 32) float32, normalised, and their classes (n,)."""

    train: tuple[torch.Tensor, torch.Tensor]
    validation: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]


def normalised(x: np.ndarray) -> torch.Tensor:
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    return (torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255 - mean) / std


def cifar10(full: bool = False, validation: int = 500, rows: int | None = None) -> Pictures:
    """The subset of 6,000 and 2,000 pictures, or all 50,000 and 10,000 from JPEG.

    The last ``validation`` training pictures (in an order drawn once) are set aside; ``rows``
    keeps only the first so many of each part.
    """
    if full:
        x, y, x_test, y_test = _from_jpeg(DATA / "images" / "cifar10_full_jpeg.parquet")
    else:
        with np.load(DATA / "images" / "cifar10_subset.npz", allow_pickle=False) as file:
            x, y, x_test, y_test = (file[k] for k in ("x_train", "y_train", "x_test", "y_test"))
    order = np.random.default_rng(0).permutation(len(x))
    train, held = order[:-validation][:rows], order[-validation:][:rows]
    parts = ((x[train], y[train]), (x[held], y[held]), (x_test[:rows], y_test[:rows]))
    return Pictures(*((normalised(a), torch.from_numpy(b.astype(np.int64))) for a, b in parts))


def _from_jpeg(path: Path) -> tuple[np.ndarray, ...]:
    from PIL import Image

    frame = pd.read_parquet(path)
    x = np.stack([np.asarray(Image.open(io.BytesIO(one))) for one in frame["jpeg"]])
    y, train = frame["label"].to_numpy(), (frame["split"] == "train").to_numpy()
    return x[train], y[train], x[~train], y[~train]


def crop_and_flip(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Shift each picture by up to 4 pixels (black border) and mirror half of them.

    Parameters
    ----------
    x : Tensor of shape (n, c, h, w)
    rng : Generator on the CPU
    """
    return moved(x, *drawn_moves(len(x), rng))


def drawn_moves(n: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Shifts (n,) up and left in 0 to 8, 4 meaning none, and whether a picture is mirrored (n,)."""
    up, left = torch.randint(0, 9, (2, n), generator=rng)
    return up, left, torch.rand(n, generator=rng) < 0.5


def moved(
    x: torch.Tensor, up: torch.Tensor, left: torch.Tensor, mirrored: torch.Tensor
) -> torch.Tensor:
    """Pictures shifted and mirrored as `drawn_moves` says.

    Parameters
    ----------
    x : Tensor of shape (n, c, h, w)
    up, left, mirrored : Tensor of shape (n,), on the CPU
    """
    n, c, h, w = x.shape
    column = torch.arange(w).expand(n, w)
    column = torch.where(mirrored[:, None], column.flip(1), column) + left[:, None]  # (n, w)
    row = torch.arange(h) + up[:, None]  # (n, h)
    row, column = row.to(x.device), column.to(x.device)
    one = torch.arange(n, device=x.device)[:, None, None, None]
    channel = torch.arange(c, device=x.device)[:, None, None]
    padded = pad(x, (4, 4, 4, 4))
    return padded[one, channel, row[:, None, :, None], column[:, None, None, :]]


class MovedPictures:
    """Pictures on a device, augmented there batch by batch; see `limbeck`'s ``Source``.

    What is drawn for a picture depends on seed, view and its place alone.
    """

    def __init__(self, x: torch.Tensor, y: torch.Tensor, device: str) -> None:
        self.x, self.y = x.to(device), y.to(device)
        self._drawn: tuple[tuple[int, int], tuple[torch.Tensor, ...]] | None = None

    def __len__(self) -> int:
        return len(self.y)

    def fetch(self, rows: torch.Tensor, seed: int, view: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self._drawn is None or self._drawn[0] != (seed, view):
            rng = torch.Generator().manual_seed(mixed(seed, view) >> 1)
            self._drawn = (seed, view), drawn_moves(len(self.y), rng)
        at = rows.to(self.x.device)
        return moved(self.x[at], *(d[rows] for d in self._drawn[1])), self.y[at]


def augmented_batches(
    part: tuple[torch.Tensor, torch.Tensor], size: int, epoch: int, device: str
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """An epoch of whole batches, augmented where the network is; for ordinary training."""
    x, y = part
    rng = torch.Generator().manual_seed(epoch)
    for rows in torch.randperm(len(x), generator=rng)[: len(x) // size * size].split(size):
        yield crop_and_flip(x[rows].to(device), rng), y[rows].to(device)


def plain_batches(
    part: tuple[torch.Tensor, torch.Tensor], device: str
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """All pictures in their order."""
    for x, y in zip(part[0].split(200), part[1].split(200), strict=True):
        yield x.to(device), y.to(device)


class Augmented(Dataset[Any]):
    """The same, a picture at a time: drawn from torch's global generator, in any process."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.padded, self.y = pad(x, (4, 4, 4, 4)), y

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        up, left, mirrored = torch.randint(0, 18, (3,)).tolist()
        x = self.padded[i, :, up % 9 : up % 9 + 32, left % 9 : left % 9 + 32]
        return x.flip(-1) if mirrored % 2 else x, self.y[i]


def sst2(rows: int | None = None) -> dict[str, tuple[list[str], np.ndarray]]:
    """Sentences and labels (0 negative, 1 positive) by split: train, dev, test."""
    frame: Any = pd.read_parquet(DATA / "text" / "sst2.parquet")
    parts = {}
    for name in ("train", "dev", "test"):
        part = frame[frame["split"] == name].iloc[:rows]
        parts[name] = (part["sentence"].tolist(), part["label"].to_numpy(np.int64))
    return parts

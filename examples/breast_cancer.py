"""A tournament on a neural network: which readable student agrees best, and what it is worth.

No download, less than a minute on two processors.

The network tells benign from malignant tumours by 30 measurements of cell nuclei (Wolberg,
Street and Mangasarian 1995, in scikit-learn). It is trained on 200 of the 569 rows; the others
serve to distil it and to certify the students.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from sklearn.datasets import load_breast_cancer
from torch import nn

import limbeck


class Network(nn.Sequential):
    """A plain sequence, with a name for the table."""


class Standardise(nn.Module):
    """First layer: the network takes measurements in their own units."""

    def __init__(self, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.deviation


def measurements() -> tuple[pd.DataFrame, np.ndarray]:
    """Rows with units (lengths in pixels of the image), and the diagnosis as text."""
    bunch = load_breast_cancer(as_frame=True)
    X = bunch.data
    X.attrs["units"] = {
        name: "px²" if "area" in name else "px"
        for name in X.columns
        if any(word in name for word in ("radius", "perimeter", "area"))
    }
    return X, bunch.target_names[bunch.target]


def train(X: pd.DataFrame, y: np.ndarray) -> nn.Module:
    """A network of two hidden layers, trained for a second or two."""
    torch.manual_seed(0)
    x = torch.tensor(X.to_numpy(), dtype=torch.float32)
    target = torch.tensor((y == "malignant").astype(np.int64))
    network = Network(
        Standardise(x.mean(0), x.std(0)),
        nn.Linear(30, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, 2),
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    for _ in range(300):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), target).backward()
        optimiser.step()
    return network


def main(n_jobs: int = 2) -> None:
    X, y = measurements()
    order = np.random.default_rng(0).permutation(len(X))
    known, fresh = order[:200], order[200:]
    network = train(X.iloc[known], y[known])
    found = limbeck.tournament(
        network,
        X.iloc[fresh],
        y[fresh],
        classes=["benign", "malignant"],
        seconds=300,  # a limit: two processors need a tenth of it
        epsilon=0.1,
        holdout=0.4,
        n_jobs=n_jobs,
    )
    console = Console()
    console.print(found)
    console.print()
    console.print(found.best().student.text(), highlight=False, markup=False)
    front, page = Path("front.svg"), found.report("report.html")
    front.write_text(found.svg(), encoding="utf-8")
    console.print(
        f"\nThe front as a picture: {front.resolve().as_uri()}\n"
        f"All students on a page: {page.resolve().as_uri()}",
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()

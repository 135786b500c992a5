"""Adaptive wavelets for images: a small convolutional network that reads handwritten digits.

The network reads 28 x 28 pixels; the student is a logistic regression on the coefficients of a
separable wavelet transform. Wavelets are learnt from the network, and stand beside fixed db3, the
control (labels and no teacher), and a linear model of the pixels.

    python reproductions/digits.py --quick       # 1,000 digits, few starts
    python reproductions/digits.py --out docs    # 6,000 digits; the page in build/
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from wavelet_figures import draw

import limbeck

HERE = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("LIMBECK_DATA") or HERE.parent / "shared" / "data")
TRAIN = 20_000  # digits that the network learns from; the student learns from others


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 25, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def load() -> dict[str, np.ndarray]:
    file = DATA / "images" / "mnist.npz"
    if not file.is_file():
        sys.exit(f"No data: {file} is not there. Set LIMBECK_DATA to the folder with images/.")
    data = np.load(file)
    pixels = {k: (data[k][:, None] / 255).astype(np.float32) for k in ("x_train", "x_test")}
    return {**pixels, "y_train": data["y_train"].astype(int), "y_test": data["y_test"].astype(int)}


def trained(X: np.ndarray, y: np.ndarray, epochs: int = 4) -> nn.Sequential:
    """The network from build/, trained and put there the first time."""
    kept, net = HERE / "build" / f"digits_{len(X)}.safetensors", network()
    if not kept.is_file():
        torch.manual_seed(0)
        net = network()
        optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3)
        images, labels = torch.from_numpy(X), torch.from_numpy(y)
        for _ in range(epochs):
            for rows in torch.randperm(len(X)).split(64):
                optimiser.zero_grad()
                nn.functional.cross_entropy(net(images[rows]), labels[rows]).backward()
                optimiser.step()
        kept.parent.mkdir(exist_ok=True)
        save_file(net.state_dict(), kept)
    net.load_state_dict(load_file(kept))
    return net.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1,000 digits, few starts")
    parser.add_argument("--rows", type=int, default=6000, help="digits that the student sees")
    parser.add_argument("--out", type=Path, help="a folder for the pictures")
    args = parser.parse_args()
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    data = load()
    net = trained(data["x_train"][:TRAIN], data["y_train"][:TRAIN])
    n, tests = (1000, 1000) if args.quick else (args.rows, len(data["x_test"]))
    fresh = slice(TRAIN, TRAIN + n)
    started = time.perf_counter()
    result = limbeck.distill(
        net, data["x_train"][fresh], data["y_train"][fresh], into="wavelet",
        holdout=(data["x_test"][:tests], data["y_test"][:tests]), wavelet="db3", levels=2,
        **({"starts": 8} if args.quick else {}),
    )  # fmt: skip
    took = time.perf_counter() - started
    print(f"{n} digits to learn from, {tests} to test on, {took:.0f} s\n")
    print("| model | size | agrees with the network | right |")
    print("|---" * 4 + "|")
    for e in result.comparison.entries:
        name = {"control": "control: no teacher", "student": "adaptive wavelets"}.get(e.role)
        print(f"| {name or e.model} | {e.size} | {e.agreement} | {e.accuracy} |")
    print(f"\n{result.student.text()}\n\n{result}")
    result.report(HERE / "build" / "digits.html")
    if args.out is not None:
        draw(result, "kept", args.out / "digits_kept.svg", columns=3)
        draw(result, "importance", args.out / "digits_importance.svg", columns=7)


if __name__ == "__main__":
    main()

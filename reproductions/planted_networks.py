"""Networks that have learnt random trees, the seeds of a kind trained side by side.

A random full tree of depth r over d inputs of +-1 is learnt by a ReLU ResNet of width 256, as in
pac_trees.py, from fresh rows and until it is right as often as wanted. Networks of the same d and
r are stacked and trained in one loop, which is what keeps a GPU busy; each has a generator of its
own, so that it does not matter beside which others it was trained. Another device draws other rows
and rounds otherwise: the networks of a GPU are not those of a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pac_trees import ResNet, random_tree
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import relu, softplus

STOPS = {"right": 0.9995, "97%": 0.97}
WIDTH, STEPS, TEST = 256, 20_000, 5_000


def tree_of(d: int, r: int, seed: int) -> Any:
    """The tree that the network of this seed learns."""
    return random_tree(d, r, np.random.default_rng([seed, r, d]))


def path_of(folder: Path, d: int, r: int, seed: int, stop: str) -> Path:
    """Where the weights of a network are kept."""
    return folder / f"d{d}_r{r}_s{seed}_{stop}.safetensors"


def read(folder: Path, d: int, r: int, seed: int, stop: str) -> ResNet:
    """A network that was trained before."""
    net = ResNet(d, WIDTH)
    net.load_state_dict(load_file(path_of(folder, d, r, seed, stop)))
    return net.eval()


def heap(tree: Any, r: int) -> tuple[list[int], list[int]]:
    """Variables and leaves of a full tree, level by level."""
    variables, level = [], [tree]
    for _ in range(r):
        variables += [node.variable for node in level]
        level = [child for node in level for child in (node.low, node.high)]
    return variables, level


def labels(X: Tensor, variables: Tensor, leaves: Tensor) -> Tensor:
    """What the trees say: X (e, n, d), variables (e, 2^r - 1), leaves (e, 2^r) -> (e, n)."""
    at = torch.zeros(X.shape[:2], dtype=torch.int64, device=X.device)
    for _ in range(leaves.shape[1].bit_length() - 1):
        up = X.gather(2, variables.gather(1, at)[..., None])[..., 0] > 0
        at = 2 * at + 1 + up
    return leaves.gather(1, at - variables.shape[1])


def scores(P: dict[str, Tensor], X: Tensor) -> Tensor:
    """`ResNet.forward` for stacked weights: X (e, n, d) -> (e, n)."""
    scale = WIDTH**0.5
    first = torch.baddbmm(P["first.bias"][:, None], X, P["first.weight"].mT)
    h = relu(scale * first)
    for i in range(3):
        bias, weight = P[f"blocks.{i}.linear.bias"], P[f"blocks.{i}.linear.weight"]
        h = h + relu(torch.baddbmm(scale * bias[:, None], h, weight.mT))
    return torch.baddbmm(P["last.bias"][:, None], h, P["last.weight"].mT)[..., 0] / scale


def train(folder: Path, d: int, r: int, seeds: Sequence[int], device: str = "cpu") -> int:
    """Train the networks of these seeds, and keep them at every stop; the steps it took."""
    seeds = [s for s in seeds if not all(path_of(folder, d, r, s, k).exists() for k in STOPS)]
    if not seeds:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    heaps = [heap(tree_of(d, r, seed), r) for seed in seeds]
    variables = torch.tensor([v for v, _ in heaps], device=device)
    leaves = torch.tensor([v for _, v in heaps], device=device, dtype=torch.float32)
    nets, generators = [], []
    for seed in seeds:
        torch.manual_seed(seed)
        nets.append(ResNet(d, WIDTH).state_dict())
        generators.append(torch.Generator(device).manual_seed(seed + 1))
    P = {k: torch.stack([net[k] for net in nets]).to(device).requires_grad_() for k in nets[0]}
    optimiser = torch.optim.AdamW(P.values(), lr=1e-3)

    def fresh(n: int) -> tuple[Tensor, Tensor]:
        drawn = [torch.randint(0, 2, (n, d), generator=g, device=device) for g in generators]
        X = torch.stack(drawn).float() * 2 - 1
        return X, labels(X, variables, leaves)

    test, wanted = fresh(TEST)
    missing = [dict(STOPS) for _ in seeds]
    every = 25
    for step in range(1, STEPS + 1):
        X, y = fresh(25 * 2**r)
        optimiser.zero_grad()
        softplus(-scores(P, X) * y).mean(dim=1).sum().backward()
        optimiser.step()
        if step % every:
            continue
        with torch.no_grad():
            right = (scores(P, test).sign() == wanted).float().mean(dim=1).tolist()
        for i, seed in enumerate(seeds):
            for kind in [k for k, v in missing[i].items() if right[i] >= v]:
                weights = {k: v[i].detach().cpu().contiguous() for k, v in P.items()}
                save_file(weights, path_of(folder, d, r, seed, kind))
                del missing[i][kind]
        if not any(missing):
            return step
        rising = any(right[i] >= 0.8 and "97%" in left for i, left in enumerate(missing))
        every = 5 if rising else 25  # few steps lead from 0.8 to 1
    return STEPS

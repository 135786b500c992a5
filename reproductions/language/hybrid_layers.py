"""Which layers keep attention, and in how many steps: a character Llama of six layers.

The Llama (width 64, 4 heads) is trained first, 300 updates of 16 x 64 characters, half a minute of
one core; it is kept in ``--out``.

    python reproductions/language/hybrid_layers.py --plan --seeds 2
    python reproductions/language/hybrid_layers.py --plan                  # five seeds, a minute
    python reproductions/language/hybrid_layers.py --stepwise              # five seeds, two minutes

``--plan`` lets `convert_plan` choose the three layers that keep attention, and compares them with
three evenly spread ones (arXiv 2512.20569). ``--stepwise`` converts all layers but one at once, and
by way of half of the layers, with as many updates of all weights altogether (arXiv 2408.15237).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import characters
from mamba_in_the_llama import interval

from limbeck.networks import Hybrid, convert_plan
from limbeck.networks.conversion.judge import score_texts
from limbeck.networks.conversion.opening import OpenedModel, open_model
from limbeck.networks.conversion.pipeline import StageBudget, converted
from limbeck.networks.conversion.stage_training import StageSettings
from limbeck.networks.conversion.texts import TokenTexts

OUT = characters.ROOT / "build" / "reproductions" / "language" / "hybrid_layers"
LENGTH, UPDATES = 64, 60


def plan(folder: Path, keep: int, seeds: int, logits: int) -> None:
    """The layers that `convert_plan` takes, on 200 texts of 200 characters."""
    text = characters.shakespeare()[0]
    texts = [text[i : i + 200] for i in range(0, 40_000, 200)]
    steps = {"mixers": 30, "logits": logits} if logits else 30
    found = convert_plan(
        f"hf:{folder}", texts, keep, seeds=seeds, steps=steps, length=LENGTH, device="cpu",
        progress=False,
    )  # fmt: skip
    print(found)
    print(f"\nchosen {found.keep}, evenly spread {found.even}")


def arms() -> dict[str, tuple[Hybrid, int]]:
    """The ways to one layer with attention, and the updates of each of their steps."""
    return {
        "at once": (Hybrid([3]), UPDATES),
        "by way of half of the layers": (Hybrid([3], stepwise=(0.5,)), UPDATES // 2),
    }


def stepped(
    opened: OpenedModel, hybrid: Hybrid, updates: int, seed: int, texts: TokenTexts
) -> dict[str, float]:
    """KL and overlap after the conversion with one seed."""
    ids = characters.encoded(characters.shakespeare()[0])
    tokens = characters.windows(ids, 400, LENGTH, seed)
    settings = StageSettings(batch_size=8, lr=1e-3, seed=seed)
    steps = {"mixers": updates // 3, "logits": updates}
    model, _ = converted(
        opened.model, hybrid, hybrid.steps(opened.layers), tokens,
        StageBudget.of(list(steps), steps, settings),
    )  # fmt: skip
    scores = score_texts(opened.model, model, texts, LENGTH)
    return {name: scores.per_token(name) for name in ("divergence", "overlap")}


def stepwise(folder: Path, seeds: int) -> None:
    """Both ways with each seed, and their difference by seed."""
    opened = open_model(f"hf:{folder}", device="cpu")
    valid = characters.encoded(characters.shakespeare()[1])[: 60 * LENGTH].view(60, LENGTH)
    texts = TokenTexts([str(i) for i in range(len(valid))], list(valid))
    found: dict[str, list[dict[str, float]]] = {name: [] for name in arms()}
    for seed in range(seeds):
        for name, (hybrid, updates) in arms().items():
            found[name].append(stepped(opened, hybrid, updates, seed, texts))
            kl = found[name][-1]["divergence"]
            print(f"  {kl:.4f} {name}, seed {seed}", file=sys.stderr, flush=True)
    kls = {name: [r["divergence"] for r in rows] for name, rows in found.items()}
    print("| way | KL, mean | from | to | overlap |\n|---|---|---|---|---|")
    for name, rows in found.items():
        overlap = interval([r["overlap"] for r in rows])
        low, high = min(kls[name]), max(kls[name])
        print(f"| {name} | {np.mean(kls[name]):.4f} | {low:.4f} | {high:.4f} | {overlap} |")
    once, half = kls.values()
    gaps: list[Any] = [b - a for a, b in zip(once, half, strict=True)]
    print(f"\nKL by way of half of the layers less that at once: {interval(gaps)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", action="store_true", help="which layers keep attention")
    parser.add_argument("--stepwise", action="store_true", help="at once or by way of half")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", type=int, default=3, help="layers of the plan")
    parser.add_argument("--trial", type=int, default=0, help="updates of each trial of the plan")
    parser.add_argument("--out", type=Path, default=OUT, help="where the trained Llama lies")
    given = parser.parse_args()
    if not given.plan and not given.stepwise:
        parser.error("give --plan or --stepwise")
    given.out.mkdir(parents=True, exist_ok=True)
    folder = characters.teacher(
        given.out / "character6", steps=300, rows=16, length=LENGTH, layers=6, width=64, heads=4
    )
    began = time.process_time()
    if given.plan:
        plan(folder, given.keep, given.seeds, given.trial)
    if given.stepwise:
        stepwise(folder, given.seeds)
    seconds, load = time.process_time() - began, os.getloadavg()[0]
    print(f"\n{seconds:.0f} processor seconds, load {load:.0f}")


if __name__ == "__main__":
    main()

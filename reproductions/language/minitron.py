"""A language model cut to three quarters and half of its size, and healed: all ways to that size.

After Minitron (Muralidharan et al. 2024): channels and layers are cut by activations, and what is
left learns the teacher's next-token distributions. Beside it, with the same texts and updates: the
same cut healed by cross-entropy, a random cut, the same shapes from scratch, and the model without
its last layers (arXiv 2411.15558).

    python reproductions/language/minitron.py                           # small: one seed, half size
    python reproductions/language/minitron.py --full                    # both sizes, five seeds
    python reproductions/language/minitron.py --model hf:smollm2 --texts 64 --epochs 1

The model is the character teacher of `characters.py`, or a folder of transformers. A run that was
cut off goes on in build/reproductions/language/minitron.
"""

from __future__ import annotations

import argparse
import time

from characters import ROOT, shakespeare, teacher

import limbeck
from limbeck.core.atomic_io import write_bytes
from limbeck.language import TokenKD
from limbeck.networks import Pruned

OUT = ROOT / "build" / "reproductions" / "language" / "minitron"
LENGTH = 200


def pieces(n: int, length: int = LENGTH) -> tuple[list[str], list[str]]:
    """Stretches of plays that train, and of plays that no model saw."""
    train, test = shakespeare()
    step = len(train) // n
    others = len(test) // (n // 4)
    return (
        [train[i * step : i * step + length] for i in range(n)],
        [test[i * others : i * others + length] for i in range(n // 4)],
    )


def main() -> None:
    """Distil, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--model", help="hf:folder; by default the character teacher")
    parser.add_argument("--sizes", type=float, nargs="+")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--texts", type=int)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--tokens", type=int, default=64)
    given = parser.parse_args()
    sizes = given.sizes or ([0.75, 0.5] if given.full else [0.5])
    seeds = given.seeds or (5 if given.full else 1)
    train, test = pieces(given.texts or (640 if given.full else 320))
    model = given.model or f"hf:{teacher()}"
    for size in sizes:
        began = time.process_time()
        name = f"{model.rpartition('/')[2].removeprefix('hf:')}-{size:g}-{seeds}-{len(train)}"
        result = limbeck.distill(
            model, train, into=Pruned(size=size), objective=TokenKD(), holdout=(test, None),
            max_new_tokens=given.tokens, epochs=given.epochs, lr=given.lr, seeds=seeds,
            out=OUT / name,
        )  # fmt: skip
        told = f"size {size:g}, {time.process_time() - began:.0f} processor seconds\n{result}\n"
        write_bytes(told.encode(), OUT / f"{name}.txt")
        print(told)


if __name__ == "__main__":
    main()

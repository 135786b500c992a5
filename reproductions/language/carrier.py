"""What must be kept of a teacher's next-token distributions for a student to learn from them.

The character teacher (characters.py) is recorded once for each way to keep less, and a student of
one layer and width 48 is trained from disk, from nothing, on the same 180 batches of 20 x 64
characters. Beside it stand everything, and nothing: cross-entropy on the same texts. On SmolLM2
each way is measured by its bytes and its distance from the full distribution.

    python reproductions/language/carrier.py                  # one seed of the character model
    python reproductions/language/carrier.py --seeds 5        # the table; resumes
    python reproductions/language/carrier.py --smol hf:FOLDER --tokens 512    # of SmolLM2
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from characters import DATA, ROOT, encoded, llama, shakespeare, teacher, windows
from scipy.stats import t as student_t

import limbeck
from limbeck.language import RecordedLogits, SequenceKD, TeacherLogits, TokenKD, TopTokens
from limbeck.language.carriers.named import carrier_of
from limbeck.language.models import read_model

FOLDER = ROOT / "build" / "reproductions" / "language" / "carrier"
STEPS, ROWS, LENGTH, RATE = 180, 20, 64, 3e-3
ARMS = [
    "nothing: CE on the text", "full", "sampled:4", "sampled:8", "sampled:50", "top:8 bucket",
    "top:8 renormalised", "top:8 even_tail", "top:3 bucket", "top:3 renormalised",
    "top:3 truncated", "top:3 even_tail", "top:1 renormalised",
]  # fmt: skip
COLUMNS = ("KL", "CE", "accuracy", "ECE", "over")
SMOL = [
    "full", "hidden", "hidden:int8", "top:1", "top:10", "top:20", "top:32", "top:50", "top:128",
    "sampled:12", "sampled:25", "sampled:50", "sampled:100",
]  # fmt: skip


def recorded(model: Any, seed: int, keep: str, steps: int) -> RecordedLogits:
    """The teacher on the batches of a seed, from disk."""
    ids = windows(encoded(shakespeare()[0]), steps * ROWS, LENGTH, seed + 1)
    texts = ["".join(model.tokenizer.convert_ids_to_tokens(row.tolist())) for row in ids]
    folder = FOLDER / f"{keep.replace(':', '-')}-{seed}-{steps}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    return limbeck.language.record(model, texts, folder, keep=keep, batch_size=64, seed=seed)


def text(logits: RecordedLogits, row: int) -> list[int]:
    """All tokens of a recorded text."""
    prompt, completion = logits.tokens(row)
    return [*prompt, *completion]


def trained(model: Any, arm: str, seed: int, steps: int) -> Any:
    """A student of one arm."""
    keep, _, rest = arm.partition(" ")
    none = arm.startswith("nothing")
    logits = recorded(model, seed, "top:8" if none else keep, steps)
    torch.manual_seed(seed)
    student = llama(1, 48).train()
    optimizer = torch.optim.AdamW(student.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    for step in range(steps):
        rows = range(step * ROWS, (step + 1) * ROWS)
        ids = torch.tensor([text(logits, row) for row in rows])
        found = student(input_ids=ids).logits[:, :-1]
        if none:
            loss = SequenceKD().loss(found, ids[:, 1:]).mean
        else:
            signal = logits.signal(rows, LENGTH - 1, rest=rest or "bucket")
            loss = TokenKD().loss(found, signal, logits.counts(rows, LENGTH - 1)).mean
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return student.eval()


@torch.no_grad()
def judged(student: Any, model: Any, rows: int = 400) -> dict[str, float]:
    """Distance from the teacher and from held-out text, accuracy and calibration."""
    ids = windows(encoded(shakespeare()[1]), rows, LENGTH, 0)
    log_q = F.log_softmax(student(input_ids=ids).logits[:, :-1], -1).flatten(0, 1)
    teacher_logits = model.module(input_ids=ids).logits[:, :-1].flatten(0, 1)
    labels = ids[:, 1:].flatten()
    sure, guess = log_q.exp().max(-1)
    right = (guess == labels).double()
    bins = (sure * 10).long().clamp_max(9)
    gaps = [(sure[bins == b] - right[bins == b]).sum().abs() for b in range(10)]
    return {
        "KL": float(TokenKD().values(log_q, TeacherLogits(teacher_logits)).mean()),
        "CE": float(F.nll_loss(log_q, labels)),
        "accuracy": 100 * float(right.mean()),
        "ECE": 100 * float(torch.stack(gaps).sum()) / len(labels),
        "over": 100 * float(sure.double().mean() - right.mean()),
    }


def characters(seeds: int, steps: int) -> None:
    """The table of arms, each run kept as a line of a file."""
    model = read_model(f"hf:{teacher()}", "teacher")
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"runs-{steps}.jsonl"
    runs = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(run["arm"], run["seed"]) for run in runs}
    for seed in range(seeds):
        for arm in ARMS:
            if (arm, seed) in done:
                continue
            before = time.process_time()
            found = judged(trained(model, arm, seed, steps), model)
            spent = time.process_time() - before
            runs.append({"arm": arm, "seed": seed, "seconds": spent, **found})
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(runs[-1], allow_nan=False) + "\n")
            print(f"  seed {seed} {arm}: KL {found['KL']:.3f}", file=sys.stderr, flush=True)
    print(f"students of {steps} updates, {seeds} seeds; 95% intervals over seeds")
    print("| kept | bytes a token | share of the gain | " + " | ".join(COLUMNS) + " |")
    print("|---" * (3 + len(COLUMNS)) + "|")
    by_arm = {a: [r for r in runs if r["arm"] == a and r["seed"] < seeds] for a in ARMS}
    for arm in ARMS:
        size = "-"
        if not arm.startswith("nothing"):
            size = f"{recorded(model, 0, arm.partition(' ')[0], steps).bytes_per_token:.1f}"
        gains = [gain(by_arm, arm, seed) for seed in range(seeds)]
        cells = [interval([r[c] for r in by_arm[arm]], 3 if c in "KLCE" else 1) for c in COLUMNS]
        print(f"| {arm} | {size} | {interval(gains, 0, '%')} | " + " | ".join(cells) + " |")


def gain(by_arm: dict[str, list[dict[str, Any]]], arm: str, seed: int) -> float:
    """How much of the full distribution's gain over none is left, in percent of one seed."""
    none, full, mine = (
        next(r["KL"] for r in by_arm[a] if r["seed"] == seed) for a in (ARMS[0], ARMS[1], arm)
    )
    return 100 * (none - mine) / (none - full)


def interval(values: list[float], digits: int, unit: str = "") -> str:
    """Mean over seeds, and half the width of its 95% interval."""
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return f"{mean:.{digits}f}{unit}"
    half = student_t.ppf(0.975, n - 1) * np.std(values, ddof=1) / n**0.5
    return f"{mean:.{digits}f}{unit} ± {half:.{digits}f}"


def smol(folder: str, tokens: int) -> None:
    """What each way costs and loses on SmolLM2, over WikiText-2."""
    model = read_model(folder, "teacher")
    with gzip.open(DATA / "text" / "wikitext2_valid.txt.gz", "rt", encoding="utf-8") as file:
        text = file.read()
    texts = list(pieces(text, model.tokenizer, tokens))
    print(f"SmolLM2 on {len(texts)} pieces of WikiText-2, {tokens} tokens in all")
    print("| kept | bytes a token | kept mass | total variation | KL(p \\|\\| restored) |")
    print("|---|---|---|---|---|")
    for keep in SMOL:
        place = FOLDER / f"smol-{keep.replace(':', '-')}"
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        found = limbeck.language.record(model, texts, place, keep=keep, max_new_tokens=256)
        mass, distance, divergence = measured(model, found, keep)
        print(f"| {keep} | {found.bytes_per_token:,.1f} | {mass} | {distance:.4f} | {divergence} |")


def pieces(text: str, tokenizer: Any, tokens: int, length: int = 257) -> Iterator[str]:
    """Stretches of a text, evenly spread, that have this many tokens in all."""
    count = max(1, tokens // (length - 1))
    for i in range(count):
        start = i * len(text) // count
        ids = tokenizer(text[start : start + 10 * length])["input_ids"][:length]
        yield tokenizer.decode(ids)


@torch.no_grad()
def measured(model: Any, found: RecordedLogits, keep: str) -> tuple[str, float, str]:
    """Kept mass, total variation and divergence from the full distributions, over all tokens."""
    carrier, mass, distances, divergences = carrier_of(keep), [], [], []
    for row in range(len(found)):
        ids = torch.tensor([text(found, row)])
        exact = model.module(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
        signal = found.signal([row], len(exact))
        restored = carrier.probabilities(signal)
        distances.append((restored - exact.exp()).abs().sum(-1) / 2)
        terms = exact.exp() * (exact - restored.log())
        divergences.append(torch.where(exact.exp() > 0, terms, 0.0).sum(-1))
        if isinstance(signal, TopTokens):
            mass.append(1 - signal.log_rest.exp())
    kept = f"{torch.cat(mass).mean():.3f}" if mass else "1" if "s" not in keep[:1] else "unbiased"
    value = float(torch.cat(divergences).mean())
    shown = "unbiased" if keep.startswith("sampled") else f"{max(value, 0.0):.4f}"
    return kept, float(torch.cat(distances).mean()), shown


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--smol", metavar="FOLDER")
    parser.add_argument("--tokens", type=int, default=1024)
    given = parser.parse_args()
    if given.smol:
        smol(given.smol, given.tokens)
    else:
        characters(given.seeds, given.steps)

"""Whose text, and which divergence? Objectives on a character model, with seeds and intervals.

The teacher is the character model of `characters.py` (410 thousand weights), the student has one
layer of width 48 (29 thousand) and a warm start by cross-entropy. From there every arm makes the
same number of updates on the same prompts; controls take cross-entropy, on the real text and on the
teacher's. All are judged on prompts of plays that no model saw, and each arm less the control.

    python reproductions/language/on_policy.py           # small: 1 seed, 20 updates
    python reproductions/language/on_policy.py --full    # 5 seeds, 100 updates

Each (seed, arm) is kept in build/reproductions/language/on_policy*, and a run that was cut off goes
on there.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from characters import ROOT, llama, shakespeare, teacher, tokenizer

from limbeck.core.atomic_io import write_bytes
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.language import MiniLLM, OnPolicy, PolicyGradient, SequenceKD, TokenKD
from limbeck.language.generation import TokenSampling, generate
from limbeck.language.judge import TextJudge
from limbeck.language.models import LanguageModel, read_model
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import Prompts, encode
from limbeck.language.train_texts import TextTraining
from limbeck.networks.training.settings import Training

PROMPT, NEW, VOCABULARY, GRAMS = 24, 32, 65, 6
ARMS: dict[str, tuple[Any, bool]] = {  # the objective, and whether its texts are the teacher's
    "control: CE, real text": (SequenceKD(), False),
    "control: CE, teacher's texts": (SequenceKD(), True),
    "forward KL, real text": (TokenKD(), False),
    "reverse KL, real text": (TokenKD("reverse_kl"), False),
    "JSD .5, real text": (TokenKD("jsd"), False),
    "forward KL, own texts": (OnPolicy("forward_kl", share=1.0), False),
    "reverse KL, own texts": (OnPolicy("reverse_kl", share=1.0), False),
    "JSD .5, own texts": (OnPolicy("jsd", share=1.0), False),
    "JSD .5, half own texts": (OnPolicy("jsd", share=0.5), False),
    "policy gradient": (PolicyGradient(), False),
    "MiniLLM": (MiniLLM(), False),
}
NAMES = {
    "log_p": "log p",
    "reverse_kl": "rKL own",
    "forward_kl": "fKL teacher's",
    "cross_entropy": "CE real",
    "own_overlap": "overlap own",
    "teacher_overlap": "overlap teacher's",
    "real_overlap": "overlap real",
    "entropy": "entropy",
}


@dataclass(frozen=True)
class Size:
    """How much is done."""

    seeds: int
    updates: int
    warm: int
    judged: int
    name: str


SMALL, FULL = Size(1, 20, 40, 40, "small"), Size(5, 100, 250, 200, "full")


def prompts(model: LanguageModel, text: str, n: int, seed: int) -> Prompts:
    """So many stretches of text at random, each parted into a prompt and what follows it."""
    draw = np.random.default_rng(seed)
    starts = draw.choice(len(text) - PROMPT - NEW, n, replace=False)
    rows = read_rows([text[s : s + PROMPT + NEW] for s in starts])
    return encode(rows, model, NEW, prompt_tokens=PROMPT)


def warm_start(size: Size, seed: int, big: LanguageModel) -> LanguageModel:
    """The student after a little cross-entropy on whole stretches of text."""
    torch.manual_seed(seed)
    start = LanguageModel(llama(1, 48, 4), tokenizer(), "student")
    texts = prompts(start, shakespeare()[0], 20 * size.warm, 1_000 + seed)
    training = Training(max_steps=size.warm, batch_size=20, lr=3e-3, max_grad_norm=1.0)
    made = method(big, start, SequenceKD(), training).control(texts, seed, None, quiet)
    return replace(made.model, name="start")


def method(big: LanguageModel, start: LanguageModel, objective: Any, training: Training) -> Any:
    """The training of one arm."""
    task = Task.of("language", VOCABULARY)
    return TextTraining(big, start, objective, task, training, TokenSampling(NEW, batch_size=20))


def judged(judge: TextJudge, model: LanguageModel, seconds: float) -> dict[str, Any]:
    """The scores of each prompt, and what cannot be given for each."""
    found = judge.judged(model)
    return {
        "scores": {name: found.scores()[name].tolist() for name in NAMES},
        "distinct": found.distinct(GRAMS),
        "cpu_seconds": seconds,
    }


def run(size: Size, folder: Path) -> None:
    """Whatever is not in the folder yet."""
    big = read_model(f"hf:{teacher()}", "teacher")
    held_out = prompts(big, shakespeare()[1], size.judged, 7)
    judge = TextJudge(big, held_out, TokenSampling(NEW, batch_size=50), 11, {})
    training = Training(max_steps=size.updates, batch_size=20, lr=1e-3, max_grad_norm=1.0)
    for seed in range(size.seeds):
        wanted = ["start", *ARMS] if seed else ["teacher", "start", *ARMS]
        todo = [a for a in wanted if not place(folder, seed, a).is_file()]
        if not todo:
            continue
        start = warm_start(size, seed, big)
        texts = prompts(start, shakespeare()[0], 20 * size.updates, 2_000 + seed)
        for arm in todo:
            began, model = time.process_time(), {"teacher": big, "start": start}.get(arm)
            if model is None:
                objective, theirs = ARMS[arm]
                given = texts
                if theirs:
                    written = generate(big, texts.ids, TokenSampling(NEW, batch_size=50), seed=seed)
                    given = texts.followed_by(written)
                one = method(big, start, objective, training)
                model = one.student(given, seed, None, quiet).model
            seconds = time.process_time() - began
            record = {"seed": seed, "arm": arm, **judged(judge, model, seconds)}
            write_bytes(json.dumps(record, allow_nan=False).encode(), place(folder, seed, arm))
            print(f"seed {seed}  {arm:30} {seconds:6.1f} CPU-s", flush=True)


def place(folder: Path, seed: int, arm: str) -> Path:
    """The file of one arm."""
    name = "".join(c if c.isalnum() else "-" for c in arm)
    return folder / f"{seed}-{name}.json"


def table(size: Size, folder: Path) -> str:
    """Means over seeds and prompts, and each arm less the control on real text, in Markdown."""
    arms = ["teacher", "start", *ARMS]
    rows = {a: [json.loads(place(folder, s, a).read_text()) for s in range(size.seeds)
                if place(folder, s, a).is_file()] for a in arms}  # fmt: skip
    control = {n: scores(rows["control: CE, real text"], n) for n in NAMES}
    heads = ["arm", *NAMES.values(), f"distinct {GRAMS}-grams", "CPU-s"]
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    for arm, found in rows.items():
        cells = []
        for name in NAMES:
            own = scores(found, name)
            text = f"{mean_over(own, 0.05).value:.3f}"
            if arm not in ("teacher", "start", "control: CE, real text"):
                gain = gain_over("", own, control[name], 0.05)
                star = "" if gain.low <= 0 <= gain.high else "*"
                text += f"{star} [{gain.low:+.3f}, {gain.high:+.3f}]"
            cells.append(text)
        cells.append(f"{np.mean([r['distinct'] for r in found]):.3f}")
        cells.append(f"{np.mean([r['cpu_seconds'] for r in found]):.1f}")
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def scores(found: list[dict[str, Any]], name: str) -> np.ndarray[Any, Any]:
    """Scores (seeds, prompts)."""
    return np.array([r["scores"][name] for r in found], dtype=np.float64)


def main() -> None:
    """Run what is lacking, then print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    size = FULL if parser.parse_args().full else SMALL
    folder = ROOT / "build" / "reproductions" / "language" / f"on_policy-{size.name}"
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    run(size, folder)
    found = table(size, folder)
    write_bytes(f"{found}\n".encode(), folder / "table.md")
    print(
        f"\n{size.seeds} seeds, {size.updates} updates, {size.judged} prompts; in brackets the 95%"
        " interval of the arm less the control on real text, starred where it leaves out 0"
        f"\n\n{found}"
    )


if __name__ == "__main__":
    main()

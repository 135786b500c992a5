"""Mamba in the Llama (arXiv 2408.15237) on small models: does the start from attention matter?

Attention of the character Llama (`characters.py`) is replaced in one of its two layers, or in
both, by gated recurrences that start in several ways, and each is trained for as many steps:
against the teacher, or as the control on the text alone. Then a few layers of SmolLM2.

    python reproductions/language/mamba_in_the_llama.py --seeds 1              # minutes
    python reproductions/language/mamba_in_the_llama.py                        # five seeds
    python reproductions/language/mamba_in_the_llama.py --arms 0 2 7           # three rows of it
    python reproductions/language/mamba_in_the_llama.py --smollm2 FOLDER       # three of its layers
    python reproductions/language/mamba_in_the_llama.py --full --minutes 4 --smollm2 FOLDER   # GPU

Every arm and seed is a file in ``--out``; a run that was cut off goes on. ``--full`` converts half
of the layers of SmolLM2, and all of them, for as many steps as fit into ``--minutes``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student_t

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import characters
import wiki

from limbeck.core.strict_json import parse_json, write_json
from limbeck.networks.conversion.hybrid import Hybrid, evenly_spread
from limbeck.networks.conversion.judge import score_texts
from limbeck.networks.conversion.opening import OpenedModel, open_model
from limbeck.networks.conversion.pipeline import StageBudget, converted, untrained
from limbeck.networks.conversion.recall import Haystack, recall, word_tokens
from limbeck.networks.conversion.stage_training import StageSettings
from limbeck.networks.conversion.texts import TokenTexts

ROOT = characters.ROOT
OUT = ROOT / "build" / "reproductions" / "language" / "mamba_in_the_llama"
P1 = {"rotary": False}  # positions are left out, as in the paper


@dataclass(frozen=True)
class Arm:
    """A way to start and to train."""

    name: str
    hybrid: dict[str, Any]
    steps: dict[str, int]
    control: bool = False
    kept: tuple[int, ...] = (1,)
    extra: dict[str, Any] = field(default_factory=dict)


def arms(steps: int) -> list[Arm]:
    """The arms on the character Llama."""
    half = {"mixers": steps // 2, "logits": steps - steps // 2}
    kl, all_layers = {"logits": steps}, {"kept": ()}
    loose = {"calibrate": False, "options": P1}
    return [
        Arm("neutral, calibrated, positions kept", {}, kl),
        Arm("the same, half of the steps on mixers", {}, half),
        Arm("the same, control: text alone", {}, kl, control=True),
        Arm("neutral, calibrated, no positions", {"options": P1}, kl),
        Arm("neutral, neither (P1)", loose, kl),
        Arm("P1, control: text alone", loose, kl, control=True),
        Arm("as published, attention's weights", {"start": "published"}, kl),
        Arm("neutral layer, random weights", {"start": "random"}, kl),
        Arm("linear attention, window 16", {"mixer": "linear_attention",
                                            "options": {"window": 16}}, half),
        Arm("gated delta rule", {"mixer": "gated_delta"}, half),
        Arm("all layers: neutral, calibrated", {}, half, **all_layers),
        Arm("all layers: the same, control", {}, half, control=True, **all_layers),
        Arm("all layers: neutral, neither (P1)", loose, half, **all_layers),
        Arm("all layers: random weights", {"start": "random"}, kl, **all_layers),
    ]  # fmt: skip


def measured(teacher: Any, model: Any, texts: TokenTexts, length: int) -> dict[str, float]:
    scores = score_texts(teacher, model, texts, length)
    return {n: scores.per_token(n) for n in ("divergence", "same", "overlap", "cross_entropy")}


def one(
    opened: OpenedModel, arm: Arm, seed: int, tokens: torch.Tensor, test: TokenTexts,
    settings: StageSettings, remembered: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """An arm with a seed: scores at the start and after training, and what it recalls then."""
    hybrid = Hybrid(keep=list(arm.kept) or 0.0, **arm.hybrid)
    length = tokens.shape[1]
    start = untrained(opened.model, hybrid, arm.kept, seed, tokens)
    began = time.process_time()
    budget = StageBudget.of(list(arm.steps), arm.steps, settings)
    model, history = converted(
        opened.model, hybrid, [arm.kept], tokens, budget, control=arm.control
    )
    return {
        "arm": arm.name, "seed": seed, "start": measured(opened.model, start, test, length),
        "end": measured(opened.model, model, test, length), "history": history,
        "cpu_seconds": round(time.process_time() - began, 1), "load": os.getloadavg()[0],
        "kept": list(arm.kept), "steps": arm.steps,
        "recall": {} if remembered is None else {
            "start": remembered(start), "end": remembered(model)
        },
    }  # fmt: skip


def cached(path: Path, make: Any) -> dict[str, Any]:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(make(), path)
    found: dict[str, Any] = parse_json(path.read_bytes())
    return found


def interval(values: list[float]) -> str:
    """Mean and half the width of its 95% interval over seeds."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f}"
    half = student_t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{mean:.3f} ± {half:.3f}"


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    lines = [
        "| arm | KL at the start | KL after | overlap | same token | cross-entropy | CPU-s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in found.items():
        cells = [interval([r["start"]["divergence"] for r in rows])]
        cells += [
            interval([r["end"][n] for r in rows])
            for n in ("divergence", "overlap", "same", "cross_entropy")
        ]
        seconds = float(np.mean([r["cpu_seconds"] for r in rows]))
        lines.append(f"| {name} | {' | '.join(cells)} | {seconds:.1f} |")
    return "\n".join(lines)


def paired(found: dict[str, list[dict[str, Any]]], one: str, other: str) -> str:
    """The difference of KL by seed, with its interval."""
    gaps = [a["end"]["divergence"] - b["end"]["divergence"]
            for a, b in zip(found[one], found[other], strict=True)]  # fmt: skip
    ratio = np.mean([a["end"]["divergence"] for a in found[one]]) / np.mean(
        [b["end"]["divergence"] for b in found[other]]
    )
    return f"KL of '{one}' less that of '{other}': {interval(gaps)} ({ratio:.2f} times as large)"


def draw(found: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """KL at the start (open) and after training (filled), every seed a dot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.subplots()
    names = list(found)[::-1]
    for y, name in enumerate(names):
        start = [r["start"]["divergence"] for r in found[name]]
        end = [r["end"]["divergence"] for r in found[name]]
        color = "tab:orange" if "control" in name else "tab:blue"
        axes.plot(start, [y] * len(start), "o", mfc="none", color="0.5", ms=5)
        axes.plot(end, [y] * len(end), "o", color=color, ms=5, alpha=0.7)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xlabel("KL(teacher || student) in nats; open: at the start, orange: controls")
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=110)


def on_characters(
    seeds: int, steps: int, out: Path, teacher: Path, picture: Path | None = None,
    wanted: Sequence[int] | None = None, device: str = "cpu",
) -> None:  # fmt: skip
    opened = open_model(f"hf:{teacher}", device=device)
    train, valid = (characters.encoded(t) for t in characters.shakespeare())
    length = 96
    test = TokenTexts([str(i) for i in range(150)], list(valid[: 150 * length].view(150, length)))
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(seeds):
        tokens = characters.windows(train, 8 * steps, length, seed)
        for place, arm in enumerate(arms(steps)):
            if wanted is not None and place not in wanted:
                continue
            settings = StageSettings(batch_size=8, lr=1e-3, seed=seed)
            row = cached(
                out / f"characters-{steps}" / f"{place:02}-{seed}.json",
                lambda arm=arm, seed=seed, tokens=tokens, settings=settings: one(
                    opened, arm, seed, tokens, test, settings
                ),
            )
            found.setdefault(arm.name, []).append(row)
            print(f"  {row['end']['divergence']:.3f} {arm.name}, seed {seed}", file=sys.stderr)
    names = [arm.name for arm in arms(steps)]
    own = measured(opened.model, opened.model, test, length)["cross_entropy"]
    print(f"\nCharacter Llama, {seeds} seeds, {steps} steps of 8 x {length} characters, lr 1e-3;")
    print(f"teacher's cross-entropy {own:.3f}\n")
    print(table(found), "\n")
    for a, b in ((0, 2), (4, 5), (2, 7), (0, 4), (4, 6), (4, 7), (0, 7), (10, 11), (10, 13)):
        if names[a] in found and names[b] in found:
            print("*", paired(found, names[a], names[b]))
    if picture is not None:
        draw(found, picture)


def wikitext(tokenizer: Any, length: int, rows: int) -> tuple[torch.Tensor, TokenTexts]:
    """Blocks of the validation text, which train here, and 40 blocks of the test text."""
    test = wiki.blocks(tokenizer, "test", length, 40)
    return (
        wiki.blocks(tokenizer, "valid", length, rows),
        TokenTexts([str(i) for i in range(len(test))], list(test)),
    )


def remembering(opened: OpenedModel, test: TokenTexts, distances: list[int], count: int) -> Any:
    """From a model to the share that it recalls, by task and distance."""
    texts = opened.tokenizer.batch_decode([torch.cat(list(test.ids))])
    haystack = Haystack.of(opened.tokenizer, texts)
    words = word_tokens(opened.tokenizer)

    def found(model: Any) -> list[dict[str, Any]]:
        return [
            {"task": s.task, "distance": s.distance, "likelihood": s.likelihood,
             "right": [s.right.value, s.right.low, s.right.high]}
            for s in recall(model, words, distances, count, haystack=haystack)
        ]  # fmt: skip

    return found


def recall_table(by_model: dict[str, list[dict[str, Any]]]) -> str:
    first = next(iter(by_model.values()))
    heads = [f"{r['task']} {r['distance']:,}" for r in first]
    lines = [f"| model | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name, rows in by_model.items():
        cells = [f"{row['right'][0]:.2f}" for row in rows]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def on_smollm2(
    folder: Path, out: Path, layers: int, steps: dict[str, int], rows: int, lr: float,
    wanted: Sequence[int] | None = None,
) -> None:  # fmt: skip
    """A few layers, first those evenly spread, on WikiText-2."""
    opened = open_model(f"hf:{folder}")
    tokens, test = wikitext(opened.tokenizer, 64, rows)
    test = test.take(range(20))
    lost = evenly_spread(layers, opened.layers)
    kept = tuple(i for i in range(opened.layers) if i not in lost)
    found = {}
    for place, (name, given, control) in enumerate(
        (
            ("neutral, calibrated", {}, False),
            ("the same, control: text alone", {}, True),
            ("neutral, neither (P1)", {"calibrate": False, "options": P1}, False),
            ("as published", {"start": "published"}, False),
        )
    ):
        if wanted is not None and place not in wanted:
            continue
        arm = Arm(name, given, steps, control, kept)
        settings = StageSettings(batch_size=4, lr=lr, seed=0)
        row = cached(
            out / f"smollm2-{layers}-{sum(steps.values())}-{lr:g}" / f"{place:02}.json",
            lambda arm=arm, settings=settings: one(opened, arm, 0, tokens, test, settings),
        )
        found[name] = [row]
        print(f"  {row['end']['divergence']:.3f} {name}", file=sys.stderr, flush=True)
    print(f"\nSmolLM2-135M-Instruct, layers {list(lost)} of {opened.layers} converted, one seed,"
          f" steps {steps} of 4 x 64 tokens of WikiText-2, lr {lr:g}\n")  # fmt: skip
    print(table(found))


def timed(opened: OpenedModel, kept: tuple[int, ...], tokens: torch.Tensor,
          settings: StageSettings) -> float:  # fmt: skip
    """Seconds of a step on all weights, the second time that ten were made."""
    budget = StageBudget.of(["logits"], {"logits": 10}, settings)
    for _ in range(2):
        began = time.monotonic()
        converted(opened.model, Hybrid(list(kept)), [kept], tokens, budget)
    return (time.monotonic() - began) / 10


def full(given: argparse.Namespace) -> None:
    """Half of the layers of SmolLM2, and all, on whatever this machine has, within the minutes."""
    torch.set_float32_matmul_precision("high")
    until, out = time.monotonic() + 60 * given.minutes, given.out / "full"
    opened = open_model(f"hf:{given.smollm2}")
    tokens, test = wikitext(opened.tokenizer, given.length, 1_000)
    remembered = remembering(opened, test, given.distances, given.asked)
    settings = StageSettings(batch_size=given.rows, lr=given.lr, seed=0)
    kept = evenly_spread(opened.layers // 2, opened.layers)
    teacher = cached(out / "teacher.json", lambda: {
        "recall": remembered(opened.model),
        "scores": measured(opened.model, opened.model, test, given.length),
    })  # fmt: skip
    a_step = timed(opened, kept, tokens[: 4 * given.rows], settings)
    share = (until - time.monotonic()) / 4 / 1.6  # four arms, and what they need besides
    logits = given.updates or int(max(20, min(3_000, 0.8 * share / a_step)))
    steps = {"mixers": max(5, logits // 10), "logits": logits}
    print(f"{a_step:.2f} s a step: {steps} of each mixer, and of all", file=sys.stderr, flush=True)
    half = "half of the layers"
    wanted = (
        Arm(f"{half}: neutral, calibrated", {}, steps, kept=kept),
        Arm(f"{half}: control, text alone", {}, steps, True, kept=kept),
        Arm("all layers: neutral, calibrated", {}, steps, kept=()),
        Arm(f"{half}: as published", {"start": "published"}, steps, kept=kept),
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for place, arm in enumerate(wanted):
        if time.monotonic() > until - share / 2:
            print(f"  no time left for '{arm.name}'", file=sys.stderr)
            break
        row = cached(
            out / f"{place:02}.json",
            lambda arm=arm: one(opened, arm, 0, tokens, test, settings, remembered),
        )
        found[arm.name] = [row]
        print(f"  {row['end']['divergence']:.3f} {arm.name}", file=sys.stderr, flush=True)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    size = f"{given.rows} x {given.length}"
    print(f"\n{opened.name} on {device}, one seed, steps {steps} of {size} tokens of WikiText-2,"
          f" lr {given.lr:g}; the teacher's cross-entropy"
          f" {teacher['scores']['cross_entropy']:.3f}\n")  # fmt: skip
    print(table(found), "\n")
    memory = {"teacher": teacher["recall"]}
    for name, (row,) in found.items():
        if "control" not in name:  # it starts as the student does
            memory[f"{name}, start"] = row["recall"]["start"]
        memory[name] = row["recall"]["end"]
    print(f"Share recalled of {given.asked} sequences, by distance in tokens\n")
    print(recall_table(memory))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="updates; 100, and on SmolLM2 40")
    parser.add_argument("--arms", type=int, nargs="+", help="rows of the table, from 0; all")
    parser.add_argument("--device", default="cpu", help="where the character Llama is trained")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--smollm2", type=Path, help="folder of SmolLM2-135M-Instruct")
    parser.add_argument("--layers", type=int, default=3, help="layers of SmolLM2 to convert")
    parser.add_argument("--lr", type=float, default=3e-5, help="largest rate on SmolLM2")
    parser.add_argument("--full", action="store_true", help="half and all layers of SmolLM2")
    parser.add_argument("--minutes", type=float, default=10.0, help="time limit of --full")
    parser.add_argument("--rows", type=int, default=16, help="of a batch of --full")
    parser.add_argument("--length", type=int, default=256, help="tokens of its blocks")
    parser.add_argument("--updates", type=int, help="of --full, in place of what the time allows")
    parser.add_argument("--distances", type=int, nargs="+", default=[32, 128, 512, 1024])
    parser.add_argument("--asked", type=int, default=64, help="sequences a distance")
    parser.add_argument("--picture", type=Path, help="where the arms are drawn")
    given = parser.parse_args()
    if given.full:
        if given.smollm2 is None:
            parser.error("--full needs --smollm2 FOLDER")
        full(given)
    elif given.smollm2 is not None:
        half = (given.steps or 40) // 2
        steps = {"mixers": half, "logits": half}
        on_smollm2(given.smollm2, given.out, given.layers, steps, 160, given.lr, given.arms)
    else:
        teacher = characters.teacher()
        steps = given.steps or 100
        on_characters(
            given.seeds, steps, given.out, teacher, given.picture, given.arms, given.device
        )


if __name__ == "__main__":
    main()

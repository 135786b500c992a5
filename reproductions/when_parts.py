"""Which layers benefit from a teacher, and what a teacher in between brings; beside `when.py`.

The teachers of `when.py` (two hidden layers of 256, all labels). Layers: a student of three hidden
layers of 32 learns with `limbeck.ablate(parts="layers")`, each layer in turn staying as it starts,
once from the teacher and once from the labels alone. A teacher in between: a student of a hundredth
of the teacher's size with an assistant of a tenth, and one that learns from an early teacher.

    python reproductions/when_parts.py --out when --seeds 5       # goes on where it stopped
    python reproductions/when_parts.py --out when --table
    python reproductions/when_parts.py --out when --draw docs/when_layers.svg
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from networks.small_sets import problem
from when import BATCH, ROWS, SETS, TEST, UPDATES, labels_of, learn, mlp, student_of, task_of
from when import teacher_of as all_labels

import limbeck
from limbeck.networks import GoldLabels, SoftTargets

SOFT = 0.9 * SoftTargets(temperature=4.0) + 0.1 * GoldLabels()
HIDDEN, SHORT = (32, 32, 32), 500
OF_LAYERS, OF_TEACHERS = "layers", "teacher in between"
EARLY = 4 * UPDATES // 16
TRAINING: dict[str, Any] = {"batch_size": BATCH, "lr": 3e-3, "progress": False}
Line = dict[str, Any]
_LEARNS = {True: "from the teacher", False: "from labels"}


def data_of(name: str) -> tuple[Any, Any]:
    """Training rows, and test rows that are not among them (of adult three are)."""
    given = problem(name)
    seen = {row.tobytes() for row in given.train[0][:ROWS].numpy()}
    new = [row.tobytes() not in seen for row in given.test[0][:TEST].numpy()]
    return (given.train[0][:ROWS], given.train[1][:ROWS]), tuple(t[:TEST][new] for t in given.test)


def layers(name: str, teacher_too: bool, seeds: int) -> list[Line]:
    """What the training of each layer brings, on labels."""
    given, (train, test) = problem(name), data_of(name)
    found = limbeck.ablate(
        all_labels(name, 1.0, 0.0, 0) if teacher_too else None, train,
        into=lambda: mlp(given.width, given.outputs, *HIDDEN),
        objective=SOFT if teacher_too else GoldLabels(), parts="layers", validation=test,
        seeds=seeds, max_steps=SHORT, **TRAINING,
    )  # fmt: skip
    order = sorted(found.parts, key=lambda p: p.name)
    return [
        {"part": part.name, "layer": i + 1, "whole": found.full.value, "value": part.gain.value,
         "low": part.gain.low, "high": part.gain.high}
        for i, part in enumerate(order) if part.gain is not None
    ]  # fmt: skip


def between(name: str, smaller: int, early: bool, seeds: int) -> list[Line]:
    """The student with a teacher in between, the direct one and the control."""
    given, (train, test) = problem(name), data_of(name)
    more: dict[str, Any] = {"assistants": [student_of(given, 10)]}
    if early:
        y, _ = labels_of(name, 1.0, 0.0, 0)
        make = lambda: mlp(given.width, given.outputs, 256, 256, dropout=0.3)  # noqa: E731
        more = {"early_teacher": learn(make, train[0], y, GoldLabels(), task_of(given), EARLY, 100)}
    result = limbeck.distill(
        all_labels(name, 1.0, 0.0, 0), train, into=student_of(given, smaller), objective=SOFT,
        test=test, seeds=seeds, max_steps=4 * UPDATES, baseline=True, timing=False, **more,
        **TRAINING,
    )  # fmt: skip
    table = result.comparison
    labels = next(d for d in table.differences if "labels" in d.what)
    direct = next(a for a in table.alternatives if a.role == "direct student").labels
    scores = {e.role: e.accuracy.value for e in table.entries if e.accuracy is not None}
    return [{"over": over, "value": d.value, "low": d.low, "high": d.high, "scores": scores}
            for over, d in (("control", labels), ("direct student", direct))]  # fmt: skip


def jobs(seeds: int) -> Iterator[tuple[dict[str, Any], Callable[[], list[Line]]]]:
    """What is measured, and how."""
    for early, smaller in ((False, 100), (True, 10)):
        what = {"axis": OF_TEACHERS, "set": "MNIST", "early": early, "smaller": smaller}
        yield what, partial(between, "MNIST", smaller, early, seeds)
    for name in SETS:
        for teacher_too in (True, False):
            what = {"axis": OF_LAYERS, "set": name, "teacher": teacher_too}
            yield what, partial(layers, name, teacher_too, seeds)


def read(path: Path) -> list[Line]:
    return [json.loads(x) for x in path.read_text().splitlines()] if path.is_file() else []


def written(line: Line) -> str:
    value, low, high = (100 * line[k] for k in ("value", "low", "high"))
    text = f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"
    return f"**{text}**" if low > 0 else f"*{text}*" if high < 0 else text


def tables(lines: list[Line]) -> str:
    """Both tables, as Markdown."""
    names = list(dict.fromkeys(x["set"] for x in lines if x["axis"] == OF_LAYERS))
    out = [
        f"| trained layer | learns from | {' | '.join(names)} |",
        "|---" * (2 + len(names)) + "|",
    ]
    own = {(x["layer"], x["teacher"], x["set"]): x for x in lines if x["axis"] == OF_LAYERS}
    for layer, teacher in sorted({k[:2] for k in own}, key=lambda k: (k[0], not k[1])):
        cells = [written(own[layer, teacher, s]) if (layer, teacher, s) in own else ""
                 for s in names]  # fmt: skip
        out.append(f"| {layer} | {'teacher' if teacher else 'labels'} | {' | '.join(cells)} |")
    out += ["", "| in between | student | over | gain | accuracies |", "|---|---|---|---|---|"]
    for x in (x for x in lines if x["axis"] == OF_TEACHERS):
        what = "early teacher" if x["early"] else "assistant of 1/10"
        told = ", ".join(f"{k} {100 * v:.1f}" for k, v in x["scores"].items())
        out.append(f"| {what} | 1/{x['smaller']} | {x['over']} | {written(x)} | {told} |")
    return "\n".join(out)


def draw(lines: list[Line], path: Path) -> None:
    """What training each layer brings, by set, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "limbeck"
    import matplotlib.pyplot as plt

    own = [x for x in lines if x["axis"] == OF_LAYERS]
    names = list(dict.fromkeys(x["set"] for x in own))
    figure, axes = plt.subplots(1, len(names), figsize=(2.6 * len(names), 3), layout="constrained")
    for ax, name in zip(np.atleast_1d(axes), names, strict=True):
        for teacher, colour, apart in ((True, "#0072b2", -0.08), (False, "#d55e00", 0.08)):
            mine = [x for x in own if x["set"] == name and x["teacher"] == teacher]
            y = np.array([[100 * x[k] for k in ("value", "low", "high")] for x in mine])
            if not len(y):
                continue
            ax.errorbar([x["layer"] + apart for x in mine], y[:, 0],
                        [y[:, 0] - y[:, 1], y[:, 2] - y[:, 0]], fmt="o", color=colour, capsize=3,
                        markersize=4, label=_LEARNS[teacher])  # fmt: skip
        ax.axhline(0.0, color="#7d7d7d", linewidth=0.8)
        ax.set_title(name, fontsize="medium")
        ax.set_xticks(sorted({x["layer"] for x in own}))
        ax.set_xlabel("layer, from the input")
        ax.spines[["top", "right"]].set_visible(False)
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("what training it brings (points)")
    first.legend(frameon=False, fontsize="small")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("when"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--draw", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "parts.jsonl"
    lines = read(path)
    if given.table or given.draw:
        print(tables(lines))
        if given.draw:
            draw(lines, given.draw)
        return
    for what, measure in jobs(given.seeds):
        if any(what.items() <= x.items() for x in lines):
            continue
        began = time.process_time()
        made = [what | {"seeds": given.seeds} | line for line in measure()]
        with path.open("a") as file:
            file.write("".join(json.dumps(x, allow_nan=False) + "\n" for x in made))
        print(what, f"{time.process_time() - began:.0f} processor s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

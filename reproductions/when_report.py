"""The map as tables and as one picture, from the runs that `when.py` kept."""

from __future__ import annotations

import base64
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.evaluation.intervals import gain_over

Rows = list[dict[str, Any]]


def unpacked(text: str, n: int) -> np.ndarray:
    """Right or wrong by row, as `when.packed` wrote it."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), dtype=np.uint8))[:n].astype(float)


def cells(rows: Rows, axis: str, *keys: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Gain over the control in points, with its 95% interval, and mean accuracies, by keys."""
    groups = defaultdict(list)
    for r in rows:
        if r["axis"] == axis:
            groups[tuple(r[k] for k in keys)].append(r)
    found = {}
    for key, own in groups.items():
        both = [np.stack([unpacked(r[who], r["rows"]) for r in own])
                for who in ("student", "control")]  # fmt: skip
        d = gain_over("", *both, 0.05)
        means = {w: float(np.mean([r["accuracy"][w] for r in own])) for w in own[0]["accuracy"]}
        found[key] = {
            "gain": (100 * d.value, 100 * d.low, 100 * d.high),
            "seeds": len(own),
            **means,
        }
    return found


def written(cell: dict[str, Any] | None) -> str:
    """A gain with its interval; bold where it excludes zero above, italic below."""
    if cell is None:
        return ""
    value, low, high = cell["gain"]
    text = f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"
    return f"**{text}**" if low > 0 else f"*{text}*" if high < 0 else text


def table(heads: list[str], lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, ["---"] * len(heads), *lines])


def tables(rows: Rows) -> str:
    """All tables, as Markdown."""
    names = list(dict.fromkeys(r["set"] for r in rows))
    out = []
    for teacher in ("all", "same"):
        own = cells([r for r in rows if r["teacher"] == teacher], "labels", "labels", "set")
        lines = []
        for share in sorted({k[0] for k in own}):
            line = [f"{share:.0%}"]
            for cell in (own[share, s] for s in names):
                means = " / ".join(
                    f"{100 * cell[w]:.1f}" for w in ("teacher", "student", "control")
                )
                line.append(f"{written(cell)}<br>{means}")
            lines.append(line)
        out += [f"Labels; the teacher learned from {teacher} labels"]
        out += [table(["labels", *names], lines)]
    long, size = cells(rows, "length", "length", "set"), cells(rows, "size", "smaller", "set")
    base = cells([r for r in rows if r["labels"] == 0.1 and r["teacher"] == "all"], "labels", "set")
    for title, own, at in (("updates", long, 4), ("smaller", size, 10)):
        own |= {(at, s): base[s,] for s in names}
        lines = [[f"{250 * k:,}" if title == "updates" else f"1/{k}",
                  *(written(own.get((k, s))) for s in names)]
                 for k in sorted({k[0] for k in own})]  # fmt: skip
        out += [title, table([title, *names], lines)]
    noise = cells(rows, "noise", "noise", "teacher", "way", "set")
    keys = list(dict.fromkeys(k[:3] for k in noise))
    lines = [[f"{n:.0%}", "the same" if t == "same" else "all, without noise", way,
              *(written(noise.get((n, t, way, s))) for s in names)]
             for n, t, way in sorted(keys, key=lambda k: k[0])]  # fmt: skip
    out += ["noise", table(["noise", "teacher's labels", "what is learned", *names], lines)]
    return "\n\n".join(out)


def draw(rows: Rows, path: Path) -> None:
    """Four panels of gains with their intervals, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "limbeck"
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(r["set"] for r in rows))
    colours = dict(zip(names, ("#0072b2", "#d55e00", "#009e73", "#7d7d7d"), strict=False))
    figure, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
    labels = {t: cells([r for r in rows if r["teacher"] == t], "labels", "labels", "set")
              for t in ("all", "same")}  # fmt: skip
    base = cells([r for r in rows if r["labels"] == 0.1 and r["teacher"] == "all"], "labels", "set")
    long, size = cells(rows, "length", "length", "set"), cells(rows, "size", "smaller", "set")
    long |= {(4, s): base[s,] for s in names}
    size |= {(10, s): base[s,] for s in names}
    panels = [
        (labels["all"], "teacher of all labels", "rows with labels (%)", 100),
        (labels["same"], "teacher of the same labels", "rows with labels (%)", 100),
        (long, "10% of labels, teacher of all", "updates", 250),
        (size, "10% of labels, teacher of all", "times smaller than the teacher", 1),
    ]
    for ax, (own, title, label, scale) in zip(axes.flat, panels, strict=True):
        for i, s in enumerate(names):
            x = sorted(k[0] for k in own if k[1] == s)
            gain = np.array([own[k, s]["gain"] for k in x])
            ax.errorbar(
                np.array(x) * scale * 1.03**i, gain[:, 0],
                [gain[:, 0] - gain[:, 1], gain[:, 2] - gain[:, 0]],
                fmt="o-", color=colours[s], label=s, capsize=2, markersize=4, linewidth=1,
            )  # fmt: skip
        ax.axhline(0.0, color="#7d7d7d", linewidth=0.8)
        ax.set_xscale("log")
        ticks = sorted({k[0] * scale for k in own})
        ax.set_xticks(ticks, [f"{t:,.4g}" for t in ticks])
        ax.minorticks_off()
        ax.set_title(title, fontsize="medium")
        ax.set_xlabel(label)
        ax.set_ylabel("gain over the control (points)")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})

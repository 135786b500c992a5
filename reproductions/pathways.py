"""Which channels of a residual network are worth keeping: CIFAR-10, half of them, healed or not.

The network of `images.py` (2.8 million weights, 5,500 pictures) is cut to half of its channels by
each importance, and healed by its own logits. Beside every cut stand the same cut on gold labels,
a random cut, the same size from scratch, and the network without its last layers.

    python reproductions/pathways.py --quick         # 300 pictures, one seed: does it run?
    python reproductions/pathways.py                 # all; resumes
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from images import QUICK, SMALL, trained
from networks.data import ROOT, Augmented, cifar10
from networks.runs import Table, machine
from torch.utils.data import DataLoader, TensorDataset

import limbeck
from limbeck.core.atomic_io import write_bytes
from limbeck.networks import Pruned

IMPORTANCES = ("activation", "norm", "fisher")


def noted(result: Any, path: Path) -> Any:
    """Keep how the student stands against other ways to its size."""
    lines = [f"{e.role}: accuracy {e.accuracy}, agreement {e.agreement}"
             for e in result.comparison.entries]  # fmt: skip
    write_bytes("\n".join([*lines, result.comparison.against]).encode(), path)
    return result


def draw(table: Table, path: Path) -> None:
    """Agreement with the teacher of every way to the size, with its interval, by importance."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4), layout="constrained")
    axes = figure.subplots()
    found = {name: table.found((name,)) for name in IMPORTANCES}
    roles: list[str] = []
    for each in found.values():
        roles += [r for r in (each or {}).get("agreement", {}) if r not in (*roles, "teacher")]
    for shift, (name, each) in enumerate(found.items()):
        for place, role in enumerate(roles):
            value = (each or {}).get("agreement", {}).get(role)
            if value is None:
                continue
            middle, low, high = value
            axes.errorbar(
                100 * middle, len(roles) - place - 0.2 * shift,
                xerr=[[100 * (middle - low)], [100 * (high - middle)]], fmt="o", color=f"C{shift}",
                label=name if place == 0 else None,
            )  # fmt: skip
    axes.set_yticks([len(roles) - i - 0.2 for i in range(len(roles))], roles)
    axes.set_xlabel("agreement with the teacher, percent of the test pictures")
    axes.legend(title="importance")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="300 pictures, one seed and epoch")
    parser.add_argument("--importance", nargs="+", choices=IMPORTANCES, default=IMPORTANCES)
    parser.add_argument("--channels", type=float, default=0.5, help="the share that stays")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "reproductions" / "pathways")
    parser.add_argument("--teacher", type=Path, help="weights that images.py trained")
    parser.add_argument("--picture", type=Path, help="where agreement is drawn")
    args = parser.parse_args()
    scale = QUICK if args.quick else SMALL
    out = args.out / "quick" if args.quick else args.out
    epochs, seeds = (1, 1) if args.quick else (args.epochs, args.seeds)
    data = cifar10(full=False, rows=scale.rows)
    teacher = trained(args.teacher or out / "teacher.safetensors", data, scale)
    train = DataLoader(Augmented(*data.train), batch_size=scale.batch)
    table = Table(out, epochs=epochs, seeds=seeds)
    for name in args.importance:
        table.cell(
            (name,),
            lambda folder, name=name: noted(
                limbeck.distill(
                    teacher, train, into=Pruned(channels=args.channels, importance=name),
                    epochs=epochs, batch_size=scale.batch, lr=1e-3, warmup_ratio=0.1,
                    max_grad_norm=1.0, test=TensorDataset(*data.test), seeds=seeds, out=folder,
                ),
                out / f"{name}.txt",
            ),
        )  # fmt: skip
    keys = [(name,) for name in IMPORTANCES if table.found((name,)) is not None]
    print(table.markdown(keys, ("importance",)), "", table.costs(keys), sep="\n")
    for (name,) in keys:
        print("", name, (out / f"{name}.txt").read_text(), sep="\n")
    if args.picture is not None:
        draw(table, args.picture)
    print(f"{args.channels:.0%} of the channels, {epochs} epochs, {seeds} seed(s); {machine()}")


if __name__ == "__main__":
    main()

"""Certificates of rows that are made on the way: processor time, memory and disk.

``python benchmarks/certificates.py --rows 1e8`` prints a table; each line is a process of its own,
which first certifies 60,000 rows, so that only what grows with the rows is counted. Rows have 50
columns; 10 groups, and 50 rows a case.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from limbeck import certify
from limbeck.certificates.wording import versions
from limbeck.data.row_batches import RowBatches
from limbeck.students import Tree

COLUMNS, BATCH, FIRST = 50, 20_000, 60_000
NAMES = [f"x{j}" for j in range(COLUMNS)]
ABSOLUTE: dict[str, Any] = {"loss": "absolute", "loss_range": (0, 20)}
KINDS: dict[str, dict[str, Any]] = {
    "disagreement": {},
    "disagreement, 10 groups": {"groups": "group"},
    "disagreement, cases of 50 rows": {"cases": "case"},
    "absolute loss, betting": ABSOLUTE,
}


def frames(n: int, values: bool) -> Iterator[pd.DataFrame]:
    """Rows (n, 50) with answers, groups and cases, in batches of 20,000."""
    for start in range(0, n, BATCH):
        size = min(BATCH, n - start)
        X = np.random.default_rng(start).normal(size=(size, COLUMNS))
        score = X[:, 0] + 0.1 * X[:, 1]
        frame = pd.DataFrame(X, columns=NAMES)
        place = np.arange(start, start + size)
        yield frame.assign(y=score if values else score > 0, group=place % 10, case=place // 50)


def one(kind: str, n: int) -> dict[str, float]:
    """Certify n rows in this process: seconds, megabytes of memory more, bytes a row on disk."""
    values = "absolute" in kind
    known = next(frames(2_000, values))
    student = Tree(max_leaves=4).fit(known[NAMES], known["y"])
    certify(student, RowBatches(lambda: frames(FIRST, values)), "y", **KINDS[kind])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir, done, most = folder, threading.Event(), [0]
        watch = threading.Thread(target=watched, args=(Path(folder), done, most))
        watch.start()
        start = time.process_time()
        found = certify(student, RowBatches(lambda: frames(n, values)), "y", **KINDS[kind])
        seconds = time.process_time() - start
        done.set()
        watch.join()
        tempfile.tempdir = None
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": seconds, "megabytes": (after - before) * unit / 1e6, "disk": most[0] / n,
        "epsilon": found.epsilon,
    }  # fmt: skip


def watched(folder: Path, done: threading.Event, most: list[int]) -> None:
    """Note the largest size of all files in a folder."""
    while not done.wait(0.05):
        size = 0
        for path in folder.rglob("*"):
            try:
                size += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:
                continue
        most[0] = max(most[0], size)


def table(n: int, kinds: list[str]) -> None:
    """Print what each kind of certificate takes."""
    head = ", ".join(f"{name} {number}" for name, number in versions().items())
    print(f"{n:,} rows of {COLUMNS} columns, made on the way, {head}\n")
    print("| certificate | processor seconds | memory more, MB | bytes a row on disk | bound |")
    print("|---|---|---|---|---|", flush=True)
    for kind in kinds:
        command = [sys.executable, __file__, kind, str(n)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        r = json.loads(told)
        print(
            f"| {kind} | {r['seconds']:.1f} | {r['megabytes']:.0f} | {r['disk']:.0f} |"
            f" {r['epsilon']:.6f} |",
            flush=True,
        )


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[1], int(sys.argv[2]))))

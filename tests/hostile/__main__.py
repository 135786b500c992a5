"""Damaged files, counted: what is read as it was, read otherwise, refused, or ends in a traceback.

    python tests/hostile --each 1000 [--seed 0] [--only student.json]
    python tests/hostile --folders --each 1000 [--only "recorded logits"]

Refused means a sentence of limbeck (`LimbeckError`); a traceback is any other error, and there
should be none. Where a file holds checksums, or is a certificate that is verified, nothing may be
read otherwise without saying so.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from itertools import starmap
from pathlib import Path

from kinds import Kind, kinds
from mutations import damaged

from limbeck.core.errors import LimbeckError

sys.path.append(str(Path(__file__).parent.parent / "kills"))  # runs of many kinds, small

from folders import folders


def main() -> None:
    """Reads the command line and prints a table, and each kind of traceback once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--each", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--folders", action="store_true", help="of all verbs; --only names one")
    args = parser.parse_args()
    print("| file | damaged | as it was | otherwise | refused | tracebacks | slowest, s |")
    print("|---|---|---|---|---|---|---|")
    shown: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found_kinds = starmap(Kind, folders(place, args.only)) if args.folders else kinds(place)
        for kind in found_kinds:
            if not args.folders and args.only not in kind.name:
                continue
            found, slowest, faults = tried(kind, args.each, args.seed)
            cells = [found[n] for n in ("same", "other", "refused", "traceback")]
            line = " | ".join(map(str, [kind.name, args.each, *cells, f"{slowest:.2f}"]))
            print(f"| {line} |", flush=True)
            for fault in faults:
                if fault.splitlines()[-1] not in shown:
                    shown.add(fault.splitlines()[-1])
                    print(fault)


def tried(kind: Kind, times: int, seed: int) -> tuple[Counter[str], float, list[str]]:
    """Counts of outcomes, the longest processor time of one, and the tracebacks.

    Parameters
    ----------
    kind : Kind
        The file and its reader.
    times : int
        How often it is damaged, each time anew.
    seed : int
        Of the damage.
    """
    rng = random.Random(f"{seed} {kind.name}")
    content, found, slowest, faults = kind.path.read_bytes(), Counter[str](), 0.0, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = kind.read()
        for _ in range(times):
            kind.path.write_bytes(damaged(content, rng))
            started = time.process_time()  # whatever else runs
            try:
                found["same" if kind.read() == before else "other"] += 1
            except LimbeckError:
                found["refused"] += 1
            except Exception:
                found["traceback"] += 1
                faults.append(traceback.format_exc())
            slowest = max(slowest, time.process_time() - started)
    kind.path.write_bytes(content)
    return found, slowest, faults


if __name__ == "__main__":
    main()

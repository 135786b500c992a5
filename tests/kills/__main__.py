"""Runs are killed at random moments and go on; what they end with is compared with a whole run.

    python tests/kills --each 100 [--seed 0] [--only tune]

Each run is a process of its own, forked once all is imported, so that kills meet the work. All
files of a result are compared, byte by byte, but for the seconds that they name, and pages.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # else a note at each fork

from runs import RUNS, service

_SECONDS = ("sampling", "teacher", "training")  # in the bill of a language model
PAGES = (".html", ".md", ".svg", ".yaml", ".sqlite", ".log")


def main() -> None:
    """Reads the command line and prints a line for each kind of run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    args = parser.parse_args()
    print("| run | seconds | kills | came to their end | other than the whole run | left behind |")
    print("|---|---|---|---|---|---|")
    for name in args.only:
        with tempfile.TemporaryDirectory() as folder:
            found = killed(name, args.each, args.seed, Path(folder))
        cells = (f"{found['seconds']:.1f}", found["kills"], found["ends"],
                 len(found["other"]), len(found["left"]))  # fmt: skip
        print(f"| {name} | {' | '.join(map(str, cells))} |", flush=True)
        for problem in [*found["other"], *found["left"]][:5]:
            print("   ", problem, flush=True)


def killed(name: str, each: int, seed: int, folder: Path) -> dict[str, Any]:
    """Kill a kind of run so often; what came out other than without a kill, and was left behind.

    Parameters
    ----------
    name : str
        One of RUNS.
    each : int
        Kills.
    seed : int
        Of the moments.
    folder : Path
        An empty one.
    """
    server = service() if name == "generate" else None
    with suppress(ImportError):
        from tqdm import tqdm

        tqdm.set_lock(threading.RLock())  # by default all forks share one: a kill would keep it
    RUNS[name](folder / "warm")  # all is imported
    before = sum(server.answered.values()) if server else 0
    started = time.monotonic()
    assert _ends(name, folder / "whole", None) == 0
    took = time.monotonic() - started
    wanted, chance = content(folder / "whole"), random.Random(f"{seed} {name}")
    whole = sum(server.answered.values()) - before if server else 0
    found: dict[str, Any] = {"seconds": took, "kills": 0, "ends": 0, "other": [], "left": []}
    found["last"] = False
    while found["kills"] < each or found["last"]:
        out = folder / f"run{found['ends']}"
        last = found["kills"] >= each
        code = _ends(name, out, None if last else chance.uniform(0, took))
        found["last"] = code == -signal.SIGKILL
        if found["last"]:
            found["kills"] += 1
            continue
        found["ends"] += 1
        if code:
            found["other"].append(f"exit status {code}")
            break
        found["other"] += difference(wanted, content(out), out.name)
        found["left"] += [str(p) for p in folder.rglob(".*")]
        found["left"] += [str(p) for p in out.rglob("unfinished")]
    if server:
        server.close()
        twice = sum(server.answered.values()) - before - whole * (found["ends"] + 1)
        if not 0 <= twice <= 8 * found["kills"]:  # 8 at once may be under way at a kill
            found["other"].append(f"{twice} requests were answered twice")
    return found


def _ends(name: str, out: Path, after: float | None) -> int:
    """The exit status of a run that is killed after so many seconds, if it is not done by then."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            RUNS[name](out)
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    with suppress(OSError):  # the child has done so
        os.setpgid(child, child)
    ends = None if after is None else time.monotonic() + after
    while True:
        done, status = os.waitpid(child, 0 if ends is None else os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if ends is not None and time.monotonic() >= ends:
            os.killpg(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        time.sleep(0.002)


def difference(wanted: dict[str, Any], found: dict[str, Any], name: str) -> list[str]:
    """Files that are lacking, unknown or other."""
    names = sorted(wanted.keys() | found.keys())
    return [f"{name}: {n}" for n in names if wanted.get(n) != found.get(n)]


def content(folder: Path) -> dict[str, Any]:
    """All that a result says, by file, without seconds and pages; none names the folder itself."""
    out: dict[str, Any] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name, raw = str(path.relative_to(folder)), path.read_bytes()
        raw = raw.replace(str(folder).encode(), b"OUT")
        if "tfevents" in name:
            continue
        if path.suffix in PAGES:
            out[name] = None
        elif name == "asked.txt":  # what was under way at a kill may be asked about again
            out[name] = sorted(set(raw.decode().splitlines()))
        elif path.name == "checkpoint.safetensors":  # its header holds seconds of the history
            from safetensors.numpy import load

            out[name] = {key: value.tobytes() for key, value in load(path.read_bytes()).items()}
        elif path.suffix == ".json":
            out[name] = _timeless(json.loads(raw))
        elif path.suffix == ".jsonl":
            out[name] = [_timeless(json.loads(line)) for line in raw.splitlines()]
        else:
            out[name] = raw
    return out


def _timeless(value: Any) -> Any:
    if isinstance(value, list):
        return [_timeless(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "stored" in value:  # the bill of a service is of one call: sent, or from the store
        return value["requests"] + value["stored"]
    named = {"format", "version"} <= value.keys()  # its checksum is of the seconds, too
    kept = {k: v for k, v in value.items() if "second" not in k and not (named and k == "checksum")}
    if "stored" in str(value.get("bill", "")):
        kept.pop("sentence", None)  # which says the bill
    kept = {k: v for k, v in kept.items() if k not in _SECONDS or not isinstance(v, float)}
    return {k: _timeless(v) for k, v in kept.items()}


if __name__ == "__main__":
    sys.exit(main())

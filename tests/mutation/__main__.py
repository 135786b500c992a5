"""Mutation testing: change one thing in the source; the tests should notice.

A mutant differs from the source in one comparison, operator, boolean, number or return value.
The tests that run the changed line are run, quickest first, in a fork that has the other packages
loaded already. What no test notices survives and is printed as a diff. Results are kept: the same
call goes on where it stopped, a source that was edited starts anew, and ``--again`` gives survivors
another chance after tests were added.

    python tests/mutation limbeck/certificates [--tests PATH ...] [--sample N] [--seed S] [--again]

Tests are those of the folder of the same name in ``tests/``, the doctests of the source and
``tests/test_records.py``. A mutant that runs five times as long as its tests is stopped and counts
as noticed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.machinery
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from changes import Mutant, mutants
from covering import Chosen, Tracer

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "build" / "mutants"
LOADED = (
    "numpy", "scipy.stats", "scipy.optimize", "pandas", "sklearn.ensemble",
    "sklearn.neural_network", "hypothesis", "hypothesis.extra.numpy", "rich.table", "torch",
)  # fmt: skip
MOST_SECONDS = 30.0  # of processor time, traced, for one mutant


def main() -> None:
    """Reads the command line, runs what is left to run and prints the count and the survivors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("source", nargs="+", help="files or folders of limbeck")
    parser.add_argument("--tests", nargs="+", help="test files or folders")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn with --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="run survivors again")
    parser.add_argument("--retrace", action="store_true", help="trace again which test runs what")
    args = parser.parse_args()
    files = [f for source in args.source for f in _files(source)]
    tests = args.tests or [t for source in args.source for t in _tests(source)]
    for name in LOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    drawn = [m for f in files for m in mutants(ROOT, f)]
    if args.sample is not None:  # a larger sample begins with the smaller one
        random.Random(args.seed).shuffle(drawn)
        drawn = drawn[: args.sample]
    KEPT.mkdir(parents=True, exist_ok=True)
    traced = _traced(files, tests, args.retrace)
    known = _known()
    for i, mutant in enumerate(drawn):
        before = known.get(mutant.key)
        if before is None or (args.again and before != "noticed"):
            known[mutant.key] = _tried(mutant, traced)
            with (KEPT / "results.jsonl").open("a", encoding="utf-8") as to:
                to.write(json.dumps({"key": mutant.key, "status": known[mutant.key]}) + "\n")
            print(f"{i + 1} of {len(drawn)}: {known[mutant.key]}, {mutant.key}", flush=True)
    _print(drawn, known)


def _print(drawn: list[Mutant], known: dict[str, str]) -> None:
    alive = [m for m in drawn if known[m.key] in {"survived", "no test"}]
    for mutant in sorted(alive, key=lambda m: (m.file, m.lines)):
        print(f"\n{known[mutant.key]}: {mutant.diff(ROOT)}")
    print(f"\n{len(drawn)} mutants:", dict(Counter(known[m.key] for m in drawn)))
    print(f"survivors: {len(alive)} ({100 * len(alive) / max(len(drawn), 1):.1f}%)")


def _files(source: str) -> list[str]:
    path = (ROOT / source).resolve()
    each = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [str(p.relative_to(ROOT)) for p in each]


def _tests(source: str) -> list[str]:
    """What tests a folder or file; the source is read for its doctests."""
    path = Path("tests", *Path(source).parts[1:])
    path = path if not source.endswith(".py") else path.with_name(f"test_{path.name}")
    every = (path, Path(source), Path("tests/test_records.py"))
    return [str(p) for p in every if (ROOT / p).exists()]


def _known() -> dict[str, str]:
    path = KEPT / "results.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {row["key"]: row["status"] for row in map(json.loads, lines)}


def _traced(files: list[str], tests: list[str], anew: bool) -> dict[str, Any]:
    """Lines and seconds by test; kept by the names of files and tests."""
    name = "-".join(sorted({Path(f).parent.name for f in files} | {str(len(files))}))
    path = KEPT / f"lines-{name}.json"
    if anew or not path.exists():

        def trace() -> int:
            tracer = Tracer({str(ROOT / f) for f in files})
            code = _pytest(tests, tracer, stop=False)
            found = {"lines": tracer.lines(), "seconds": tracer.seconds}
            path.write_text(json.dumps(found), encoding="utf-8")
            return code

        began = time.perf_counter()
        if _forked(trace):
            raise SystemExit("The tests must pass before anything is changed.")
        print(f"traced in {time.perf_counter() - began:.0f} s", flush=True)
    found = json.loads(path.read_text(encoding="utf-8"))
    by_line: dict[tuple[str, int], list[str]] = {}
    for test, lines in found["lines"].items():
        for file, line in lines:
            by_line.setdefault((file, line), []).append(test)
    return {"by_line": by_line, "seconds": found["seconds"]}


def _tried(mutant: Mutant, traced: dict[str, Any]) -> str:
    """What became of a mutant: noticed, survived, or run by no test."""
    seconds, by_line = traced["seconds"], traced["by_line"]
    file = str(ROOT / mutant.file)
    lines = {*range(mutant.lines[0], mutant.lines[1] + 1)}
    tests = {t for line in lines for t in by_line.get((file, line), [])}
    tests = tests or set(by_line.get((file, mutant.statement), []))
    if not tests:  # run at import, if ever: whatever runs the file
        tests = {t for (f, _), each in by_line.items() for t in each if f == file}
    if not tests:
        return "no test"
    beside = {t.split("::")[0] for t in tests}
    others = [t for t in seconds if t.split("::")[0] in beside and t not in tests]
    order = sorted(tests, key=seconds.__getitem__) + sorted(others, key=seconds.__getitem__)
    chosen, total = [], 0.0
    for test in order:
        total += seconds[test]
        if chosen and total > MOST_SECONDS:
            break
        chosen.append(test)
    code = _forked(lambda: _run(mutant, chosen), 10.0 + 5 * total)
    return "survived" if code == 0 else "noticed"


def _run(mutant: Mutant, tests: list[str]) -> int:
    """In a fork: the tests, where the file of the mutant is read as changed."""
    changed, file = mutant.tree(ROOT), str(ROOT / mutant.file)
    loader = importlib.machinery.SourceFileLoader
    get_code = loader.get_code

    def read(self: Any, name: str) -> Any:
        return compile(changed, file, "exec") if self.path == file else get_code(self, name)

    loader.get_code = read  # type: ignore[method-assign]
    return _pytest(sorted({t.split("::")[0] for t in tests}), Chosen(tests), stop=True)


def _pytest(paths: list[str], plugin: Any, stop: bool) -> int:
    from hypothesis import Phase, settings

    # examples as drawn, the same each time: a failure is not made small, nor remembered
    settings.register_profile(
        "mutants", deadline=None, database=None, derandomize=True,
        phases=[Phase.explicit, Phase.generate], print_blob=False,
    )  # fmt: skip
    settings.load_profile("mutants")
    type.__setattr__(settings, "load_profile", staticmethod(lambda name: None))
    loaded_before = "ignore::pytest.PytestAssertRewriteWarning"
    # plain asserts: pytest would read the files that it is given itself, and not as changed
    options = [
        "--assert=plain",
        "-W",
        loaded_before,
        "-q",
        "-p",
        "no:cacheprovider",
        "--tb=short",
        f"--rootdir={ROOT}",
    ]
    return int(pytest.main([*options, *(["-x"] if stop else []), *paths], plugins=[plugin]))


def _forked(work: Callable[[], int], limit: float | None = None) -> int:
    """The exit status of ``work`` in a fork, or below 0 where it was stopped.

    ``limit`` is in seconds of processor time, since other work slows the clock; ten times as many
    of the clock stop what only waits. Without a limit it may print.
    """
    child = os.fork()
    if child == 0:
        os.setsid()
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit)))
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
        code = 99
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    ends = time.monotonic() + 10 * (limit or 1e9)
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    main()

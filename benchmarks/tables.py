"""All tables of readable students on every seed, by one pool of processes, within a time.

    python benchmarks/tables.py --jobs 15 --seconds 480 --out build/tables.jsonl
    python benchmarks/tables.py --from build/tables.jsonl  # what was measured, as markdown

Three kinds of tasks on the data, teachers and rows of readable.py, in this order:

* ``sized``: limbeck's students and those of other packages at each number of numbers;
* ``tournament``: the tournament's pick beside the prototype's, as in tournament.py;
* ``whole``: students without a limit, or with a large one: additive and interpret's machines on
  logits, every weight of a line, trees of depth 6.

Each result is a JSON line, written when it is there; what the file holds is not run again. When the
time is over what still runs is stopped and listed. ``--like`` names lines of an earlier run: by
their seconds the longest tasks of a table start first; a tournament's go seed by seed. Trained
teachers are kept in the folder LIMBECK_CASES, so that no two tasks train the same.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import readable
import readable_peers
import tournament
from readable import MOST_ROWS, SETS, TEACHERS, agreement, case_of
from side_by_side import beside, sized_table, whole_table

from limbeck.core.progress import quiet
from limbeck.selection.routes import method_for, methods_into

STUDENTS = ("sparse_sum", "scorecard", "linear/l1_path", "tree", "rule_list", "rules", "additive")
WHOLE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "additive, all steps": ("additive", "additive", {"epsilon": 0.0}),
    "line, all weights": ("linear", "dense", {}),
    "tree of depth 6": ("tree", "search_and_stitch", {"max_leaves": 64, "max_depth": 6}),
    "greedy tree of depth 6": ("tree", "greedy", {"max_leaves": 64, "max_depth": 6}),
}
PEERS_WHOLE = ("interpret, own settings",)
SIZES = [8, 16, 32, 64]
KINDS = ("sized", "tournament", "whole")


class Task(NamedTuple):
    """One line of the file.

    Attributes
    ----------
    table : str
        Of `KINDS`, or "teachers".
    data, teacher : str
        As in readable.py.
    seed : int
        Splits rows and trains the teacher.
    student : str
        Its name; "" in a tournament.
    """

    table: str
    data: str
    teacher: str
    seed: int
    student: str


def whole(task: Task) -> dict[str, Any]:
    """One student without a limit: its largest."""
    teacher, rows, judged, told = case_of(task.data, task.teacher, task.seed)
    began = time.process_time()
    if task.student in PEERS_WHOLE:
        numbers, predict = readable_peers.largest_machines(teacher, rows, task.seed)
    else:
        into, method, settings = WHOLE[task.student]
        rng = np.random.default_rng(task.seed)
        made = method_for(into, settings, method).distill(teacher, rows, rng, quiet)
        student = max((*made.frontier, made.student), key=lambda s: s.numbers)
        numbers, predict = student.numbers, student.predict
    took = round(time.process_time() - began, 3)
    value = round(agreement(predict(judged), told, teacher), 4)
    return {"numbers": int(numbers), "value": value, "seconds": took}


def sized(task: Task) -> dict[str, Any]:
    """One student at every size."""
    return readable.one(task.data, task.teacher, task.seed, task.student, SIZES, MOST_ROWS)


def raced(task: Task) -> dict[str, Any]:
    """The tournament's pick, and the prototype's."""
    return tournament.one(task.data, task.teacher, task.seed, SIZES)


def trained(task: Task) -> dict[str, Any]:
    """A teacher, kept for the tasks that need it."""
    case_of(task.data, task.teacher, task.seed)
    return {}


RUN: dict[str, Callable[[Task], dict[str, Any]]] = {
    "teachers": trained, "sized": sized, "tournament": raced, "whole": whole,
}  # fmt: skip


def one(task: Task) -> dict[str, Any]:
    """A line: what the task measured, or why it could not."""
    warnings.filterwarnings("ignore")
    began = time.process_time()
    try:
        found = RUN[task.table](task)
    except Exception as error:
        found = {"refused": f"{type(error).__name__}: {error}"[:200]}
    return {**task._asdict(), **found, "took": round(time.process_time() - began, 2)}


def tasks(given: argparse.Namespace) -> Iterator[Task]:
    """All of them, table by table."""
    students = {"sized": given.students, "tournament": [""], "whole": [*WHOLE, *PEERS_WHOLE]}
    for table in given.tables:
        for seed in given.seeds:
            for data in given.data:
                for teacher in given.teachers:
                    yield from (Task(table, data, teacher, seed, s) for s in students[table])


def in_order(open_: list[Task], like: list[dict[str, Any]], last: Sequence[str]) -> list[Task]:
    """Table by table, tournaments seed by seed, the longest first, as earlier lines have it."""
    took: dict[tuple[str, ...], float] = {}
    for x in like:
        took[x["table"], x["data"], x["teacher"], x["student"]] = x["took"]
    seeds = list(dict.fromkeys(task.seed for task in open_))
    far = float("inf")  # one that was never run is taken for the longest

    def place(task: Task) -> tuple[int, int, int, float]:
        late = seeds.index(task.seed) if task.table == "tournament" else 0
        long = took.get((task.table, task.data, task.teacher, task.student), far)
        waits = 1 + last.index(task.student) if task.student in last else 0
        return waits, KINDS.index(task.table), late, -long

    return sorted(open_, key=place)


def run(open_: list[Task], jobs: int, ends: float, tell: Callable[[dict[str, Any]], None]) -> None:
    """Run until the time is over, each task in a process of its own; told of every line."""
    queue = list(reversed([*teachers_of(open_), *open_]))
    fork = get_context("fork")  # what is imported is there at once
    going: dict[int, tuple[BaseProcess, Connection, Task]] = {}
    while (going or queue) and time.time() < ends:
        while len(going) < jobs and queue:
            task, (ours, theirs) = queue.pop(), fork.Pipe(duplex=False)
            process = fork.Process(target=answered, args=(task, theirs))
            process.start()
            theirs.close()
            going[process.sentinel] = process, ours, task
        for ended in wait(list(going), max(ends - time.time(), 0)):
            process, ours, task = going.pop(int(ended))  # type: ignore[call-overload]
            line = {"refused": f"its process ended with {process.exitcode}", **task._asdict()}
            line = ours.recv() if ours.poll() else {**line, "took": 0.0}
            if task.table != "teachers" or "refused" in line:
                tell(line)
    for process, *_ in going.values():
        process.terminate()


def imported() -> None:
    """Load what every task needs once, before processes are split off."""
    for package in ("imodels", "pystreed", "interpret.glassbox"):
        with suppress(ImportError):
            import_module(package)
    for student in STUDENTS:
        methods_into(student.partition("/")[0])
    warnings.filterwarnings("ignore")  # some of them set their own


def answered(task: Task, pipe: Connection) -> None:
    """Send the line of a task."""
    pipe.send(one(task))


def teachers_of(open_: list[Task]) -> list[Task]:
    """Those that are kept for several tasks, if they are kept."""
    if not os.environ.get("LIMBECK_CASES"):
        return []
    return list(dict.fromkeys(t._replace(table="teachers", student="") for t in open_))


def report(lines: list[dict[str, Any]]) -> str:
    """All tables in markdown."""
    parts = {t: [x for x in lines if x["table"] == t and "refused" not in x] for t in KINDS}
    out = []
    if parts["sized"]:
        out += [sized_table(parts["sized"], SIZES), beside(parts["sized"], SIZES)]
    if parts["tournament"]:
        out.append(tournament.tables(parts["tournament"], SIZES))
    if parts["whole"]:
        out.append(whole_table(parts["whole"]))
    refused = Counter(
        f"{x['table']} {x['student']}: {x['refused']}" for x in lines if "refused" in x
    )
    return "\n\n".join([*out, *(f"{n} refused: {why}" for why, n in refused.items())])


def read(file: Path | None) -> list[dict[str, Any]]:
    return [json.loads(t) for t in file.read_text().splitlines()] if file and file.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--students", nargs="*", default=[*STUDENTS, *readable_peers.PEERS])
    parser.add_argument("--data", nargs="*", default=list(SETS))
    parser.add_argument("--teachers", nargs="*", default=list(TEACHERS))
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seconds", type=float, default=86_400, help="until it stops")
    parser.add_argument("--last", nargs="*", default=[], help="students for the end, in order")
    parser.add_argument("--like", type=Path, help="lines of an earlier run, for the order")
    parser.add_argument("--out", type=Path, default=Path("build/tables.jsonl"))
    parser.add_argument("--from", dest="from_", type=Path, nargs="*", help="only print these lines")
    given = parser.parse_args()
    if given.from_:
        print(report([line for file in given.from_ for line in read(file)]))
        return
    ends = time.time() + given.seconds
    given.out.parent.mkdir(parents=True, exist_ok=True)
    done = {Task(*(x[k] for k in Task._fields)) for x in read(given.out)}
    open_ = in_order([t for t in tasks(given) if t not in done], read(given.like), given.last)

    def tell(line: dict[str, Any]) -> None:
        done.add(Task(*(line[k] for k in Task._fields)))
        with given.out.open("a") as file:
            file.write(json.dumps(line) + "\n")

    imported()
    run(open_, given.jobs, ends, tell)
    left = [task for task in open_ if task not in done]
    print(report(read(given.out)))
    print(f"\n{len(open_) - len(left)} tasks were done, {len(left)} were not.")
    for (table, student), n in Counter((t.table, t.student) for t in left).items():
        of = [t for t in left if (t.table, t.student) == (table, student)]
        cells = sorted(f"{t.data}-{t.teacher}-{t.seed}" for t in of)
        print(f"{n} of {table} {student}: {' '.join(cells)}")


if __name__ == "__main__":
    main()

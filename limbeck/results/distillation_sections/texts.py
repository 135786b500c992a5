"""Tables of students of texts: the kinds that took part, and mistakes that are the teacher's."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from limbeck.core.measured import Measured
from limbeck.reports.numbers import count
from limbeck.reports.table import Column, Table
from limbeck.results.distillation_record import DistillationRecord

__all__ = ["inherited_table", "text_student_table"]

_NAMED = {
    "ngrams": "n-grams",
    "embeddings": "embeddings, linear",
    "network": "embeddings, network",
    "encoder": "encoder (ONNX)",
}


def text_student_table(result: DistillationRecord) -> Table[Any] | None:
    """The kinds of students of texts, with their size and time."""
    rows = result.trace.get("text_students")
    if not rows:
        return None
    classifies = result.student.task_.classifies
    what = "agreement on\ntexts left out" if classifies else "R² on texts\nleft out"
    chosen = result.trace.get("labels", 0) > result.trace.get("labelled_at_random", 0)
    if chosen and classifies:  # texts in doubt, which are harder than those of the certificate
        what = "agreement on\nchosen texts"

    def told(row: Any, value: Callable[[Any], Any]) -> Any:
        return None if row["agreement"] is None else value(row)

    columns: list[Column[Any]] = [
        Column("kind", lambda r: _NAMED.get(r["kind"], r["kind"]), "kind of student"),
        Column("agreement", lambda r: told(r, _pm), what),
        Column("bytes", lambda r: told(r, itemgetter("bytes")), format=count, align="right"),
        Column("milliseconds", lambda r: told(r, itemgetter("milliseconds")), "ms a text",
               format=_milli, align="right"),
        Column("seconds", lambda r: told(r, itemgetter("seconds")), "s to fit", format=_one,
               align="right"),
        Column("taken", lambda r: "taken" if r["chosen"] else r["why"], "", wrap=True),
    ]  # fmt: skip
    return Table(
        "Kinds of students, cross-fitted: agreement with one standard error, bytes of the saved"
        " file, processor time.",
        columns,
        rows,
    )


def inherited_table(result: DistillationRecord, most: int | None = None) -> Table[Any] | None:
    """The teacher's mistakes on the labels, and which of them the student makes too.

    Parameters
    ----------
    result : DistillationRecord
        The result.
    most : int, optional
        Classes at most.
    """
    rows = result.comparison.inherited
    if not rows or not rows[0].teacher_wrong:
        return None
    names = [name for name in ("student", "control") if name in rows[0].inherited]

    def cell(part: Any, name: str) -> Measured | None:
        found: Measured = part[name]
        return found if found.value == found.value else None

    columns: list[Column[Any]] = [
        Column("label", lambda r: r.label, "label", wrap=True),
        Column("rows", lambda r: r.rows, align="right"),
        Column("teacher_wrong", lambda r: r.teacher_wrong, "teacher\nwrong", align="right"),
        *(_same(name, cell) for name in names),
        Column("own", lambda r: cell(r.own, "student"), "student wrong where\nteacher is right"),
    ]  # fmt: skip
    return Table("Mistakes on the labels that the student has of its teacher.", columns,
                 rows if most is None else rows[: most + 1])  # fmt: skip


def _same(name: str, cell: Any) -> Column[Any]:
    head = f"{name} makes\nthe same mistake"
    return Column(f"{name}_same", lambda r: cell(r.inherited, name), head)


def _pm(row: Any) -> str:
    return f"{row['agreement']:.3f} ± {row['error']:.3f}"


def _milli(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


def _one(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"

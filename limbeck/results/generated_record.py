"""The record of a generated set: rows, counts, diversity, bill and control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.certificates.wording import in_percent
from limbeck.core.task import Label
from limbeck.evaluation.comparison import Comparison
from limbeck.language.generated.diversity import Diversity
from limbeck.language.generated.tasks import DroppedText, GeneratedRow
from limbeck.language.generated.writing_log import WritingLog, WritingRequest
from limbeck.teachers.completions import WritingBill

__all__ = ["FunnelLine", "GeneratedRecord", "RealControl", "funnel_of"]

_UNITS = {"answer": "answers", "instruction": "instructions", "text": "texts",
          "instance": "instances", "row": "rows"}  # fmt: skip


@dataclass(frozen=True)
class FunnelLine:
    """One line of the count from prompts to rows.

    Parameters
    ----------
    unit : str
        What is counted: prompts, instructions, instances or rows.
    what : str
        What became of them.
    count : int
        How many.
    of : int
        Of how many.
    """

    unit: str
    what: str
    count: int
    of: int


@dataclass(frozen=True, eq=False)
class RealControl:
    """The same student on the generated set, and on as many random real rows.

    Parameters
    ----------
    rows : int
        Rows that each student learned from; the teacher labelled all of them.
    test_rows : int
        Real rows that neither saw.
    written_as : float
        Of the generated texts, the share to which the teacher gives the class that they were
        written for; NaN for rows of tasks.
    comparison : Comparison
        Student: on the generated set. Control: on random real rows.
    """

    rows: int
    test_rows: int
    written_as: float
    comparison: Comparison

    @property
    def verdict(self) -> str:
        """``"helped"``, ``"no evidence"`` or ``"hurt"``."""
        return self.comparison.verdict

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        starts = {"helped": "Generating helped", "hurt": "Generating hurt"}
        parts = [
            f"{starts.get(d.verdict, 'No evidence that generating helped')} {d.what}:"
            f" {d.numbers[0]} ({in_percent(self.comparison.level)} interval"
            f" {d.numbers[1]} to {d.numbers[2]})"
            f" against the same student on {self.rows:,} random real rows with the teacher's"
            " labels."
            for d in self.comparison.differences
        ]
        return " ".join(parts)


@dataclass(frozen=True, eq=False)
class GeneratedRecord:
    """What a run of `limbeck.generate` brought.

    Parameters
    ----------
    rows : tuple of GeneratedRow
        The rows, each with where it comes from.
    dropped : tuple of DroppedText
        What filters took out.
    requests : tuple of WritingRequest
        Every prompt with its answer.
    funnel : tuple of FunnelLine
        The counts.
    diversity : tuple of Diversity
        Of the generated rows, the seeds and the real rows.
    bill : WritingBill
        What this run asked.
    control : RealControl or None
        The comparison with real rows; None where none were given.
    stopped : str
        Why the set is smaller than was asked for; empty where it is not.
    notes : tuple of str
        What was guessed or is missing.
    settings : mapping
        What it takes to run it again.
    """

    rows: tuple[GeneratedRow, ...]
    dropped: tuple[DroppedText, ...]
    requests: tuple[WritingRequest, ...]
    funnel: tuple[FunnelLine, ...]
    diversity: tuple[Diversity, ...]
    bill: WritingBill
    control: RealControl | None
    stopped: str
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def texts(self) -> list[str]:
        """What a classifier of texts reads of each row."""
        return [row.text for row in self.rows]

    @property
    def labels(self) -> list[Label | None]:
        """The class that each text was written for; None for rows of tasks."""
        return [row.label for row in self.rows]


def funnel_of(
    log: WritingLog, written: Sequence[GeneratedRow], rows: Sequence[GeneratedRow]
) -> tuple[FunnelLine, ...]:
    """The counts from prompts to rows.

    Parameters
    ----------
    log : WritingLog
        What was asked and dropped.
    written : sequence of GeneratedRow
        Rows before they were cleaned: they tell texts of classes from tasks where none is kept.
    rows : sequence of GeneratedRow
        What was kept in the end.
    """
    lines = []
    asked = Counter(request.stage for request in log.requests)
    silent = Counter(r.stage for r in log.requests if r.finish == "none")
    for stage, count in asked.items():
        lines.append(FunnelLine("prompts", stage, count, count))
        if silent[stage]:
            lines.append(FunnelLine("prompts", f"{stage}: no answer", silent[stage], count))
    by_level: dict[str, Counter[str]] = {}
    for one in log.dropped:
        by_level.setdefault(one.level, Counter())[one.filter] += 1
    final = len(rows)
    first = "text" if any(row.label is not None for row in written) else "instance"
    kept = {
        "instruction": log.kept_instructions,
        "text": len(written) if first == "text" else 0,
        "instance": len(written) if first == "instance" else 0,
        "row": final,
    }
    for level, unit in _UNITS.items():
        counts = by_level.get(level, Counter())
        dropped = sum(counts.values())
        if level == "answer":
            lines += [FunnelLine(unit, f"dropped: {w}", c, len(log.requests))
                      for w, c in counts.most_common()]  # fmt: skip
            continue
        whole = kept[level] + dropped
        if whole == 0 or (level == "row" and not final and not dropped):
            continue
        if level != "row":
            lines.append(FunnelLine(unit, "written", whole, whole))
        lines += [FunnelLine(unit, f"dropped: {w}", c, whole) for w, c in counts.most_common()]
        lines.append(FunnelLine(unit, "kept", kept[level], whole))
    return tuple(lines)

"""A network's distillation as a table in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from limbeck.core.contract import StatusCode
from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import Entry
from limbeck.evaluation.model_facts import ModelFacts
from limbeck.reports.numbers import NONE, measured, percent
from limbeck.results.network_record import NetworkRecord

__all__ = ["network_table", "size_of", "time_of"]

_STYLES = {"teacher": "cyan", "student": "bold", "baseline": "dim"}
_GOOD, _WARN = "green", "yellow"


def network_table(result: NetworkRecord) -> Group:
    """Teacher, student, control and baseline; then status, certificate, verdict and notes.

    Parameters
    ----------
    result : NetworkRecord
        What :func:`limbeck.distill` returned.

    Returns
    -------
    rich.console.Group
        Readable from 80 columns on.
    """
    return Group(_models(result), Text(), _sentences(result))


def size_of(facts: ModelFacts | None) -> str:
    """Parameters and megabytes of weights."""
    if facts is None:
        return NONE
    p = facts.parameters
    short = f"{p / 1e6:.1f} M" if p >= 1e6 else f"{p / 1e3:.1f} k" if p >= 1e3 else str(p)
    return f"{short} ({_brief(facts.weight_bytes / 1e6)} MB)"


def time_of(facts: ModelFacts | None) -> str:
    """Median time of a batch with its quartiles, in milliseconds."""
    if facts is None or facts.milliseconds is None:
        return NONE
    m = facts.milliseconds
    return f"{_brief(m.value)} [{_brief(m.low)}, {_brief(m.high)}]"


def _brief(value: float) -> str:
    """Two digits, or all before the point."""
    return f"{value:.2g}" if value < 99.5 else f"{value:.0f}"


def _models(result: NetworkRecord) -> Table:
    entries = result.comparison.entries
    labels = any(e.accuracy is not None for e in entries)
    calibrated = any(f.calibration is not None for f in result.facts.values())
    timed = any(f.milliseconds is not None for f in result.facts.values())
    numbers = not result.settings.get("classifies", True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("", overflow="fold", min_width=10)
    table.add_column("parameters", no_wrap=True)
    if labels:
        table.add_column("R² on\nlabels" if numbers else "accuracy\non labels", no_wrap=True)
    table.add_column("R² against\nteacher" if numbers else "agreement\nwith teacher", no_wrap=True)
    if calibrated:
        table.add_column("calibration\nerror (ECE)", no_wrap=True)
    if timed:
        table.add_column("ms a\nbatch", no_wrap=True)
    for e in entries:
        facts = result.facts.get(e.role)
        cells = [f"{e.role}\n{e.model}", size_of(facts) if facts else e.size or NONE]
        if labels:
            cells.append(measured(e.accuracy))
        cells.append(_agreement(e))
        if calibrated:
            cells.append(_short(facts.calibration if facts else None))
        if timed:
            cells.append(time_of(facts).partition(" ")[0])
        table.add_row(*map(_broken, cells), style=_STYLES.get(e.role, ""))
    return table


def _broken(cell: str) -> Text:
    """A cell whose interval or unit stands in a line of its own."""
    return Text(cell.replace(" [", "\n[").replace(" (", "\n("))


def _agreement(entry: Entry) -> str:
    return "itself" if entry.role == "teacher" else measured(entry.agreement)


def _short(value: Measured | None) -> str:
    return NONE if value is None else str(value)


def _sentences(result: NetworkRecord) -> Table:
    verdict = result.comparison.verdict
    poor = result.status.code is not StatusCode.COMPLETE
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(max_width=100)
    rows = [("training", str(result.status), _WARN if poor else "")]
    if result.certificate is not None:
        style = _GOOD if result.certificate.reached else _WARN
        rows.append(("certificate", result.certificate.statement, style))
    rows.append(("verdict", result.comparison.sentence, _WARN if verdict == "hurt" else ""))
    for role in ("student", "control"):
        found = result.facts.get(role)
        if found is not None and found.mistakes:
            m = found.mistakes
            rows.append(
                (
                    "mistakes",
                    f"Of all answers of the {role} {percent(m['inherited'])} repeat a mistake of"
                    f" the teacher, {percent(m['own'])} are wrong where the teacher is right, and"
                    f" {percent(m['other'])} wrong in another way than the teacher.",
                    "",
                )
            )
    rows += [("note", note, "") for note in result.notes]
    for name, sentence, style in rows:
        table.add_row(Text(name, style=style), Text(sentence))
    return table

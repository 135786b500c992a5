"""A result as a table in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from limbeck.certificates.wording import upward
from limbeck.core.contract import GroupBound, StatusCode
from limbeck.core.measured import Measured
from limbeck.evaluation.by_class import ClassAgreement, ClassShare
from limbeck.evaluation.comparison import Entry
from limbeck.reports.numbers import NONE, count, measured, percent
from limbeck.results.distillation_record import DistillationRecord
from limbeck.results.distillation_sections.facts import Headings

__all__ = ["result_table"]

_MOST_CLASSES = 10
_STYLES = {"teacher": "cyan", "student": "bold", "control": "", "baseline": "dim"}
_GOOD, _WARN = "green", "yellow"


def result_table(result: DistillationRecord) -> Group:
    """Teacher, student, control and baselines; then status, certificate and verdict.

    Parameters
    ----------
    result : DistillationRecord
        What :func:`limbeck.distill` returned.

    Returns
    -------
    rich.console.Group
        Readable from 80 columns on.
    """
    found = _models(result), _classes(result), _groups(result)
    tables = [t for t in found if t is not None]
    return Group(*(part for t in tables for part in (t, Text())), _sentences(result))


def _models(result: DistillationRecord) -> Table:
    headings = Headings.of(result)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("role", no_wrap=True)
    table.add_column("model", overflow="fold")  # the one that gives way in a narrow terminal
    table.add_column("size", no_wrap=True)
    table.add_column(headings.agreement.replace(" the ", "\nthe "), no_wrap=True)
    if headings.labels:
        table.add_column(headings.accuracy.replace(" the ", "\nthe "), no_wrap=True)
    for entry in result.comparison.entries:
        cells = [entry.role, entry.model, entry.size or "—", _agreement(entry)]
        if headings.labels:
            cells.append(_cell(entry.accuracy))
        # Text, not str: a model's name may hold what rich takes for markup.
        table.add_row(*map(Text, cells), style=_STYLES.get(entry.role, ""))
    return table


def _classes(result: DistillationRecord) -> Table | None:
    """Agreement by class; of many classes those on which the student does worst."""
    classes = result.comparison.classes
    if len(classes) < 2:
        return None
    shown = sorted(classes, key=_worst)[:_MOST_CLASSES] if len(classes) > _MOST_CLASSES else classes
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("teacher's class" if len(shown) == len(classes) else "worst classes")
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("student\npredicts", justify="right", no_wrap=True)
    roles = [r for r in ("student", "control") if r in classes[0].models]
    bounds = {g.group: g for g in result.certificate.groups} if _by_class(result) else {}
    for role in roles:
        table.add_column(f"{role} agrees\nwith the teacher", no_wrap=not bounds)
    if bounds:
        table.add_column(f"certified at {_sure(result)}:\ndiffers on at most", no_wrap=True)
    for c in shown:
        cells = [c.label, count(c.rows), count(c.models["student"].predicted)]
        cells += [_share(c.models[role]) for role in roles]
        if bounds:
            cells.append(_at_most(bounds[c.label]) if c.label in bounds else NONE)
        lost = c.rows and not c.models["student"].predicted
        table.add_row(*map(Text, cells), style=_WARN if lost else "")
    return table


def _groups(result: DistillationRecord) -> Table | None:
    """The bound of every group that is no class; of many groups the largest bounds."""
    certificate = result.certificate
    groups = () if _by_class(result) else certificate.groups
    if not groups:
        return None
    shown = groups
    if len(groups) > _MOST_CLASSES:
        shown = tuple(sorted(groups, key=lambda g: -g.epsilon)[:_MOST_CLASSES])
    beyond = certificate.loss == "exceeds"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("group" if len(shown) == len(groups) else "largest bounds")
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("beyond the\ntolerance" if beyond else "mean\nloss", justify="right")
    table.add_column(
        f"certified:\nat most ({_sure(result)}, all at once)", justify="right", no_wrap=True
    )
    for g in shown:
        table.add_row(*map(Text, (g.group, count(g.n), percent(g.mean_loss), _at_most(g))))
    return table


def _by_class(result: DistillationRecord) -> bool:
    """Whether the groups of the certificate are the classes that the teacher predicts."""
    names = {g.group for g in result.certificate.groups}
    return names == {c.label for c in result.comparison.classes if c.rows}


def _sure(result: DistillationRecord) -> str:
    """With what probability the bounds of all groups hold at once."""
    return f"{100 * (1 - sum(g.delta for g in result.certificate.groups)):.4g}%"


def _at_most(bound: GroupBound) -> str:
    return f"{upward(100 * bound.epsilon)}%"


def _worst(c: ClassAgreement) -> float:
    value = c.models["student"].value
    return 1.0 if value is None else value


def _share(share: ClassShare) -> str:
    return NONE if share.value is None else str(Measured(share.value, share.low, share.high))


def _agreement(entry: Entry) -> str:
    return "itself" if entry.role == "teacher" else measured(entry.agreement)


def _cell(value: Measured | None) -> str:
    return "—" if value is None else measured(value)


def _sentences(result: DistillationRecord) -> Table:
    certificate, verdict = result.certificate, result.comparison.verdict
    poor = result.status.code in (StatusCode.INTERRUPTED, StatusCode.HYPOTHESIS_FAILED)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(max_width=100)
    rows = [
        ("search", str(result.status), _WARN if poor else ""),
        ("certificate", certificate.statement, _GOOD if certificate.reached else _WARN),
        ("verdict", result.comparison.sentence, _WARN if verdict == "hurt" else ""),
        *(("note", note, "") for note in result.notes),
    ]
    for name, sentence, style in rows:
        table.add_row(Text(name, style=style), Text(sentence))
    return table

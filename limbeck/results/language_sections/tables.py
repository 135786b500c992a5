"""The tables of a language model's distillation, declared once, and what the terminal shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from limbeck.certificates.texts import CHUNK_LOSS
from limbeck.certificates.wording import in_percent
from limbeck.core.certificate import GroupBound
from limbeck.core.measured import Measured
from limbeck.core.printable import visible
from limbeck.evaluation.text_comparison import TextFacts
from limbeck.language.train_texts import Bill
from limbeck.reports.numbers import duration
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.distillation_sections.models import difference_table
from limbeck.results.language_record import LanguageRecord, SideBySide

__all__ = ["language_table", "main_tables", "tables"]

_STYLES = {"teacher": "cyan", "student": "bold", "start": "dim"}
_SHOWN = 4  # generations that a terminal shows
_Line = tuple[str, TextFacts]
_OWN = ("own_overlap", "teacher_overlap", "real_overlap", "log_p", "reverse_kl", "forward_kl",
        "cross_entropy", "entropy", "length")  # fmt: skip


def tables(result: LanguageRecord) -> dict[str, Table[Any]]:
    """All tables that have rows, the models first."""
    c = result.comparison
    found = {
        "models": overlap_table(result),
        "texts": text_table(result),
        "differences": difference_table(c.differences, c.level),
        "second differences": difference_table(result.second, c.level),
        "certificate": certificate_table(result),
        "bill": bill_table(result),
        "generations": generation_table(result, None),
        "preflight": preflight_table(result),
        "history": history_table(result),
    }
    return {name: table for name, table in found.items() if table is not None}


def main_tables(result: LanguageRecord) -> list[Table[Any]]:
    """What is shown first: overlaps, texts and bill."""
    return [overlap_table(result), text_table(result), bill_table(result)]


def language_table(result: LanguageRecord) -> Group:
    """The models, what they write, the bill; then certificate, verdict and notes.

    Parameters
    ----------
    result : LanguageRecord
        What :func:`limbeck.distill` returned.

    Returns
    -------
    rich.console.Group
        Readable from 80 columns on.
    """
    parts: list[Any] = []
    for table in main_tables(result):
        parts += [Text(table.caption), table.to_rich(), Text()]
    shown = generation_table(result, _SHOWN)
    parts += [] if shown is None else [Text(shown.caption), shown.to_rich(), Text()]
    return Group(*parts, _sentences(result))


def overlap_table(result: LanguageRecord) -> Table[_Line]:
    """A row per model: its size, and how near it is to the teacher on three kinds of texts."""
    share = Drawing(top=1.0)

    def overlap(name: str, heading: str) -> Column[_Line]:
        return Column(
            name, lambda row: None if row[0] == "teacher" else row[1].measured.get(name), heading,
            drawing=share, instead=lambda row: "itself" if row[0] == "teacher" else "-",
            optional=True,
        )  # fmt: skip

    what = "Overlap of next-token distributions with the teacher (1 is equal)"
    if crossed(result):
        what = "Ratio of chunk likelihoods to the teacher's, at most 1 (1 is equal)"
    return Table(
        f"{what}, means over"
        f" {result.settings.get('test_prompts')} prompts that no training saw;"
        f" {in_percent(result.comparison.level)} intervals.",
        [
            Column("role", lambda row: row[0], " ", wrap=True),
            Column("parameters", lambda row: row[1].parameters, format=_short),
            overlap("own_overlap", "on its own\ntexts"),
            overlap("teacher_overlap", "on the\nteacher's texts"),
            overlap("real_overlap", "on real\ntexts"),
        ],
        list(result.facts.items()),
        strong=lambda row: row[0] == "student",
        style=lambda row: _STYLES.get(row[0], ""),
        stacked=True,
    )


def crossed(result: LanguageRecord) -> bool:
    """Whether teacher and student have different tokenizers."""
    return result.certificate is not None and result.certificate.loss == CHUNK_LOSS


def text_table(result: LanguageRecord) -> Table[_Line]:
    """A row per model: likelihood, divergences and diversity of what it writes."""

    def of(name: str, heading: str) -> Column[_Line]:
        return Column(name, lambda row: row[1].measured.get(name), heading, brief=True,
                      optional=True)  # fmt: skip

    of_whom = " of the student" if crossed(result) else ""
    grams = result.settings.get("distinct_n", 4)
    more = dict.fromkeys(n for f in result.facts.values() for n in f.measured if n not in _OWN)
    return Table(
        "What they write at temperature 1: the teacher's log-probability and the divergences are"
        f" nats a token{of_whom}. No single column is a verdict: a likelier text may be a less"
        " varied one.",
        [
            Column("role", lambda row: row[0], " ", wrap=True),
            of("log_p", "teacher's\nlog p"),
            of("reverse_kl", "KL(s||t)\nown texts"),
            of("forward_kl", "KL(t||s)\nteacher's"),
            of("cross_entropy", "CE real\ntexts"),
            of("entropy", "entropy"),
            Column("distinct", lambda row: row[1].distinct, f"distinct\n{grams}-grams"),
            of("length", "tokens"),
            *(of(name, name.replace("_", "\n")) for name in more),
        ],
        list(result.facts.items()),
        strong=lambda row: row[0] == "student",
        style=lambda row: _STYLES.get(row[0], ""),
        stacked=True,
    )


def bill_table(result: LanguageRecord) -> Table[tuple[str, Bill]]:
    """A row per trained model: what it cost, over all seeds."""
    return Table(
        "What training cost, over all seeds, in seconds of this process.",
        [
            Column("role", lambda row: row[0], " ", wrap=True),
            Column("updates", lambda row: row[1].updates, align="right"),
            Column("tokens", lambda row: row[1].tokens, "tokens\nlearned from", align="right"),
            Column("written", lambda row: row[1].written, "tokens\nwritten", align="right"),
            Column("training", lambda row: row[1].training, format=duration, align="right"),
            Column("teacher", lambda row: row[1].teacher, format=duration, align="right"),
            Column("sampling", lambda row: row[1].sampling, format=duration, align="right"),
            Column("total", lambda row: row[1].total, format=duration, align="right"),
        ],
        list(result.bill.items()),
    )


def generation_table(result: LanguageRecord, most: int | None) -> Table[SideBySide] | None:
    """Test prompts with what both models write after them.

    Parameters
    ----------
    result : LanguageRecord
        The result.
    most : int or None
        How many are shown, and cut after some characters; all and whole by default.
    """
    rows = result.generations[:most]
    if not rows:
        return None

    def text(value: str | None) -> str | None:
        if value is None or most is None or len(value) <= 100:
            return value
        return f"{value[:100]}..."

    return Table(
        f"What both write after {len(rows)} of {len(result.generations)} test prompts.",
        [
            Column("prompt", lambda g: text(g.prompt[-100:] if most else g.prompt), wrap=True),
            Column("teacher", lambda g: text(g.teacher), wrap=True),
            Column("student", lambda g: text(g.student), wrap=True),
            Column("real", lambda g: text(g.real), wrap=True, optional=True, page_only=True),
            Column("overlap", lambda g: g.overlap),
        ],
        rows,
    )


def certificate_table(result: LanguageRecord) -> Table[GroupBound] | None:
    """A row per kind of text: the mean distance, and the bound; all hold at once."""
    c = result.certificate
    if c is None:
        return None
    what = "total variation a token"
    if crossed(result):
        what = "one less the ratio of chunk likelihoods"
    return Table(
        f"Distance to the teacher ({what}, mean of a text); all bounds hold at once with"
        f" probability {1 - c.delta:.6g}.",
        [
            Column("texts", lambda g: g.group),
            Column("mean", lambda g: g.mean_loss),
            Column("bound", lambda g: g.epsilon),
            Column("prompts", lambda g: g.n, align="right"),
        ],
        c.groups,
    )


def preflight_table(result: LanguageRecord) -> Table[Any] | None:
    """A row per check."""
    if not result.preflight:
        return None
    return Table(
        "What was checked before any training.",
        [
            Column("check", lambda c: c.name, wrap=True),
            Column("state", lambda c: c.state),
            Column("message", lambda c: c.message, wrap=True),
        ],
        result.preflight,
    )


def history_table(result: LanguageRecord) -> Table[Any] | None:
    """A row per epoch of every training."""
    names = list(dict.fromkeys(name for row in result.history for name in row))
    if not names:
        return None

    def column(name: str) -> Column[Mapping[str, Any]]:
        return Column(name, lambda row: row.get(name))

    return Table("Losses by epoch.", [column(n) for n in names], result.history)


def _short(p: Any) -> str:
    value = p.value if isinstance(p, Measured) else p
    return f"{value / 1e6:.1f} M" if value >= 999_950 else f"{value / 1e3:.1f} k"


def _sentences(result: LanguageRecord) -> RichTable:
    table = RichTable.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(max_width=100)
    rows = [("training", str(result.status), "")]
    if result.certificate is not None:
        style = "green" if result.certificate.reached else "yellow"
        rows.append(("certificate", result.certificate.statement, style))
    bad = result.comparison.verdict == "hurt"
    rows.append(("verdict", result.comparison.sentence, "yellow" if bad else ""))
    if result.second:
        rows.append(("", result.second_sentence, ""))
    rows += [("note", note, "") for note in result.notes]
    for name, sentence, style in rows:
        table.add_row(Text(name, style=style), Text(visible(sentence)))
    return table

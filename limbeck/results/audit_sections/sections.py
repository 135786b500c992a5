"""The sections of an audit's page on what was asked, what stays open, and how to repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pprint import pformat

from limbeck.reports.markup import Child, Html, box, definitions, join, tag
from limbeck.reports.numbers import count, duration
from limbeck.results.audit_sections.facts import AuditFacts
from limbeck.results.audit_sections.frames import column_table
from limbeck.results.audit_sections.summary import in_short

__all__ = ["asked", "repeat", "settings", "verdict"]


_AS_ASKED = "left out as asked"


def verdict(audit: AuditFacts) -> Html:
    """The answers in plain words, and what must be known before they are relied on."""
    return join(
        [
            tag("p", "limbeck: audit of a score", class_="kind"),
            tag("h1", audit.title),
            tag("p", audit.lead, class_="lead"),
            in_short(audit),
            _caveats(audit),
        ]
    )


def asked(audit: AuditFacts) -> Html:
    """Columns and rows, and what was left out."""
    shown = join([tag("span", f, class_="column") for f in audit.features], ", ")
    weights = (
        (audit.frequency_weight, "how many people a row stands for"),
        (audit.sampling_weight, "rows were drawn with unequal chances"),
    )
    rows: list[tuple[str, Child]] = [
        ("Score audited", audit.score),
        ("Outcome", audit.outcome or "none was given: only the score is described"),
        ("Rows", count(audit.rows)),
        ("Cases", audit.counting or "each row one case"),
        *(("Weights", f"column {name}: {what}") for name, what in weights if name),
        (f"Audited features ({len(audit.features)})", shown),
        *_left_out(audit),
    ]
    return join(
        [
            tag("h2", "What was asked"),
            tag("p", "The audit sees stored scores only: it never asks the model about new cases,"
                " and knows nothing of how it was made. It fits two models of one simple kind to"
                " the same rows: a student of the score, and a model of what happened. Where the"
                " two disagree, the score uses a feature differently from how it bears on the"
                " outcome."),
            definitions(rows),
            _columns(audit),
        ]
    )  # fmt: skip


def _left_out(audit: AuditFacts) -> list[tuple[str, Child]]:
    """One line for what the auditor left out, and one for each column that could not stay."""
    asked = [name for name, why in audit.dropped if why == _AS_ASKED]
    lines: list[tuple[str, Child]] = [("Left out as asked", ", ".join(asked))] if asked else []
    return lines + [(f"Left out: {name}", why) for name, why in audit.dropped if why != _AS_ASKED]


def _columns(audit: AuditFacts) -> Html | None:
    """How every column was read, folded away."""
    if not audit.columns:
        return None
    return tag(
        "details",
        tag("summary", f"How each of the {count(len(audit.columns))} columns was read"),
        column_table(audit.columns).to_html(),
        class_="rules",
    )  # fmt: skip


def settings(audit: AuditFacts) -> Html:
    """Everything that determines the numbers."""
    given = {k: v for k, v in audit.settings.items() if v is not None and k != "command"}
    versions = given.pop("versions", {})
    rows: list[tuple[str, Child]] = []
    for key, value in given.items():
        if key == "seconds":
            rows.append(("Time", duration(value)))
        else:
            rows.append((key.replace("_", " ").capitalize(), _written(value)))
    if isinstance(versions, Mapping):
        rows.append(("Versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
    return join([tag("h2", "Settings"), definitions(rows)])


def repeat(audit: AuditFacts) -> Html:
    """The command and the call that make this page again."""
    return join(
        [
            tag("h2", "How to repeat"),
            tag("p", "The same table, versions and seed give the same numbers. From a shell:"),
            box(tag("pre", tag("code", _command(audit))), "The command that repeats the audit"),
            tag("p", "From Python, all settings named:"),
            box(tag("pre", tag("code", _call(audit))), "The call that repeats the audit"),
        ]
    )


def _caveats(audit: AuditFacts) -> Html | None:
    """What must be known before reading on."""
    if not audit.caveats:
        return None
    rows: list[tuple[str, Child]] = [(c.subject, f"{c.problem} {c.remedy}") for c in audit.caveats]
    return tag("div", tag("h2", "Warnings"), definitions(rows), class_="caveats")


def _command(audit: AuditFacts) -> str:
    by = audit.group.split(", ") if audit.group else []
    named = [("score", audit.score), ("outcome", audit.outcome)]
    named += [("positive", audit.settings.get("positive"))]
    named += [("score-levels", ",".join(audit.settings.get("score_levels") or ()))]
    named += [("frequency-weight", audit.frequency_weight), ("cases", audit.cases)]
    named += [("sampling-weight", audit.sampling_weight)]
    named += [(k, audit.settings.get(k)) for k in ("threshold", "favourable")]
    named += [("missing", value) for value in audit.settings.get("missing") or ()]
    named += [("drop", name) for name, _ in audit.dropped] + [("group", name) for name in by]
    words = ["limbeck audit scores.csv"]
    words += [f"--{o} {shlex.quote(str(n))}" for o, n in named if n is not None and n != ""]
    given = {o: audit.settings.get(o) for o in ("pairs", "bags", "folds", "delta", "seed")}
    words += [f"--{o} {value}" for o, value in given.items() if value is not None]
    return " \\\n    ".join([*words, "--report audit.html"])


def _call(audit: AuditFacts) -> str:
    by = audit.group.split(", ") if audit.group else None
    given: dict[str, object] = {"score": audit.score, "outcome": audit.outcome}
    given |= {"frequency_weight": audit.frequency_weight, "cases": audit.cases}
    given |= {"sampling_weight": audit.sampling_weight, "groups": by}
    given |= {"features": list(audit.features)}
    given |= {k: audit.settings.get(k) for k in ("positive", "score_levels", "missing")}
    given |= {k: audit.settings.get(k) for k in ("threshold", "favourable")}
    given |= {k: audit.settings.get(k) for k in ("pairs", "bags", "folds", "delta", "seed")}
    lines = [
        f"    {name}={_in_code(value)},\n" for name, value in given.items() if value is not None
    ]
    return f"limbeck.audit(\n    df,\n{''.join(lines)})"


def _in_code(value: object) -> str:
    """A value in Python, long lists a few items per line."""
    return pformat(value, indent=4, width=76, compact=True).replace("\n", "\n    ")


def _written(value: object) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "none"
    return str(value)

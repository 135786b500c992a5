"""The sections of the page, in reading order; each returns nothing where it has nothing to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limbeck.certificates.wording import in_percent, upward
from limbeck.core.errors import plural
from limbeck.reports.charts import chart
from limbeck.reports.markup import Child, Html, box, definitions, join, tag
from limbeck.reports.numbers import count, decimal, duration, percent
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.distillation_record import DistillationRecord
from limbeck.results.distillation_sections import facts, models
from limbeck.results.distillation_sections.chain import chain_table
from limbeck.results.distillation_sections.own import Section, own_page
from limbeck.results.distillation_sections.texts import inherited_table, text_student_table

__all__ = ["picture", "sections_of"]


def verdict(result: DistillationRecord) -> Html:
    """What came out, at the top."""
    return join(
        [
            tag("p", "limbeck: report of a distillation", class_="kind"),
            tag("h1", facts.title(result)),
            tag("p", facts.lead(result), " ", facts.worth(result), class_="lead"),
            tag("p", result.comparison.warning) if result.comparison.warning else None,
            tag("p", str(result.status)),
            *(tag("p", note) for note in result.notes),
        ]
    )


def comparison(result: DistillationRecord) -> Html:
    """The control beside the student."""
    return join(
        [
            tag("h2", "Teacher, student and control"),
            models.model_table(result).to_html(),
            drawn(models.difference_table(result.comparison.differences, result.comparison.level)),
            drawn(models.class_table(result)),
            drawn(inherited_table(result)),
            drawn(text_student_table(result)),
        ]
    )


def certificate(result: DistillationRecord) -> Html:
    """The statement, what was asked, and what must be true."""
    c = result.certificate
    rows: list[tuple[str, Child]] = []
    if c.tolerance is not None:
        unit = result.student.task_.unit
        rows.append(("Tolerance", f"{upward(c.tolerance, 6)}{unit and ' ' + unit}"))
    if c.asked is not None:
        word = "reached" if c.reached else "not reached"
        rows += [
            ("Asked", _said(c.loss, in_percent(c.asked), f"{c.asked:.6g}")),
            ("Certified", _said(c.loss, f"{upward(100 * c.epsilon)}%", upward(c.epsilon))),
            ("Outcome", tag("span", word, class_="yes" if c.reached else "no")),
        ]
    rows += [
        ("What to do", facts.advice(c, facts.larger_helps(result.trace))),
        ("Seen", f"{_seen(c.loss, c.mean_loss)} of {count(c.n)} rows"),
        ("Bound", c.bound),
        ("Fingerprints", join([_short("student", c.student), ", ", _short("rows", c.rows)])),
    ]
    return join(
        [
            tag("h2", "Certificate"),
            tag("blockquote", c.statement),
            definitions((name, what) for name, what in rows if what),
            drawn(models.group_table(c)),
            *steps(result),
            tag("h3", "It holds if"),
            tag("ul", *(tag("li", a) for a in c.assumptions)),
        ]
    )


def steps(result: DistillationRecord) -> list[Child]:
    """For a way of several steps: their certificates beside the direct one."""
    if result.chain is None:
        return []
    return [tag("h3", "Step by step"), tag("p", result.chain.sentence), drawn(chain_table(result))]


def student(result: DistillationRecord) -> Html:
    """The student's own drawing, and its words folded away."""
    model = result.student
    words = []
    rules = model.rules()
    if rules:
        items = tag("ol", *(tag("li", rule) for rule in rules))
        said = tag("summary", f"As {plural(len(rules), 'rule')}")
        words.append(tag("details", said, items, class_="rules"))
    text = box(tag("pre", model.text()), "The student as text")
    words.append(tag("details", tag("summary", "As text"), text))
    return join([tag("h2", "The student"), picture(result), *words])


def picture(result: DistillationRecord) -> Html:
    """The student's drawing in a box of its own."""
    caption = result.student.caption()
    below = tag("figcaption", caption) if caption else None
    return tag("figure", box(result.student.drawing(), "The student, drawn", "picture"), below)


def curve(result: DistillationRecord) -> Html | None:
    """Size against agreement and cost."""
    panels = facts.panels(result)
    if not panels:
        return None
    names = [(line.name, line.main) for line in panels[-1].lines]
    keys = [
        join([tag("span", class_="key" if main else "key other"), f" {name}; "])
        for name, main in names
    ]
    ring = tag("span", class_="key ring")
    figures = [tag("figure", tag("h3", panel.heading), chart(panel)) for panel in panels]
    return join(
        [
            tag("h2", "Size against agreement"),
            tag("div", *figures, class_="charts"),
            tag("p", *keys, ring, " the size chosen. Agreement by size is a point estimate;"
                " only the chosen student is certified."),
        ]
    )  # fmt: skip


def layers(result: DistillationRecord) -> Html | None:
    """Whether the linear representation hypothesis holds."""
    shown, lrh = drawn(models.layer_table(result)), result.trace.get("lrh")
    if shown is None or not lrh:
        return None
    says = (
        f"A linear function of all activations explains {percent(lrh['r_squared'], 0)} of the"
        f" variance of the tree's clauses, one of the raw inputs"
        f" {percent(lrh['r_squared_inputs'], 0)}. The largest probe has norm"
        f" τ = {decimal(lrh['tau'], 1)}. The linear representation hypothesis says that the"
        " first number is near 100%."
    )
    return join([tag("h2", "What the layers say"), tag("p", says), shown])


def influences(result: DistillationRecord) -> Html | None:
    """Which variables matter, for a junta."""
    shown = drawn(models.influence_table(result))
    return join([tag("h2", "Influence of the variables"), shown]) if shown else None


def search(result: DistillationRecord) -> Html:
    """Queries, probes and seconds."""
    trace, stages = result.trace, result.trace.get("seconds_by_stage") or {}
    known = {
        "probes": "Probes",
        "literals": "Literals",
        "clauses_kept": "Clauses kept",
        "splits_kept": "Splits kept",
        "repeated_rows_left_out": "Holdout rows left out: the method sees the same",
        "copies_counted_once": "Holdout rows that copy others, and do not count",
        "identical_rows_counted": "Holdout rows identical to others, counted each",
    }
    rows: list[tuple[str, Child]] = [
        ("Outcome", f"{result.status.code.value[:1].upper()}{result.status.code.value[1:]}."),
        ("Rows seen", count(result.rows_seen)),
        ("Queries", count(result.queries)),
        *_sampler(trace),
        *([("Drawn rows", line)] if (line := facts.queries_line(result)) else []),
        *((name, count(trace[key])) for key, name in known.items() if key in trace),
        ("Time", f"{duration(result.settings.get('seconds'))}, control and certificate included"),
    ]
    columns: list[Column[tuple[str, float]]] = [
        Column("stage", lambda row: row[0]),
        Column("time", lambda row: float(row[1]), format=duration, drawing=Drawing("bar")),
    ]
    says = "Time by stage of the search; the longest fills its bar."
    times = Table(says, columns, list(stages.items())).to_html()
    return join([tag("h2", "How it was found"), definitions(rows), times if stages else None])


def _sampler(trace: Mapping[str, Any]) -> list[tuple[str, Child]]:
    """Where the queries came from, and how trees of each sampler agreed on rows left out."""
    tried = trace.get("samplers_tried") or {}
    if not tried:
        return []
    listed = sorted(tried.items(), key=lambda item: -item[1])
    agreed = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in listed)
    chosen = str(trace["sampler"]).replace("_", " ")
    return [("Sampler", f"{chosen}; agreement on rows left out (R² for numbers): {agreed}")]


def settings(result: DistillationRecord) -> Html:
    """Everything needed to run it again."""
    given = dict(result.settings)
    versions = given.pop("versions", {})
    rows: list[tuple[str, Child]] = [
        (key.replace("_", " ").capitalize(), _code(value))
        for key, value in given.items()
        if key != "seconds"
    ]
    if isinstance(versions, Mapping):
        rows.append(("Versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
    return join([tag("h2", "Settings"), definitions(rows)])


def verification(result: DistillationRecord) -> Html:
    """How a third party checks the certificate."""
    command = (
        "limbeck verify run/certificate.json --student run/student.json --rows run/holdout.parquet"
    )
    return join(
        [
            tag("h2", "How to verify"),
            tag("p", "Whoever has the folder that ", tag("code", 'result.save("run")'),
                " wrote can recompute the certificate from the student and the rows, without the"
                " teacher:"),
            box(tag("pre", tag("code", command)), "The command that verifies"),
            tag("p", "Where pyarrow is not installed the rows are in ",
                tag("code", "run/holdout.csv"), "."),
        ]
    )  # fmt: skip


def sections_of(result: DistillationRecord) -> tuple[Section, ...]:
    """The sections of a result's page, in reading order, with those of its kind of student."""
    return (
        verdict, comparison, certificate, student, *own_page(result).sections, curve, layers,
        influences, search, settings, verification,
    )  # fmt: skip


def drawn(table: Table[Any] | None) -> Html | None:
    """A table for the page, where there is one."""
    return None if table is None else table.to_html()


def _said(loss: str, share: str, mean: str) -> str:
    """What a bound is about."""
    if loss == "disagreement":
        return f"differs from the teacher on at most {share} of inputs"
    if loss == "exceeds":
        return f"beyond the tolerance on at most {share} of inputs"
    return f"mean loss ({loss}) at most {mean}"


def _seen(loss: str, mean: float) -> str:
    if loss == "disagreement":
        return f"differs on {percent(mean)}"
    return f"beyond it on {percent(mean)}" if loss == "exceeds" else f"mean loss {decimal(mean)}"


def _short(name: str, fingerprint: str) -> Html:
    return join([f"{name} ", tag("code", f"{fingerprint[:12]}…", title=fingerprint)])


def _code(value: Any) -> Child:
    if isinstance(value, float):
        return f"{value:.12g}"
    return tag("code", value) if isinstance(value, str) and "(" in value else str(value)

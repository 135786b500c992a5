"""What the page says and draws, taken from a result once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from limbeck.certificates.sentences import plan_of
from limbeck.certificates.wording import in_percent, percent_down, upward
from limbeck.core.certificate import Certificate
from limbeck.core.measured import Measured
from limbeck.reports.charts import Line, Panel
from limbeck.reports.numbers import count, percent
from limbeck.results.distillation_record import DistillationRecord

__all__ = ["Headings", "advice", "lead", "panels", "queries_line", "title", "worth"]

_FAR = 0.95  # the area under the curve from which on drawn rows are told at sight


@dataclass(frozen=True)
class Headings:
    """What the measured columns are called; ``labels`` says whether there is an accuracy."""

    agreement: str
    accuracy: str
    labels: bool

    @classmethod
    def of(cls, result: DistillationRecord) -> Self:
        """The headings that fit the task of a result."""
        labels = any(e.accuracy is not None for e in result.comparison.entries)
        if result.student.task_.classifies:
            return cls("agreement with the teacher", "accuracy on the labels", labels)
        return cls("R² against the teacher", "R² on the labels", labels)


def title(result: DistillationRecord) -> str:
    """Teacher and student in a line."""
    student = next((e for e in result.comparison.entries if e.role == "student"), None)
    size = f" of {student.size}" if student else ""
    name = student.model if student else type(result.student).__name__.lower()
    return f"{result.settings.get('teacher', 'A teacher')}, distilled into a {name}{size}"


def lead(result: DistillationRecord) -> str:
    """The certificate in one short sentence; after several steps, the smaller of its two bounds."""
    certificate, unit, chain = result.certificate, result.student.task_.unit, result.chain
    bound = chain if chain is not None and chain.by_steps else certificate
    asked = certificate.asked
    out = f"With {in_percent(1 - bound.delta)} confidence the student "
    if bound.tolerance is not None:
        out += f"stays within {upward(bound.tolerance)}{unit and ' ' + unit} of the teacher"
        out += f" on at least {percent_down(1 - bound.epsilon)}% of inputs"
    elif certificate.loss == "disagreement":
        out += f"differs from the teacher on at most {upward(100 * bound.epsilon)}% of inputs"
    else:
        out += f"has a mean loss ({certificate.loss}) of at most {upward(bound.epsilon)}"
    out += ", by the bound of its steps" if bound is chain else ""
    reached = certificate.reached or (asked is not None and bound.epsilon <= asked)
    return f"{out}." if reached else f"{out}; what was asked for is not reached."


def worth(result: DistillationRecord) -> str:
    """The comparison with the control in one short sentence."""
    found = result.comparison.differences
    if not found:
        return replace(result.comparison, rivals=()).sentence  # the page names rivals itself
    sides = {v: [d.what for d in found if d.verdict == v] for v in ("helped", "hurt")}
    parts = [f"{verb} {' and '.join(what)}" for verb, what in sides.items() if what]
    against = "the same student trained without the teacher"
    if not parts:
        return f"There is no evidence that distilling did better than {against}."
    return f"Against {against}, distilling {' but '.join(parts)}."


def queries_line(result: DistillationRecord) -> str:
    """How many queries were asked, where they came from and how far they are from the data.

    Empty where none were drawn.
    """
    told = result.trace.get("queries_told_apart")
    if not isinstance(told, Mapping):
        return ""
    name = str(told["sampler"]).replace("_", " ")
    area = Measured(float(told["auc"]), float(told["low"]), float(told["high"]))
    words = f"{result.queries:,} drawn by {name}; a classifier tells them from real rows"
    if area.low > _FAR:
        return f"{words} nearly always (AUC {area}): what the teacher says there may be of no use."
    return f"{words} with AUC {area} (0.5 is chance)."


def larger_helps(trace: Mapping[str, Any]) -> bool:
    """Whether a larger tree can be expected to be closer, as far as rows left out tell.

    So it can where the largest tried lost less than 95% of what one of half its size lost, and
    where none were tried.
    """
    left_out = trace.get("left_out")  # of a junta it is an influence, not losses by size
    pairs = left_out if isinstance(left_out, list | tuple) else ()
    tried = [(int(size), float(loss)) for size, loss in pairs]
    if len(tried) < 2:
        return True
    most, least = tried[-1]
    half = [loss for size, loss in tried if size <= max(most // 2, tried[0][0])][-1]
    return least < 0.95 * half


def advice(certificate: Certificate, larger: bool = True) -> str | None:
    """What to do where the epsilon that was asked for is not reached.

    Parameters
    ----------
    certificate : Certificate
        What was reached.
    larger : bool
        Whether a larger student can be expected to be closer; without it none is advised.
    """
    asked = certificate.asked
    if certificate.reached or asked is None:
        return None
    if certificate.loss not in ("disagreement", "exceeds"):
        return f"Give more holdout rows{', or allow a larger student' if larger else ''}."
    rate, plan = certificate.mean_loss, plan_of(certificate)
    seen = f"On these rows the student was off on {percent(rate)}"
    what = "cases" if certificate.settings.get("cases") else "rows"
    if plan is None:
        return f"Give more holdout rows{', or allow a larger student' if larger else ''}."
    if plan.lower > asked:
        return (
            f"{seen}, so more {what} will not reach {in_percent(asked)}:"
            f"{' allow a larger student,' if larger else ''} ask for a larger epsilon, or use"
            " another kind of student."
        )
    n = plan.needed if rate < asked else plan.settled
    fewer = " A larger student may need fewer." if larger else ""
    enough = f"about {count(n)} {what}" if n else f"more than {count(1_000_000)} {what}"
    if rate >= asked:
        return (
            f"{seen}, but it may be off on as little as {percent(plan.lower)}: a holdout of"
            f" {enough} would tell.{fewer}"
        )
    return f"{seen}; if that stays so, a holdout of {enough} reaches {in_percent(asked)}.{fewer}"


def panels(result: DistillationRecord) -> tuple[Panel, ...]:
    """Agreement on the holdout rows, and cost of the search, by size."""
    if len(result.frontier) < 2:
        return ()
    chosen, trace = result.student.size, result.trace
    classifies = result.student.task_.classifies
    n = count(result.certificate.n)
    agreement = Line("student", tuple((f["size"], f["agreement"]) for f in result.frontier))
    out = [
        Panel(
            "Agreement with the teacher",
            f"share of {n} holdout rows" if classifies else f"R² on {n} holdout rows",
            (agreement,),
            chosen,
            top=1.0,
        )
    ]
    cost = tuple((f["size"], f["cost"]) for f in result.frontier if f["cost"] == f["cost"])
    if len(cost) > 1:
        greedy = _pairs(trace.get("greedy"))
        lines = [Line("search and stitch" if greedy else "student", cost)]
        if greedy:
            lines.append(Line("greedy tree", greedy, main=False))
        out.append(Panel("Cost of the search", _unit(trace), tuple(lines), chosen))
    return tuple(out)


def _pairs(given: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(n), float(cost)) for n, cost in given or ())


def _unit(trace: Any) -> str:
    name = str(trace.get("cost", ""))
    known = {
        "misclassification": "share of rows and queries answered differently",
        "squared_error": "share of variance unexplained, rows and queries",
    }
    return known.get(name, f"{name.replace('_', ' ')} a row or query")

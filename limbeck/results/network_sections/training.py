"""How the losses of a student and its control went, as charts of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from limbeck.reports.charts import Line, Panel, chart
from limbeck.reports.markup import Html, join, tag
from limbeck.results.network_record import NetworkRecord

__all__ = ["panels", "training"]

_LONGEST = 40  # epochs drawn; more are thinned
_HEADINGS = {
    "score": "Validation score", "validation_loss": "Validation loss", "loss": "Loss, weighted sum",
}  # fmt: skip


def training(result: NetworkRecord) -> Html | None:
    """The section with the curves; None where there are none to draw."""
    drawn = list(panels(result.history))
    if not drawn:
        return None
    figures = [tag("figure", tag("h3", p.heading), chart(p)) for p in drawn]
    keys = join([tag("span", class_="key"), " student; ",
                 tag("span", class_="key other"), " control, first seed of both."])  # fmt: skip
    return join(
        [
            tag("h2", "Training"),
            tag("p", keys, " Losses of terms are raw: before weights. The dotted line marks the"
                " epoch whose weights the student kept."),
            tag("div", *figures, class_="charts"),
        ]
    )  # fmt: skip


def panels(history: Sequence[Mapping[str, Any]]) -> Iterator[Panel]:
    """The validation score and every raw loss over epochs, for student and control.

    Parameters
    ----------
    history : sequence of mapping
        Rows with ``seed``, ``role``, ``epoch`` (from 0) and losses; the first seed is drawn.
    """
    first = history[0]["seed"] if history else None
    roles = {
        role: [r for r in history if r["seed"] == first and r["role"] == role]
        for role in ("student", "control")
    }
    own = roles["student"]
    if len(own) < 2:
        return
    scored = [r for r in own if r.get("score") is not None]
    best = max(scored, key=lambda r: (r["score"], -(r.get("validation_loss") or 0.0)), default=None)
    kept = (own[-1] if best is None else best)["epoch"] + 1
    skipped = {"seed", "role", "epoch", "step", "lr", "seconds", "gradient_norm"}
    names = [k for k in own[0] if k not in skipped and not k.startswith(("weight", "share"))]
    for name in sorted(names, key=lambda k: (k != "score", k != "loss")):
        lines = []
        for role, rows in roles.items():
            thin = max(1, -(-len(rows) // _LONGEST))
            points = tuple(
                (r["epoch"] + 1, float(r[name]))
                for i, r in enumerate(rows)
                if r.get(name) is not None and (i % thin == 0 or r["epoch"] + 1 == kept)
            )
            if points:
                lines.append(Line(role, points, role == "student"))
        if lines and lines[0].main:
            heading = _HEADINGS.get(name, name)
            unit = "larger is better" if name == "score" else "loss"
            yield Panel(heading, unit, tuple(lines), kept, "epochs", "epoch")

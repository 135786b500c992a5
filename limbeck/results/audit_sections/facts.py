"""What the page and the table say of an audit, taken from it once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from limbeck.audits.group_metrics import GroupMetrics
from limbeck.audits.results import (
    Calibration,
    Caveat,
    ColumnReading,
    Differences,
    Estimate,
    Fidelity,
    GroupFinding,
    MissingFeatures,
    ModelMultiplicity,
)
from limbeck.core.certificate import Certificate
from limbeck.reports.numbers import NONE, count, decimal

__all__ = ["AuditFacts", "between", "facts_of", "p_value", "sure", "told"]

_ASKED = ("missing", "model_multiplicity")  # computed when first asked for


@dataclass(frozen=True)
class AuditFacts:
    """One audit as the reports see it; what was not computed is None or empty."""

    score: str
    outcome: str | None
    rows: int
    features: tuple[str, ...]
    caveats: tuple[Caveat, ...]
    fidelity: Fidelity
    calibration: Calibration | None = None
    differences: Differences | None = None
    missing: MissingFeatures | None = None
    model_multiplicity: ModelMultiplicity | None = None
    groups: tuple[GroupFinding, ...] = ()
    group: str | None = None
    group_metrics: tuple[GroupMetrics, ...] = ()
    frequency_weight: str | None = None
    sampling_weight: str | None = None
    cases: str | None = None
    counting: str = ""
    columns: tuple[ColumnReading, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    certificate: Certificate | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Score and outcome in a line."""
        against = f" against {self.outcome}" if self.outcome else ""
        return f"Audit of {self.score}{against}"

    def group_name(self, group: str) -> str:
        """A group without the name of its column, where there is but one."""
        return group.removeprefix(f"{self.group} ")

    @property
    def lead(self) -> str:
        """The two answers that an auditor came for, in plain words."""
        leaks = [c.subject for c in self.caveats if c.kind == "leak"]
        out = [f"Leak? {', '.join(leaks)}: see the warnings first."] if leaks else []
        out += [self.missing.sentence] if self.missing else []
        if self.outcome is None:
            out.append("No outcome was given, so nothing is said of whether the score is right.")
        elif self.differences is not None and self.differences.shapes:
            n, level = told(self.differences), sure(self.differences.level)
            if n == 0:
                out.append(f"No difference between score and outcome is certain at {level}.")
            else:
                said = f"{count(n)} differences are" if n > 1 else "one difference is"
                out.append(f"On single features {said} certain at {level}, all taken together.")
        return " ".join(out)


def told(found: Differences) -> int:
    """Sentences that tell a difference, each certain with all others."""
    return sum(not s.startswith("Nothing can be told") for s in found.sentences)


def p_value(value: float) -> str:
    """A p-value as text, such as ``p = 0.004``; a dash where there is none."""
    if not math.isfinite(value):
        return NONE
    if value < 0.0001:
        return "p < 0.0001"
    return f"p = {value:.4f}" if value < 0.01 else f"p = {value:.3f}"


def between(found: Estimate | None, digits: int = 3) -> str:
    """A number with its interval, such as ``0.702 [0.690, 0.714]``.

    Parameters
    ----------
    found : Estimate or None
        The number.
    digits : int
        Digits after the point.
    """
    if found is None or not math.isfinite(found.value):
        return NONE
    largest = max(abs(v) for v in (found.value, found.low, found.high) if math.isfinite(v))
    fine = 1e-5 < largest < 0.0095
    shown = [
        f"{v:.2g}".replace("-", "−") if fine and math.isfinite(v) else decimal(v, digits)
        for v in (found.value, found.low, found.high)
    ]
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return shown[0]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def sure(level: float) -> str:
    """A level as a percentage, such as ``95%``."""
    return f"{100 * level:.4g}%"


def facts_of(audit: Any) -> AuditFacts:
    """An audit as the reports see it; facts are handed back as they are."""
    if isinstance(audit, AuditFacts):
        return audit
    taken = {f.name: getattr(audit, f.name) for f in fields(AuditFacts) if f.name not in _ASKED}
    if not len(audit.calibration.score):
        taken["calibration"] = None
    missing, multiplicity = audit.answer()
    return AuditFacts(missing=missing, model_multiplicity=multiplicity, **taken)

"""An audit as one HTML page that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Html
from limbeck.results.audit_sections.calibration import calibration
from limbeck.results.audit_sections.facts import facts_of
from limbeck.results.audit_sections.features import differences, numbers
from limbeck.results.audit_sections.fit import fidelity, groups
from limbeck.results.audit_sections.missing import missing
from limbeck.results.audit_sections.multiplicity import multiplicity
from limbeck.results.audit_sections.rates import rates
from limbeck.results.audit_sections.sections import asked, repeat, settings, verdict
from limbeck.results.audit_sections.style import AUDIT

__all__ = ["audit_page", "write_audit_page"]

_SECTIONS = (
    verdict, asked, missing, differences, calibration, fidelity, multiplicity, groups, rates,
    settings, repeat, numbers,
)  # fmt: skip


def audit_page(audit: Any) -> Html:
    """The whole page as text."""
    facts = facts_of(audit)
    made = [section(facts) for section in _SECTIONS]
    return document(facts.title, [m for m in made if m is not None], AUDIT)


def write_audit_page(audit: Any, path: str | Path) -> Path:
    """Write one self-contained HTML page, all of it or nothing.

    Parameters
    ----------
    audit : Audit or AuditFacts
        What :func:`limbeck.audit` returned.
    path : str or Path
        Where; an older file is replaced in one step.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    InvalidInput
        If the folder does not exist, or the path is a folder.
    """
    return write_document(audit_page(audit), path)

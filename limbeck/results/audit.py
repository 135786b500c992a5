"""What an audit returns: its numbers, and what can still be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType
from scipy.special import expit

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.differences import Scaled
from limbeck.audits.fitting import Models
from limbeck.audits.group_metrics import GroupMetrics
from limbeck.audits.model_multiplicity import model_multiplicity
from limbeck.audits.results import (
    Calibration,
    Caveat,
    ColumnReading,
    Differences,
    Fidelity,
    GroupFinding,
    MissingFeatures,
    ModelMultiplicity,
)
from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.certificates.certificate_file import save as save_certificate
from limbeck.core.certificate import Certificate
from limbeck.core.progress import Progress, quiet, shown
from limbeck.core.strict_json import plain, read_json, record, write_json
from limbeck.reports.table import Table
from limbeck.results.audit_sections.frames import tables
from limbeck.results.audit_sections.page import write_audit_page
from limbeck.results.audit_sections.plot import plot_features
from limbeck.results.audit_sections.tables import audit_table
from limbeck.results.result import Result, saved_whole
from limbeck.students.additive.additive import Additive
from limbeck.students.files import load as load_student

__all__ = ["Audit", "Work"]

_FORMAT, _VERSION = "limbeck-audit", 3


@dataclass(frozen=True, eq=False)
class Work:
    """What an audit computes with; kept so that more can be asked of it.

    ``aside`` (n,) are the rows of the certificate; ``done`` holds what was asked for once.
    """

    table: AuditTable
    models: Models
    on: Scaled
    aside: NDArray[np.bool_]
    level: float
    seed: int
    progress: bool | None
    done: dict[str, Any] = field(default_factory=dict)


def _missing(w: Work, tell: Progress) -> MissingFeatures:
    from limbeck.audits.independent import independent_rows
    from limbeck.audits.missing import missing_features

    t, m = w.table, w.models
    rows, note = independent_rows(t, w.seed)
    o, p = t.outcome, m.outcome_out
    found = missing_features(
        t.values[rows],
        t.features,
        t.score[rows],
        None if o is None else o[rows],
        m.score_out[rows],
        None if p is None else np.asarray(expit(p))[rows],
        seed=w.seed,
        progress=tell,
    )
    return replace(found, sentence=f"{found.sentence} {note}".strip())


@dataclass(frozen=True, eq=False)
class _Answered:
    """What was asked of an audit before it was saved: all that a file holds."""

    done: dict[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Result):
    """The record of one audit.

    Parameters
    ----------
    score, outcome, frequency_weight, sampling_weight, cases : str or None
        The columns with a role.
    rows : int
        Rows used.
    counting : str
        A sentence on what counts as one case.
    columns : tuple of ColumnReading
        How every column was read.
    features : tuple of str
        The audited features.
    caveats : tuple of Caveat
        What must be known before anything else is read.
    dropped : tuple of (str, str)
        Columns that were left out, and why.
    calibration : Calibration
        Score against outcome.
    fidelity : Fidelity
        Out-of-fold fit of the student and of the outcome model.
    differences : Differences
        Shapes of score and outcome with bands, and what can be told of them.
    groups : tuple of GroupFinding
        The same by the columns in ``group``; all intervals of a column hold at once.
    group : str or None
        Those columns, with commas.
    group_metrics : tuple of GroupMetrics
        AUC and calibration, and with a threshold selection rates, impact ratios, errors and
        predictive values: of all rows, then by group.
    student : Additive
        An additive student of the score in its own units, of all rows but the first fold's.
    certificate : Certificate or None
        How far that student strays from the score, by the first fold, which neither its bins
        nor its tables saw. None where rows are weighted or too few.
    settings : mapping
        Everything needed to run it again, versions included.
    """

    score: str
    outcome: str | None
    frequency_weight: str | None
    sampling_weight: str | None
    cases: str | None
    rows: int
    counting: str
    columns: tuple[ColumnReading, ...]
    features: tuple[str, ...]
    caveats: tuple[Caveat, ...]
    dropped: tuple[tuple[str, str], ...]
    calibration: Calibration
    fidelity: Fidelity
    differences: Differences
    groups: tuple[GroupFinding, ...]
    group: str | None
    group_metrics: tuple[GroupMetrics, ...]
    student: Additive
    certificate: Certificate | None
    settings: Mapping[str, Any]
    work: Work | _Answered = field(repr=False)

    def missing_features(self) -> MissingFeatures:
        """Whether the score uses something that is not audited; computed once, when asked for.

        The tests take independent cases: people behind frequency weights, one row of each case;
        sampling weights have a part where rows were drawn by score and outcome together. Without
        an outcome only identical cases are looked at.
        """
        w = self.work
        if isinstance(w, Work) and "missing" not in w.done:
            with shown(w.progress) as tell:
                w.done["missing"] = _missing(w, tell)
        kept: MissingFeatures = w.done["missing"]
        return kept

    def model_multiplicity(self) -> ModelMultiplicity:
        """What students of near-equal fidelity agree on; computed when first asked for."""
        w = self.work
        if isinstance(w, Work) and "model_multiplicity" not in w.done:
            with shown(w.progress) as tell:
                w.done["model_multiplicity"] = model_multiplicity(w.table, w.models, tell)
        found: ModelMultiplicity = w.done["model_multiplicity"]
        return found

    def answer(self) -> tuple[MissingFeatures, ModelMultiplicity]:
        """Missing features and model multiplicity; side by side where neither was computed yet."""
        w = self.work
        if isinstance(w, Work) and not w.done:
            with shown(w.progress) as tell, ThreadPoolExecutor(1) as pool:
                missing = pool.submit(_missing, w, quiet)
                w.done["model_multiplicity"] = model_multiplicity(w.table, w.models, tell)
                w.done["missing"] = missing.result()
        return self.missing_features(), self.model_multiplicity()

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path.

        Raises
        ------
        InvalidInput
            If the folder does not exist.
        """
        return write_audit_page(self, path)

    def save(self, folder: str | Path) -> Path:
        """Write the student, its certificate, all numbers, and the page; returns the folder.

        No rows are written: they may speak of people.

        Raises
        ------
        InvalidInput
            If the folder is a file.
        """
        with saved_whole(folder) as to:
            self.student.save(to / "student.json")
            if self.certificate is not None:
                save_certificate(self.certificate, to / "certificate.json")
            write_json(self.to_dict(), to / "audit.json")
            self.report(to / "report.html")
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote; see :func:`limbeck.load`.

        Raises
        ------
        FileRefused
            If a file is lacking, malformed, or of another version.
        """
        folder = Path(folder)
        data = read_json(folder / "audit.json", _FORMAT, _VERSION, oldest=_VERSION)
        certificate = folder / "certificate.json"
        answered = {
            "missing": record(MissingFeatures, data.get("missing_features")),
            "model_multiplicity": record(ModelMultiplicity, data.get("model_multiplicity")),
        }
        return record(
            cls,
            data,
            student=load_student(folder / "student.json"),
            certificate=load_certificate(certificate) if certificate.exists() else None,
            work=_Answered(answered),
        )

    def tables(self) -> dict[str, Table[Any]]:
        """All tables that have rows, by name: features, bins, columns, fit, groups, rates."""
        return tables(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw the features on which score and outcome differ, at most six.

        Where none differs beyond doubt, those of most importance are drawn.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, optional
            Where to draw; single axes are divided; by default a new figure.

        Returns
        -------
        ndarray of matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        return plot_features(self, ax)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON (``null`` for what is not known); no rows."""
        missing, multiplicity = self.answer()
        told = self._saved(
            _FORMAT, _VERSION, "score", "outcome", "frequency_weight", "sampling_weight", "cases",
            "rows", "counting", "columns", "features", "caveats", "dropped", "calibration",
            "fidelity", "differences", "groups", "group", "group_metrics", "settings",
        )  # fmt: skip
        return {
            **told,
            "missing_features": plain(missing),
            "model_multiplicity": plain(multiplicity),
        }

    def __rich__(self) -> RenderableType:
        return audit_table(self)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

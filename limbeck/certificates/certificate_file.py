"""A certificate as a JSON file, and the check that anyone can make of it."""

from __future__ import annotations

import json
import math
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import wording
from limbeck.certificates.certify import certify
from limbeck.certificates.evidence import Predictor, first
from limbeck.certificates.losses import LossFunction
from limbeck.contract import Certificate, GroupBound
from limbeck.errors import FileRefused, InvalidInput
from limbeck.writing import write_bytes

__all__ = ["Difference", "Verification", "load", "save", "verify"]

KIND = "limbeck certificate"
SCHEMA = 1
_RELATIVE = 1e-9  # other versions of scipy may differ in the last bits
_FRESHNESS = 2  # the assumption that depends on which seen rows were given, not on the numbers


def save(certificate: Certificate, path: str | Path) -> Path:
    """Write a certificate as JSON, all of it or nothing.

    Parameters
    ----------
    certificate : Certificate
        What to write.
    path : str or Path
        Where; an older file is replaced in one step.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    FileRefused
        If the folder does not exist or cannot be written.
    """
    record = {"kind": KIND, "schema": SCHEMA, "certificate": asdict(certificate)}
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return write_bytes(text.encode(), path)


def load(path: str | Path) -> Certificate:
    """Read a certificate that `save` wrote. Reading does not verify; see `verify`.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Certificate
        What the file states.

    Raises
    ------
    FileRefused
        If the file cannot be read, is of another kind, of a newer schema, or incomplete.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileRefused(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error
    except ValueError as error:
        raise FileRefused(
            f"{path} is not JSON ({error}).", "Ask for the certificate file again."
        ) from error
    if not isinstance(record, dict) or record.get("kind") != KIND:
        kind = record.get("kind") if isinstance(record, dict) else type(record).__name__
        raise FileRefused(
            f"{path} is of kind {kind!r}, not {KIND!r}.", "Give a file that certify has written."
        )
    schema = record.get("schema")
    if not isinstance(schema, int) or schema < 1:
        raise FileRefused(f"{path} has schema {schema!r}.", "Ask for the file again.")
    if schema > SCHEMA:
        raise FileRefused(
            f"{path} has schema {schema}, and this limbeck reads up to {SCHEMA}.",
            "Upgrade limbeck (pip install -U limbeck).",
        )
    return _certificate(record.get("certificate"), path)


@dataclass(frozen=True)
class Difference:
    """A field of a certificate that does not follow from the student and the rows."""

    field: str
    stated: Any
    found: Any

    def __str__(self) -> str:
        if self.field == "student":
            return (
                "The student's fingerprint differs: this is not the student that was certified"
                f" ({str(self.stated)[:12]}... was, {str(self.found)[:12]}... is given)."
            )
        if self.field == "rows":
            return (
                "The rows or their answers differ from those that were certified"
                f" ({str(self.stated)[:12]}... were, {str(self.found)[:12]}... are given)."
            )
        return f"{self.field} is stated as {self.stated!r}, and recomputing gives {self.found!r}."


@dataclass(frozen=True)
class Verification:
    """What recomputing a certificate has shown.

    Parameters
    ----------
    matches : tuple of str
        Fields that follow from the student and the rows.
    differences : tuple of Difference
        Fields that do not.
    notes : tuple of str
        What does not decide, such as other versions of numpy.
    """

    matches: tuple[str, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the certificate is what the student and the rows give."""
        return not self.differences

    def __str__(self) -> str:
        head = (
            f"Verified: all {len(self.matches)} fields follow from the student and the rows."
            if self.ok
            else f"Not verified: {len(self.differences)} of"
            f" {len(self.matches) + len(self.differences)} fields differ."
        )
        return "\n".join([head, *map(str, self.differences), *self.notes])


def verify(
    certificate: Certificate | str | Path,
    student: Predictor,
    rows: Any,
    answers: Any,
    *,
    groups: Any = None,
    loss: LossFunction | None = None,
    seen: NDArray[np.uint64] | None = None,
) -> Verification:
    """Recompute a certificate from the student and the rows, and compare every field.

    Parameters
    ----------
    certificate : Certificate or path
        What is claimed.
    student : Predictor
        The student that was certified.
    rows, answers
        The rows and the teacher's answers, in their order. Of a certificate made with ``until``
        the first ``certificate.n`` are used.
    groups : array-like of shape (n,), optional
        The group labels, where the certificate has groups.
    loss : callable, optional
        The loss, where it was the user's own.
    seen : ndarray of uint64, optional
        Hashes of training rows, to repeat the check that the rows are fresh.

    Returns
    -------
    Verification
        What matches and what differs.

    Raises
    ------
    FileRefused
        If the file cannot be used; see `load`.
    InvalidInput
        If groups or loss are needed and lacking, or rows and student do not fit together.
    """
    stated = certificate if isinstance(certificate, Certificate) else load(certificate)
    found = _recompute(stated, student, rows, answers, groups, loss, seen)
    matches, differences = [], []
    for name, a, b in _pairs(stated, found):
        if _same(a, b):
            matches.append(name)
        else:
            differences.append(Difference(name, a, b))
    here, there = found.settings["versions"], stated.settings.get("versions", {})
    notes = tuple(
        f"Written with {name} {there[name]}, verified with {here[name]}."
        for name in here
        if name in there and there[name] != here[name]
    )
    return Verification(tuple(matches), tuple(differences), notes)


def _recompute(
    stated: Certificate,
    student: Predictor,
    rows: Any,
    answers: Any,
    groups: Any,
    loss: LossFunction | None,
    seen: NDArray[np.uint64] | None,
) -> Certificate:
    settings = stated.settings
    if stated.groups and groups is None:
        raise InvalidInput(
            f"The certificate has {len(stated.groups)} groups.", "Give groups, one label a row."
        )
    if settings.get("own_loss") and loss is None:
        raise InvalidInput(
            f"The loss {stated.loss!r} is a function of the user's own.", "Give it as loss=..."
        )
    name: Any = "tolerance" if stated.loss == "exceeds" else stated.loss
    shared: dict[str, Any] = {
        "delta": stated.delta,
        "loss": loss if settings.get("own_loss") else name,
        "loss_range": None if name in ("disagreement", "tolerance") else settings.get("loss_range"),
        "tolerance": None if settings.get("finds_tolerance") else stated.tolerance,
        "candidates": settings.get("candidates", 1),
        "seen": seen,
    }
    if "until" in settings:
        batch = (first(rows, stated.n), np.asarray(answers)[: stated.n])
        limit = settings.get("max_rows", stated.n)
        found = certify(
            student, draws=iter([batch]), until=settings["until"], max_rows=limit, **shared
        )
        drawn = wording.surplus(stated.n, settings.get("drawn", stated.n))
        return replace(found, statement=found.statement + drawn)
    return certify(
        student,
        rows,
        answers,
        epsilon=stated.asked,
        bound=settings.get("bound", "betting"),
        groups=groups if stated.groups else None,
        **shared,
    )


def _pairs(stated: Certificate, found: Certificate) -> list[tuple[str, Any, Any]]:
    """Field by field, what is stated and what was found."""
    out = []
    for f in fields(Certificate):
        a, b = getattr(stated, f.name), getattr(found, f.name)
        if f.name == "assumptions":
            a, b = ([s for i, s in enumerate(x) if i != _FRESHNESS] for x in (a, b))
        if f.name == "groups":
            known = {g.group: g for g in b}
            out += [(f"group {g.group!r}", g, known.pop(g.group, None)) for g in a]
            out += [(f"group {name!r}", None, g) for name, g in known.items()]
        elif f.name == "settings":
            keep = sorted((a.keys() | b.keys()) - {"versions", "drawn"})
            out += [(f"settings[{k!r}]", a.get(k), b.get(k)) for k in keep]
        else:
            out.append((f.name, a, b))
    return out


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, GroupBound) and isinstance(b, GroupBound):
        return _same(list(asdict(a).values()), list(asdict(b).values()))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=_RELATIVE)
    return bool(a == b)


_SETTINGS = {"candidates", "max_rows", "until", "drawn"}  # numbers that recomputing needs
_NUMBERS = {"epsilon", "delta", "mean_loss", "asked", "tolerance"}


def _certificate(record: Any, path: str | Path) -> Certificate:
    try:
        values = {}
        for f in fields(Certificate):
            if f.name in record:
                values[f.name] = record[f.name]
            elif f.default is MISSING and f.default_factory is MISSING:
                raise KeyError(f.name)
        for name in _NUMBERS & values.keys():
            if values[name] is not None:
                values[name] = float(values[name])
        values["n"] = int(values["n"])
        values["assumptions"] = tuple(map(str, values["assumptions"]))
        values["groups"] = tuple(GroupBound(**g) for g in values.get("groups", ()))
        settings = values.get("settings", {})
        for name in _SETTINGS & settings.keys():
            float(settings[name])
        return Certificate(**values)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileRefused(
            f"{path} is not a complete certificate ({error}).",
            "Ask for the file again, or certify anew.",
        ) from error

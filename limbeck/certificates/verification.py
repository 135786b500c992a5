"""The check that anyone can make of a certificate, and what no check can show."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import sentences, wording
from limbeck.certificates.active import recompute_active
from limbeck.certificates.certificate_file import read_stored
from limbeck.certificates.certify import certify
from limbeck.certificates.evidence import Predictor, count, take
from limbeck.certificates.losses import LossFunction
from limbeck.certificates.texts import TEXT_LOSSES
from limbeck.certificates.vouching import vouching
from limbeck.core.certificate import Certificate, GroupBound
from limbeck.core.errors import InvalidInput
from limbeck.data.cases import read_column, units_of
from limbeck.data.row_batches import is_batched

__all__ = ["FieldMismatch", "Verification", "same", "verify"]

_RELATIVE = 1e-9  # other versions of scipy may differ in the last bits


@dataclass(frozen=True)
class FieldMismatch:
    """A field of a certificate that does not follow from the student and the rows."""

    field: str
    stated: Any
    found: Any

    def __str__(self) -> str:
        if self.field == "signature":
            return str(self.found)
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
        if self.field == "settings['ordered_rows']":
            return (
                "The rows stand in another order than those that were certified, or their cases"
                " differ; this certificate depends on both."
            )
        return f"{self.field} is stated as {self.stated!r}, and recomputing gives {self.found!r}."


@dataclass(frozen=True)
class Verification:
    """What recomputing a certificate has shown.

    Parameters
    ----------
    matches : tuple of str
        Fields that follow from the student and the rows.
    differences : tuple of FieldMismatch
        Fields that do not.
    notes : tuple of str
        What does not decide, such as other versions of numpy.
    unchecked : tuple of str
        What the certificate assumes and recomputing cannot show, a sentence each.
    signed_by : str
        The public key, in hexadecimal, whose holder signed exactly this certificate; empty where
        nobody is known to have.
    """

    matches: tuple[str, ...]
    differences: tuple[FieldMismatch, ...]
    notes: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    signed_by: str = ""

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
        lines = [head, *map(str, self.differences), *self.notes]
        if self.unchecked:
            lines += ["Not checked:", *(f"  {sentence}" for sentence in self.unchecked)]
        return "\n".join(lines)


def verify(
    certificate: Certificate | str | Path,
    student: Predictor,
    rows: Any,
    answers: Any,
    *,
    groups: Any = None,
    cases: Any = None,
    loss: LossFunction | None = None,
    seen: NDArray[np.uint64] | None = None,
    doubt: Any = None,
    public_key: Any = None,
) -> Verification:
    """Recompute a certificate from the student and the rows, and compare every field.

    What it assumes is recomputed where that can be: which rows are copies, which belong to one
    case, and, with ``seen``, whether training saw any of them. The rest is listed in
    `Verification.unchecked`.

    Parameters
    ----------
    certificate : Certificate or path
        What is claimed.
    student : Predictor
        The student that was certified.
    rows, answers
        The rows and the teacher's answers; in their order, where the bound depends on it (betting
        bounds, and cases). Of a certificate made with ``until`` the first rows or cases are used,
        as many as it counts.
    groups : array-like of shape (n,), optional
        The group labels, where the certificate has groups.
    cases : array-like of shape (n,) or str, optional
        The cases or their column, where the certificate goes by cases.
    loss : callable, optional
        The loss, where it was the user's own.
    seen : ndarray of uint64, optional
        Hashes of training rows, to check that the rows are fresh; as for `certify`.
    doubt : array-like of shape (n,), optional
        The doubt by which rows were chosen, where it was given to `certify_active`; answers are
        then None where the teacher was not asked.
    public_key : str, Path or Ed25519PublicKey, optional
        The key that must have signed the certificate: a PEM file, or one read with
        ``cryptography``. What is not signed, signed with another key, or altered since, is not
        verified. Without it a signature is checked against the key that the certificate names.

    Returns
    -------
    Verification
        What matches and what differs.

    Raises
    ------
    FileRefused
        If the file cannot be used; see `load`.
    InvalidInput
        If training saw the rows; if groups, cases or loss are needed and lacking, or rows and
        student do not fit together.
    MissingExtra
        If a public key is given and the package ``cryptography`` is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from limbeck import certify, verify
    >>> from limbeck.students import Tree
    >>> X = np.arange(40.0).reshape(-1, 1)
    >>> student = Tree(max_leaves=2).fit(X, X[:, 0] > 20)
    >>> certificate = certify(student, X, X[:, 0] > 20)
    >>> verify(certificate, student, X, X[:, 0] > 20).differences
    ()
    """
    stated = certificate if isinstance(certificate, Certificate) else read_stored(certificate)
    if stated.loss in TEXT_LOSSES:
        raise InvalidInput(
            "This is a certificate of texts: it is recomputed from two language models.",
            "Use limbeck.language.verify(folder, teacher), or limbeck verify FOLDER.",
        )
    signed = vouching(stated, public_key)
    found = _recompute(stated, student, rows, answers, groups, cases, loss, seen, doubt)
    matches, differences = [], []
    for name, a, b in _pairs(stated, found):
        if same(a, b):
            matches.append(name)
        else:
            differences.append(FieldMismatch(name, a, b))
    if signed.fault:
        differences.append(FieldMismatch("signature", stated.signature, signed.fault))
    here, there = found.settings["versions"], stated.settings.get("versions", {})
    notes = tuple(
        f"Written with {name} {there[name]}, verified with {here[name]}."
        for name in here
        if name in there and there[name] != here[name]
    )
    facts = found.settings["seen"]
    if facts is not None and not _same_list(stated, facts):
        notes += (
            f"{sentences.freshness(facts)} The certificate was made with another list, or none.",
        )
    unchecked = _unchecked(stated, found, facts)
    if signed.unchecked:
        unchecked += (signed.unchecked,)
    notes = (signed.note, *notes) if signed.note else notes
    return Verification(tuple(matches), tuple(differences), notes, unchecked, signed.public_key)


def _same_list(stated: Certificate, facts: dict[str, Any]) -> bool:
    return bool((stated.settings.get("seen") or {}).get("list") == facts["list"])


def _unchecked(
    stated: Certificate, found: Certificate, facts: dict[str, Any] | None
) -> tuple[str, ...]:
    """What the certificate assumes and was not recomputed here."""
    settings = found.settings
    drawn = "cases" if settings["cases"] else "rows"
    out = [f"That the {drawn} are independent draws from what the student will meet."]
    if facts is None:
        out.append(
            "That the rows are fresh: no list of the rows that training saw was given, so"
            " freshness is the word of whoever issued it."
        )
    elif settings["cases"] and facts["cases"] is None:
        out.append(
            "That training saw none of the cases: the list of the rows that training saw names"
            " none, so this is the word of whoever issued it."
        )
    if facts is not None:
        out.append("That training and choosing the student used no rows beyond those in the list.")
    out.append("That the answers are the teacher's own: the teacher was not asked.")
    rule = settings["duplicates"]
    if rule != "auto" and settings["copies" if rule == "drop" else "coincidences"]:
        taken = "copies" if rule == "drop" else "draws of their own"
        out.append(f"That identical rows are {taken}: this is the word of whoever issued it.")
    if found.bound == wording.ACTIVE:
        out.append("That the seed by which rows were chosen was fixed before any answer.")
    if found.bound in (wording.BETTING, wording.ANYTIME, wording.ACTIVE):
        out.append(f"That the {drawn} stand in the order in which they were drawn.")
    if found.loss != "disagreement" and not settings["finds_tolerance"]:
        fixed = "tolerance" if found.loss == "exceeds" else "range of the loss"
        out.append(f"That the {fixed} was fixed before the rows were looked at.")
    if stated.settings.get("until") is None:
        n = settings["candidates"]
        students = "no other student was" if n == 1 else f"no more than {n} students were"
        out.append(f"That {students} certified on these rows.")
    return tuple(out)


def _recompute(
    stated: Certificate,
    student: Predictor,
    rows: Any,
    answers: Any,
    groups: Any,
    cases: Any,
    loss: LossFunction | None,
    seen: NDArray[np.uint64] | None,
    doubt: Any,
) -> Certificate:
    settings = stated.settings
    if stated.groups and groups is None:
        raise InvalidInput(
            f"The certificate has {len(stated.groups)} groups.", "Give groups, one label per row."
        )
    if settings.get("cases") and cases is None:
        raise InvalidInput(
            f"The certificate goes by cases, of which it counts {stated.n:,}.",
            "Give cases, one label per row, or the name of their column.",
        )
    if settings.get("own_loss") and loss is None:
        raise InvalidInput(
            f"The loss {stated.loss!r} is a function of the user's own.", "Give it as loss=..."
        )
    if "active" in settings:
        own = replace(sentences.loss_of(stated), function=loss if settings["own_loss"] else None)
        return recompute_active(stated, student, rows, answers, own, doubt, seen)
    name: Any = "tolerance" if stated.loss == "exceeds" else stated.loss
    shared: dict[str, Any] = {
        "delta": stated.delta,
        "loss": loss if settings.get("own_loss") else name,
        "loss_range": None if name in ("disagreement", "tolerance") else settings.get("loss_range"),
        "tolerance": None if settings.get("finds_tolerance") else stated.tolerance,
        "candidates": settings.get("candidates", 1),
        "seen": seen,
        "duplicates": settings.get("duplicates", "auto"),
    }
    case_of = cases if settings.get("cases") else None
    if not is_batched(rows):
        case_of = read_column(case_of, rows, "cases")
    if "until" in settings:
        n = count(rows)
        units = np.arange(n) if case_of is None else units_of(np.arange(n), case_of).of
        used = np.flatnonzero(units < stated.n)
        more = () if case_of is None else (case_of[used],)
        batch = (take(rows, used), np.asarray(answers)[used], *more)
        limit = settings.get("max_rows", stated.n)
        found = certify(
            student, draws=iter([batch]), until=settings["until"], max_rows=limit, **shared
        )
        drawn = settings.get("drawn", stated.n)  # what lay beyond is not there to be counted
        found = replace(found, settings={**found.settings, "drawn": drawn})
        return replace(found, statement=sentences.statement_of(found))
    return certify(
        student,
        rows,
        answers,
        epsilon=stated.asked,
        bound=settings.get("bound", "betting"),
        groups=groups if stated.groups else None,
        cases=case_of,
        **shared,
    )


def _pairs(stated: Certificate, found: Certificate) -> list[tuple[str, Any, Any]]:
    """Field by field, what is stated and what was found."""
    mine, theirs = dict(found.settings), dict(stated.settings)
    if mine["seen"] is None or not _same_list(stated, mine["seen"]):
        mine["seen"] = theirs.get("seen")  # cannot be compared: its sentence must fit its numbers
        found = replace(found, settings=mine, assumptions=_assumed(found, mine))
    out = []
    for f in fields(Certificate):
        a, b = getattr(stated, f.name), getattr(found, f.name)
        if f.name == "signature":
            continue  # it does not follow from the rows: see `vouching`
        if f.name == "groups":
            known = {g.group: g for g in b}
            out += [(f"group {g.group!r}", g, known.pop(g.group, None)) for g in a]
            out += [(f"group {name!r}", None, g) for name, g in known.items()]
        elif f.name == "settings":
            keep = sorted((theirs.keys() | mine.keys()) - {"versions", "drawn"})
            out += [(f"settings[{k!r}]", theirs.get(k), mine.get(k)) for k in keep]
        else:
            out.append((f.name, a, b))
    return out


def _assumed(found: Certificate, settings: dict[str, Any]) -> tuple[str, ...]:
    try:
        return sentences.assumptions_of(replace(found, settings=settings))
    except (KeyError, TypeError, ValueError) as error:
        return (f"no comparison with seen rows can be read from the file ({error})",)


def same(a: Any, b: Any) -> bool:
    """Whether two fields of certificates say the same, floats up to their last bits.

    Parameters
    ----------
    a, b : Any
        What is stated, and what was found.
    """
    if isinstance(a, GroupBound) and isinstance(b, GroupBound):
        return same(list(asdict(a).values()), list(asdict(b).values()))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=_RELATIVE)
    return bool(a == b)

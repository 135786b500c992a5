"""The steps of a distillation on disk: a folder each, which verifies like the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.certificates.composed import ComposedBound
from limbeck.core.certificate import Certificate
from limbeck.core.contract import Student
from limbeck.students.files import load as load_student

__all__ = ["read_chain", "step_folders"]


def step_folders(folder: Path, chain: ComposedBound | None) -> list[Path]:
    """Where the steps lie: ``steps/1-tree``, ``steps/2-rules``.

    Parameters
    ----------
    folder : Path
        Of the result.
    chain : ComposedBound or None
        Its students give the names; none without steps.
    """
    names = () if chain is None else chain.students
    return [folder / "steps" / f"{i}-{name}" for i, name in enumerate(names, 1)]


def read_chain(
    folder: Path, names: Any, direct: Certificate
) -> tuple[tuple[Student, ...], ComposedBound | None]:
    """The students and certificates of the steps; nothing where there were none.

    Parameters
    ----------
    folder : Path
        Of the result.
    names : list of str or None
        The students in order, as ``result.json`` has them.
    direct : Certificate
        Of the last student against the teacher.

    Raises
    ------
    FileRefused
        If a file is lacking or malformed.
    """
    if not names:
        return (), None
    folders = [folder / "steps" / f"{i}-{Path(str(n)).name}" for i, n in enumerate(names, 1)]
    certificates = tuple(load_certificate(one / "certificate.json") for one in folders)
    students = tuple(load_student(one / "student.json") for one in folders)
    return students, ComposedBound(tuple(map(str, names)), certificates, direct)

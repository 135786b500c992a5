"""Which outputs teacher and student share, where one has more of them than the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from limbeck.api.prepare.input_checks import looked_at
from limbeck.api.prepare.outputs import parts_of
from limbeck.core.errors import InvalidInput
from limbeck.modules.outputs import OutputReader, read_by, reading_of
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.vocabularies import same_tokenizers

__all__ = ["apart_notes", "share_outputs"]


def share_outputs(
    rows: Samples,
    teacher: nn.Module | None,
    students: Sequence[nn.Module],
    reads: Sequence[OutputReader],
    vocabulary: int | None = None,
    tokenizers: Sequence[Any] | None = None,
) -> tuple[list[OutputReader], int | None, list[str]]:
    """Let networks with padded outputs be read as far as all of them go.

    Parameters
    ----------
    rows : Samples
        The first four are asked about.
    teacher : nn.Module or None
        An ensemble is read teacher by teacher.
    students : sequence of nn.Module
        In their order.
    reads : sequence of OutputReader
        How their outputs are read so far.
    vocabulary : int, optional
        How many outputs are shared. None: where the tokenizers are the same, those that every
        network has; else all.
    tokenizers : pair, optional
        The teacher's and the student's.

    Returns
    -------
    reads : list of OutputReader
        Of the students, from now on.
    vocabulary : int or None
        How many outputs are shared; None where nothing is cut off.
    notes : list of str
        What was cut off.

    Raises
    ------
    InvalidInput
        If a network has fewer outputs than are to be shared.
    """
    if vocabulary is None and (tokenizers is None or teacher is None):
        return list(reads), None, []
    inputs = rows.fetch(range(min(len(rows), 4))).inputs
    named = [("student", m) for m in students] + ([("teacher", teacher)] if teacher else [])
    sizes = [(role, looked_at(role, m, inputs)[0].logits.shape[-1]) for role, m in named]
    fewest = min(k for _, k in sizes)
    if vocabulary is None:
        same_tokenizers(tokenizers or ())
        known = max((tokenizers or ())[0].get_vocab().values(), default=0) + 1
        if len({k for _, k in sizes}) == 1 or known > fewest:
            return list(reads), None, []
        vocabulary = fewest
    if isinstance(vocabulary, bool) or not isinstance(vocabulary, int) or vocabulary < 1:
        raise InvalidInput(f"vocabulary is {vocabulary!r}.", "Give a whole number from 1.")
    for role, k in sizes:
        if k < vocabulary:
            raise InvalidInput(
                f"vocabulary is {vocabulary:,}, and the {role} has {k:,} outputs.",
                f"Give at most {fewest:,}: so many all networks have.",
            )
    for part in parts_of(teacher):
        read_by(part, replace(reading_of(part), first=vocabulary))
    for student in students:
        read_by(student, replace(reading_of(student), first=vocabulary))
    told = ", ".join(f"the {role} has {k:,}" for role, k in dict.fromkeys(sizes))
    notes = [
        f"The first {vocabulary:,} outputs are shared ({told}): what is beyond enters no loss, no"
        " score, no cache and no certificate."
    ]
    if any(role == "student" and k > vocabulary for role, k in sizes):
        notes.append(
            f"The student's outputs from {vocabulary:,} on learn nothing: leave them out when you"
            " use it. The ONNX file has none of them."
        )
    return [replace(r, first=vocabulary) for r in reads], vocabulary, notes


def apart_notes(labels: bool) -> list[str]:
    """What is not measured where outputs of teacher and student do not mean the same."""
    told = "The objective compares layers, and teacher and student differ in their outputs:"
    told += " agreement with the teacher is not measured, and nothing is certified."
    if labels:
        return [
            f"{told} Accuracy is that on the labels, which terms such as GoldLabels() teach;"
            " the teacher has no line in the table."
        ]
    return [
        f"{told} Without labels accuracy is not measured either: the history has the losses; give"
        " labels, or measure what the student is for, such as the neighbours that it finds."
    ]

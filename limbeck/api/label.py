"""Label texts by a teacher, each text once, so that a run that was cut off goes on."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import probabilities
from limbeck.core.atomic_io import write_bytes
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, plural, whole_number
from limbeck.core.progress import shown
from limbeck.core.strict_json import parse_json
from limbeck.core.task import Task
from limbeck.data.text_files import texts_given
from limbeck.results.labels import Labels
from limbeck.teachers import as_teacher
from limbeck.teachers.endpoints.paid_teacher import PaidTeacher
from limbeck.teachers.identity import teacher_identity

__all__ = ["label", "unfinished"]

_BLOCK, _EXAMPLE = 256, 16
_UNKNOWN = json.dumps({"teacher": None}, allow_nan=False)


def label(
    teacher: Any,
    texts: Any,
    *,
    column: str | None = None,
    budget: int | None = None,
    out: str | Path | None = None,
    name: str | None = None,
    seed: int = 0,
    progress: bool | None = None,
    **outputs: Any,
) -> Labels:
    """Ask a teacher for a label of each text, with probabilities where it has them.

    Equal texts are asked about once, and empty ones not at all. What a service answers is in its
    store; with ``out`` the answers of other teachers are kept beside that file until it is
    complete. So a run that was cut off goes on where it was.

    Parameters
    ----------
    teacher : Teacher, model, or path
        Who labels; see `limbeck.as_teacher`.
    texts : list, array, Series, DataFrame or path
        The texts, or a .csv, .parquet or .jsonl file, or the folder of a Hugging Face data set.
    column : str, optional
        The column of a table that holds them.
    budget : int, optional
        Label at most so many texts, chosen by chance.
    out : path, optional
        A .jsonl file with a line for each text: ``text``, ``label``, ``probabilities``; for a text
        without an answer ``label`` is null and ``reason`` says why.
    name : str, optional
        By what the answers of a teacher in memory are known again in a later run, such as
        ``"topics-v2"``; by default by its code and content, so that a changed function is asked
        anew. Give another name when it changes.
    seed : int
        Of the choice by chance.
    progress : bool, optional
        A progress bar; by default on a terminal only.
    **outputs
        What `limbeck.as_teacher` takes: ``classes``, ``prompt``, ``score_kind``.

    Returns
    -------
    Labels
        Prints as counts and bill.

    Raises
    ------
    InvalidInput
        If there is no text, the budget of a service does not cover it, or ``out`` is no .jsonl.

    Examples
    --------
    >>> import limbeck
    >>> loud = limbeck.as_teacher(lambda X: [t.isupper() for t in X], classes=(False, True))
    >>> found = limbeck.label(loud, ["yes", "NO", "yes"], progress=False)
    >>> found.labels.tolist()
    [False, True]
    """
    given = texts_given(texts, column)
    if out is not None and Path(out).suffix.lower() != ".jsonl":
        raise InvalidInput(f"out is {str(out)!r}.", "Give the name of a .jsonl file.")
    kept, notes = _different(given)
    if budget is not None and whole_number("budget", budget, 1) < len(kept):
        order = np.random.default_rng(seed).permutation(len(kept))[:budget]
        notes.append(f"{budget:,} of {len(kept):,} different texts were chosen by chance.")
        kept = kept[np.sort(order)]
    known = as_teacher(teacher, None, example=kept[:_EXAMPLE], **outputs)
    _check_outputs(known.task, known.name)
    found = _paid(known, kept) if isinstance(known, PaidTeacher) else _free(
        known, kept, out, progress, lambda: teacher_identity(known, teacher, name)
    )  # fmt: skip
    soft, reasons, undecided, bill = found
    labels = Labels(kept, soft, known.task, reasons, undecided, known.name, (*notes, *bill))
    if out is not None:
        labels.save(out)
        unfinished(Path(out)).unlink(missing_ok=True)
    return labels


Found = tuple[NDArray[np.float64], dict[int, str], NDArray[np.bool_], list[str]]


def _different(texts: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Each text once, without empty ones, and what was left out."""
    filled = [text for text in texts.tolist() if text.strip()]
    once = list(dict.fromkeys(filled))
    empty, repeated = len(texts) - len(filled), len(filled) - len(once)
    notes = []
    if empty:
        notes.append(f"{plural(empty, 'empty text')} left out.")
    if repeated:
        notes.append(f"{plural(repeated, 'text')} equal to others and asked about once.")
    if not once:
        raise InvalidInput(f"All {len(texts):,} texts are empty.", "Give texts.")
    kept = np.empty(len(once), dtype=object)
    kept[:] = once
    return kept, notes


def _check_outputs(task: Task, name: str) -> None:
    if not (task.classifies and task.classes) and (task.classifies or task.outputs != 1):
        raise InvalidInput(
            f"{name} answers with {task.outputs} numbers a text.",
            "Give a teacher of classes, or of one number; name the classes with classes=[...].",
        )


def _paid(teacher: PaidTeacher, texts: NDArray[Any]) -> Found:
    before = str(teacher.estimate(texts))
    found = teacher.answers(texts)
    soft = found.scores
    if teacher.task.classifies:
        good = found.answered
        soft = soft.copy()
        soft[good] = probabilities(soft[good], teacher.score_kind)
    return soft, {m.row: m.reason for m in found.missing}, found.undecided, [
        f"Before the first question: {before}", str(found), teacher.note,
    ]  # fmt: skip


def _free(
    teacher: Teacher,
    texts: NDArray[Any],
    out: str | Path | None,
    progress: bool | None,
    identity: Callable[[], str | None],
) -> Found:
    """Blocks of texts, each written when it is answered."""
    partial = None if out is None else unfinished(Path(out))
    head, other = "", ""
    done: dict[str, Any] = {}
    if partial is not None:
        head = json.dumps({"teacher": identity()}, allow_nan=False)
        done, other = _read(partial, head, teacher.name)
    open_ = [i for i, text in enumerate(texts.tolist()) if text not in done]
    if partial is not None and open_:
        lines = (f"{head}\n", *(_line(text, scores) for text, scores in done.items()))
        write_bytes("".join(lines).encode(), partial)
    with shown(progress) as tell:
        for start in range(0, len(open_), _BLOCK):
            tell(f"asking {teacher.name}", start, len(open_))
            some = texts[open_[start : start + _BLOCK]]
            scores = np.asarray(teacher.scores(some), dtype=np.float64)
            rows = probabilities(scores, teacher.score_kind) if teacher.task.classifies else scores
            new = dict(zip(some.tolist(), rows.tolist(), strict=True))
            done |= new
            if partial is not None:
                with partial.open("a") as file:
                    file.writelines(_line(text, scores) for text, scores in new.items())
    soft = np.array([done[text] for text in texts.tolist()], dtype=np.float64)
    note = f"{plural(len(open_), 'text')} asked about now."
    if done and len(open_) < len(texts):
        note += f" {plural(len(texts) - len(open_), 'text')} answered by a run before."
    more = [*getattr(teacher, "answer_notes", ()), getattr(teacher, "note", "")]
    return soft, {}, np.zeros(len(texts), dtype=bool), [note, *(m for m in (other, *more) if m)]


def unfinished(out: Path) -> Path:
    """Where the answers are kept until all texts have one.

    Parameters
    ----------
    out : Path
        The file for all of them.
    """
    return out.with_name(f".{out.name}.partial")


def _read(partial: Path, head: str, name: str) -> tuple[dict[str, Any], str]:
    """What an earlier run answered, and that it was another teacher or prompt, if it was.

    Raises
    ------
    InvalidInput
        If nothing tells whether it was this teacher.
    """
    if not partial.is_file():
        return {}, ""
    lines = partial.read_text(errors="replace").splitlines()
    if not lines:
        return {}, ""
    if head == _UNKNOWN:
        raise InvalidInput(
            f"{str(partial)!r} holds answers of a run that was cut off, and nothing tells whether"
            f" {name} is the teacher that gave them.",
            f"Give name='...' in each run with this teacher, and remove {str(partial)!r}.",
        )
    if lines[0] != head:
        return {}, (
            f"{str(partial)!r} held {len(lines) - 1:,} answers of another teacher, prompt or"
            " classes: none was used."
        )
    done = {}
    for line in lines[1:]:
        try:
            text, scores, _ = parse_json(line.encode(errors="replace"))
            whole = isinstance(text, str) and _line(text, scores) == f"{line}\n"
        except (ValueError, TypeError):
            break  # cut off while it was written
        if not whole:
            break  # damaged since: it and what follows is asked about again
        done[text] = scores
    return done, ""


def _line(text: str, scores: list[float]) -> str:
    """An answer with its checksum, as it is kept until all texts have one."""
    told = json.dumps([text, scores], allow_nan=False)
    return f"{told[:-1]}, {zlib.crc32(told.encode())}]\n"

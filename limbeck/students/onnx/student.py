"""A network as an ONNX file that answers rows of a table: what a third party can certify.

It needs onnxruntime, and neither torch nor the code of the network.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.strict_json import parse_json
from limbeck.core.task import Task
from limbeck.data.duplicates import ColumnKind
from limbeck.data.labels import is_label
from limbeck.data.onnx_files import open_onnx
from limbeck.students.onnx.layout import Layout

__all__ = ["KEY", "OnnxStudent", "answers_of"]

KEY = "limbeck"
"""The entry of the file's metadata that says what its inputs and outputs mean."""
_BATCH = 256
_FORMS = ("", "flat", "places")
_COMPARED = ("", "tokens", "labels", "numbers")


class OnnxStudent:
    """A network that was exported by limbeck.

    Parameters
    ----------
    path : path
        The .onnx file.

    Raises
    ------
    FileRefused
        If it cannot be read, keeps weights in other files, or limbeck did not write it.
    MissingExtra
        If onnx or onnxruntime is absent.
    """

    def __init__(self, path: str | Path) -> None:
        opened = open_onnx(Path(path))
        self._file = replace(opened, model=None)
        self._session = self._file.session()
        meta = {e.key: e.value for e in opened.model.metadata_props}.get(KEY)
        if meta is None:
            raise FileRefused(
                f"{str(path)!r} does not say what its inputs mean.",
                "Give a student.onnx that limbeck wrote.",
            )
        self.task_, self.layout, self.compared, self._form = _read(meta)
        self._hash = hashlib.sha256(opened.content).hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_session"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._session = self._file.session()  # made anew from the bytes of the file

    @property
    def features_(self) -> Features:
        """The columns: the inputs side by side, flattened."""
        return self.layout.features

    def fingerprint(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return self._hash

    @property
    def kinds(self) -> tuple[ColumnKind, ...]:
        """What the columns of `bare` hold; see `limbeck.students.onnx.layout.Layout.kinds`."""
        return self.layout.kinds(told=bool(self.compared))

    def bare(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What rows of shape (n, d) share with rows of the training: inputs without padding."""
        return self.layout.bare(rows, told=bool(self.compared))

    def plot(self, ax: Any = None) -> Any:
        """Refuse: a network has no drawing that could be read.

        Raises
        ------
        InvalidInput
            Says what can be drawn instead.
        """
        raise InvalidInput(
            "A network has no drawing of its own.",
            "Draw what distill returned, result.plot(), or distil into a student that can be read:"
            " limbeck.distill(..., into='tree').",
        )

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,) for rows of shape (n, d); see `answers_of`."""
        rows, names = self.features_.encode(X), [i.name for i in self._session.get_inputs()]
        out = []
        for start in range(0, len(rows), _BATCH):
            parts = self.layout.inputs(rows[start : start + _BATCH])
            told = parts[len(names) :]
            given = dict(zip(names, parts, strict=False))
            scores = _in_form(self._session.run(None, given)[0], self._form)
            out.append(answers_of(scores, self.task_, told[0] if told else None, self.compared))
        return np.concatenate(out)


def answers_of(
    scores: NDArray[Any], task: Task, told: NDArray[Any] | None, compared: str
) -> NDArray[Any]:
    """One answer per row, from a network's outputs.

    Parameters
    ----------
    scores : ndarray of shape (n, k) or (n, t, k)
        The outputs.
    task : Task
        Classes, or one number.
    told : ndarray or None
        Where a row has many answers: those of the teacher, -1 where none counts.
    compared : str
        ``""``: the class (of two, from one logit) or the number itself. Otherwise how far the
        answers are from those told: for ``"tokens"`` and ``"labels"`` the share that differ, for
        ``"numbers"`` the largest error.

    Returns
    -------
    ndarray of shape (n,)
        Labels or values.
    """
    n = len(scores)
    if told is None and not task.classifies:
        return scores.reshape(n)
    if told is None:
        one = scores.size == n  # a single logit: above 0 it says the second of two classes
        chosen = scores.reshape(n) > 0 if one else scores.argmax(-1)
        return np.asarray(task.labels[chosen.astype(np.int64)])
    if compared == "numbers":
        return np.asarray(np.abs(scores.reshape(n, -1) - told.reshape(n, -1)).max(axis=1))
    said = scores > 0 if compared == "labels" else scores.argmax(-1)
    counts = told >= 0
    differ = (said != told) & counts
    return np.asarray(differ.reshape(n, -1).sum(1) / np.maximum(counts.reshape(n, -1).sum(1), 1))


def _in_form(scores: NDArray[Any], form: str) -> NDArray[Any]:
    """Outputs as answers are read from them: (n, k), or (n, t, k) with an answer at every place.

    Parameters
    ----------
    scores : ndarray of shape (n, ...)
        As the network returns them.
    form : {"", "flat", "places"}
        As they are; numbers side by side; or classes on the second axis, (n, k, h, w).
    """
    if form == "flat":
        return scores.reshape(len(scores), -1)
    if form == "places":
        return scores.reshape(*scores.shape[:2], -1).swapaxes(1, 2)
    return scores


def _read(meta: str) -> tuple[Task, Layout, str, str]:
    try:
        data = parse_json(meta)
        classes, unit, compared = tuple(data["classes"]), data["unit"], data["compared"]
        form = str(data.get("form", ""))
        if not all(map(is_label, classes)) or len(set(classes)) < len(classes):
            raise ValueError
        if not isinstance(unit, str) or form not in _FORMS or compared not in _COMPARED:
            raise ValueError
        layout = data["layout"]
    except (ValueError, KeyError, TypeError):
        raise FileRefused("The file's metadata are malformed.", "Export it again.") from None
    return Task(classes, unit), Layout.from_list(layout), str(compared), form

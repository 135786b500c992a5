"""What a teacher said of texts: labels with their probabilities, ready to be written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput, plural
from limbeck.core.task import Task
from limbeck.reports.plots import axes_of

__all__ = ["Labels"]

_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Labels:
    """A teacher's labels of n texts.

    Parameters
    ----------
    texts : ndarray of shape (n,), object
        The texts, in their order; equal ones once.
    soft : ndarray of shape (n, k)
        Probabilities of classes, or values; NaN where there is no answer.
    task : Task
        Classes, or the unit of the values.
    reasons : mapping from int to str
        Of texts without an answer: why.
    undecided : ndarray of shape (n,), bool
        Where the service showed too little to be sure of the class.
    teacher : str
        Its name.
    notes : tuple of str
        The bill; what was left out.
    """

    texts: NDArray[Any]
    soft: NDArray[np.float64]
    task: Task
    reasons: Mapping[int, str]
    undecided: NDArray[np.bool_]
    teacher: str
    notes: tuple[str, ...] = ()

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which texts have a label, shape (n,)."""
        return np.asarray(~np.isnan(self.soft).any(axis=1))

    @property
    def labels(self) -> NDArray[Any]:
        """The labels of shape (n,), None where there is no answer."""
        out = np.full(len(self.texts), None, dtype=object)
        good = self.answered
        if self.task.classifies:
            out[good] = self.task.labels[self.soft[good].argmax(axis=1)].tolist()
        else:
            out[good] = self.soft[good, 0].tolist()
        return out

    def rows(self) -> list[dict[str, Any]]:
        """One mapping for each text, ready for JSON."""
        out, labels = [], self.labels
        for i, text in enumerate(self.texts.tolist()):
            row: dict[str, Any] = {"text": text, "label": labels[i]}
            if labels[i] is None:
                row["reason"] = self.reasons.get(i, "it was not asked")
            elif self.task.classifies:
                names = map(str, self.task.classes)
                row["probabilities"] = dict(zip(names, self.soft[i].round(6).tolist(), strict=True))
                if self.undecided[i]:
                    row["undecided"] = True
            out.append(row)
        return out

    def save(self, path: str | Path) -> Path:
        """Write a .jsonl file with a line for each text, also for those without an answer.

        Parameters
        ----------
        path : path
            The file; one that exists is replaced.
        """
        path = Path(path)
        if path.suffix.lower() != ".jsonl":
            raise InvalidInput(f"out is {path.name!r}.", "Give the name of a .jsonl file.")
        lines = [json.dumps(r, ensure_ascii=False, allow_nan=False) for r in self.rows()]
        return write_bytes("".join(f"{line}\n" for line in lines).encode(), path)

    def to_frame(self) -> Any:
        """The same as a DataFrame: text, label, and a column of probabilities for each class."""
        import pandas as pd

        out = pd.DataFrame({"text": self.texts, "label": self.labels})
        if self.task.classifies:
            for i, name in enumerate(self.task.classes):
                out[f"p({name})"] = self.soft[:, i]
        return out

    def plot(self, ax: Any = None) -> Any:
        """Draw how many texts have each label, or a histogram of values, on matplotlib axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        """
        ax = axes_of(ax)
        held = self.labels[self.answered]
        if self.task.classifies:
            names = [str(c) for c in self.task.classes][::-1]
            seen = Counter(map(str, held.tolist()))
            ax.barh(names, [seen[name] for name in names])
            ax.set_xlabel("texts")
        else:
            ax.hist(held.astype(float), bins="auto")
            ax.set_xlabel(self.task.unit or "value")
            ax.set_ylabel("texts")
        return ax

    def __str__(self) -> str:
        good = self.answered
        out = [f"{plural(int(good.sum()), 'text')} labelled by {self.teacher}."]
        if self.task.classifies:
            seen = Counter(map(str, self.labels[good].tolist()))
            out += [f"  {c}: {seen[str(c)]:,}" for c in self.task.classes]
            never = [str(c) for c in self.task.classes if not seen[str(c)]]
            if never:
                out.append(f"Never answered: {', '.join(never)}.")
        if self.undecided.any():
            out.append(f"In {int(self.undecided.sum()):,} the class is not certain.")
        if self.reasons:
            common = Counter(self.reasons.values()).most_common(_SHOWN)
            shown = "; ".join(f"{reason} ({n:,})" for reason, n in common)
            out.append(f"{plural(len(self.reasons), 'text')} without a label: {shown}.")
        return "\n".join([*out, *self.notes])

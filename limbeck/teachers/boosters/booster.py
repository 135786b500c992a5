"""What boosters have in common as teachers: raw scores as logits, columns by name, classes."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import (
    AccessDenied,
    FileRefused,
    InvalidInput,
    did_you_mean,
    plural,
    whole_number,
)
from limbeck.core.task import Label
from limbeck.teachers.batched import BatchedTeacher
from limbeck.teachers.reading import FirstOutputs

__all__ = ["BoosterTeacher", "OpenedBooster", "newer", "read_booster"]

Family = Literal["logit", "probability", "label", "value", "unknown"]
_NUMBERED = re.compile(r"(Column_|f|x)?\d+")  # names that a library gives to columns without any


@dataclass(frozen=True, eq=False)
class OpenedBooster:
    """A booster, whichever library it is of.

    Parameters
    ----------
    name : str
        The file's, or that of the model's class.
    ask : callable
        From rows to logits, probabilities, labels or values, (n,) or (n, k).
    family : {"logit", "probability", "label", "value", "unknown"}
        What ``ask`` returns; unknown for an objective of the user's own.
    outputs : int
        Numbers per row: 1 for two classes and for regression.
    objective : str
        As the library names it.
    trees : int
        Rounds of boosting that are used.
    classes : tuple of labels, optional
        Those that the model itself names.
    columns : tuple of str
        Names of the columns, if it knows them.
    note : str
        What was chosen, such as the best iteration.
    prepare : callable, optional
        From a DataFrame to one with the categories in the form that the booster was trained on.
    """

    name: str
    ask: Callable[[Any], NDArray[Any]] = field(repr=False)
    family: Family
    outputs: int
    objective: str
    trees: int
    classes: tuple[Label, ...] | None = None
    columns: tuple[str, ...] = ()
    note: str = ""
    prepare: Callable[[Any], Any] | None = field(default=None, repr=False)


class BoosterTeacher(BatchedTeacher):
    """A booster, asked through its own library; categories and missing values are the library's.

    Parameters
    ----------
    model : str, Path or booster
        A file, a booster, or an estimator of the library.
    classes : sequence of labels, optional
        The classes in the order of the scores. Otherwise those that the model names, else 0 to
        k - 1.
    unit : str
        The unit of a predicted number.
    score_kind : {"logit", "probability", "label"}, optional
        What the scores are, where the objective is the user's own.
    preprocess : callable, optional
        From the user's rows to what the model takes.
    batch_size : int
        Rows in one call.
    name : str, optional
        By default that of the file or class.
    iterations : int, optional
        How many rounds of boosting are used; by default up to the best of early stopping, where
        the model knows it, else all.
    regression : bool
        Whether a number is predicted, where the objective is the user's own.

    Raises
    ------
    FileRefused
        If the file is cut off, malformed, or of a newer version.
    InvalidInput
        If the objective says not what is predicted, or there are fewer rounds.
    MissingExtra
        If the library is not installed.
    """

    _by_hand = "Call its predict on these rows by itself."

    @classmethod
    def first_outputs(
        cls, model: Any, example: Any, options: dict[str, Any], k: int
    ) -> FirstOutputs | None:
        """Its scores for some rows; see `limbeck.teachers.reading.read_outputs`.

        Parameters
        ----------
        model : object
            As in the constructor.
        example : rows or None
            The rows.
        options : dict
            Those of the constructor.
        k : int
            The number of classes, or 0.
        """
        opened = _of(cls, model, options.pop("iterations", None))
        if opened.family == "value":
            if options.get("classes") is not None:
                raise InvalidInput(
                    f"classes were given for {opened.name}, which predicts a number"
                    f" ({opened.objective}).",
                    "Leave classes out.",
                )
            options["regression"] = True
        elif opened.family != "unknown":
            if options.get("regression") or options.get("unit"):
                raise InvalidInput(
                    f"{opened.name} predicts classes ({opened.objective}), and a number was asked"
                    " of it.",
                    "Leave regression and unit out.",
                )
            options.setdefault("score_kind", opened.family)
        said = any(options.get(n) for n in ("classes", "unit", "regression"))
        if example is None:
            if opened.classes and not said:
                options["classes"] = opened.classes
            return None
        other = ("preprocess", "batch_size", "name")
        looked = cls(opened, regression=True, **{n: options[n] for n in other if n in options})
        return FirstOutputs(
            looked.look(example), looked.name, note=opened.note, classes=opened.classes,
            network=opened.family != "label", opened=opened,
        )  # fmt: skip

    def __init__(
        self,
        model: Any,
        *,
        classes: Sequence[Label] | None = None,
        unit: str = "",
        score_kind: ScoreKind | str | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        batch_size: int = 65_536,
        name: str | None = None,
        iterations: int | None = None,
        regression: bool = False,
    ) -> None:
        opened = _of(type(self), model, iterations)
        self.booster = opened
        number = regression or bool(unit) or opened.family == "value"
        if classes is None and not number:
            if opened.family == "unknown":
                raise InvalidInput(
                    f"Nothing says what {opened.name} predicts: its objective is"
                    f" {opened.objective or 'not known'!r}.",
                    "Give classes=[...] and score_kind=..., or regression=True.",
                )
            classes = opened.classes or tuple(range(max(opened.outputs, 2)))
        if score_kind is None and not number and opened.family != "unknown":
            score_kind = opened.family
        super().__init__(
            name or opened.name, classes=None if number else classes, unit=unit,
            score_kind=score_kind, preprocess=preprocess, batch_size=batch_size,
        )  # fmt: skip
        self.note = opened.note

    @classmethod
    @abstractmethod
    def open(cls, model: Any, iterations: int | None) -> OpenedBooster:
        """Open a file or model of the library.

        Parameters
        ----------
        model : object
            As `accepts` takes it.
        iterations : int or None
            How many rounds are used.
        """

    @property
    def size(self) -> str:
        """Rounds of boosting, for tables."""
        return plural(self.booster.trees, "round")

    def _ask(self, batch: Any) -> NDArray[Any]:
        batch = self._in_order(batch)
        if self.booster.prepare is not None and hasattr(batch, "columns"):
            batch = self.booster.prepare(batch)
        return np.asarray(self.booster.ask(batch))

    def _in_order(self, batch: Any) -> Any:
        """The columns that the booster was trained on, in its order, where both have names."""
        names = self.booster.columns
        if not hasattr(batch, "columns") or not names or all(map(_NUMBERED.fullmatch, names)):
            return batch
        known = {str(c).replace(" ", "_"): c for c in batch.columns}
        wanted = [name.replace(" ", "_") for name in names]
        absent = [name for name in wanted if name not in known]
        if absent:
            raise InvalidInput(
                f"{self.name} was trained on the column {absent[0]!r}, which is not among"
                f" {', '.join(map(repr, known))}.",
                f"{did_you_mean(absent[0], known)} Or give preprocess=... that makes it.",
            )
        if [known[name] for name in wanted] == list(batch.columns):
            return batch
        return batch[[known[name] for name in wanted]]

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(f"{self.name} is a booster without {what}.", "Ask it for scores only.")


def newer(found: str, installed: str) -> bool:
    """Whether a version is newer than another in its first two numbers.

    Parameters
    ----------
    found, installed : str
        Versions such as ``4.7.0``.
    """
    pairs = [tuple(map(int, re.findall(r"\d+", v)[:2])) for v in (found, installed)]
    return pairs[0] > pairs[1]


def read_booster(path: Path, library: str, read: Callable[[str], Any]) -> Any:
    """What a library reads from a file, with its errors in one sentence.

    Parameters
    ----------
    path : Path
        The file.
    library : str
        The library's name.
    read : callable
        From the path to the booster.

    Raises
    ------
    FileRefused
        If the library cannot read it.
    """
    try:
        return read(str(path))
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise FileRefused(
            f"{path.name!r} cannot be read by {library}, as when it is cut off:"
            f" {lines[0] if lines else type(error).__name__}",
            "Save the model again.",
        ) from None


def _of(cls: type[BoosterTeacher], model: Any, iterations: int | None) -> OpenedBooster:
    if iterations is not None:
        whole_number("iterations", iterations, 1)
    return model if isinstance(model, OpenedBooster) else cls.open(model, iterations)

"""A booster of LightGBM as a teacher: a .txt file, a Booster, or one of its estimators.

LightGBM documentation, "Parameters", section "Objective": two classes have the probability
1 / (1 + exp(-sigmoid * raw)), so that sigmoid * raw is their logit.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra
from limbeck.core.registry import TEACHERS
from limbeck.teachers.boosters.booster import (
    BoosterTeacher,
    Family,
    OpenedBooster,
    newer,
    read_booster,
)
from limbeck.teachers.boosters.categories import as_categories, textual
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.files import first_bytes, path_of

__all__ = ["LightGBMTeacher"]

_END = re.compile(rb"\n(end of parameters|pandas_categorical:(null|\[.*\]))\s*\Z")
_START = re.compile(rb"tree\r?\nversion=v(\d+)")


@TEACHERS.register("lightgbm")
class LightGBMTeacher(BoosterTeacher):
    """A booster of LightGBM."""

    entry = TeacherEntry(
        "a LightGBM booster or its file",
        'limbeck.distill("booster.txt", X)',
        extra="boosters",
        files=(".txt",),
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is a file that LightGBM wrote, a Booster, or an estimator of LightGBM."""
        path = path_of(model)
        if path is not None:
            return _START.match(first_bytes(path, 64)) is not None
        library = sys.modules.get("lightgbm")
        kinds = [getattr(library, n, None) for n in ("Booster", "LGBMModel")]
        return any(isinstance(kind, type) and isinstance(model, kind) for kind in kinds)

    @classmethod
    def open(cls, model: Any, iterations: int | None) -> OpenedBooster:
        """Open a file, a Booster or an estimator; see `BoosterTeacher`.

        Parameters
        ----------
        model : object
            As `accepts` takes it.
        iterations : int or None
            How many rounds are used.
        """
        try:
            import lightgbm
        except ImportError:
            raise MissingExtra(
                "A booster of LightGBM needs lightgbm.", "pip install 'limbeck[boosters]'."
            ) from None
        path, classes = path_of(model), None
        if path is not None:
            data = path.read_bytes()
            found = _START.match(data)
            if found is not None and newer(f"{found[1].decode()}.0", lightgbm.__version__):
                raise FileRefused(
                    f"{path.name!r} is of format v{found[1].decode()}, and LightGBM"
                    f" {lightgbm.__version__} is installed.",
                    "Update lightgbm.",
                )
            if not _END.search(data[-65_536:]) or b"\nend of trees" not in data:
                raise FileRefused(f"{path.name!r} is cut off.", "Save the booster again.")
            name, booster = (
                path.name,
                read_booster(path, "LightGBM", lambda file: lightgbm.Booster(model_file=file)),
            )
        else:
            name, booster = type(model).__name__, model
            if not isinstance(model, lightgbm.Booster):
                booster = model.booster_  # raises where it is not fitted
                found_classes = getattr(model, "classes_", None)
                classes = None if found_classes is None else tuple(found_classes.tolist())
        return _opened(name, booster, classes, iterations)


def _opened(name: str, booster: Any, classes: Any, iterations: int | None) -> OpenedBooster:
    rounds, best = booster.current_iteration(), booster.best_iteration
    if iterations is not None and iterations > rounds:
        raise InvalidInput(f"{name} has {rounds} rounds, not {iterations}.", "Give fewer.")
    used = iterations or (best if best > 0 else rounds)
    dumped = booster.dump_model(num_iteration=1)
    objective = str(dumped.get("objective", ""))
    kind, *more = objective.split() or [""]
    settings = dict(part.split(":", 1) for part in more if ":" in part)
    family: Family = "value"
    scale = 1.0
    if kind in ("binary", "multiclass", "cross_entropy", "xentropy"):
        family, scale = "logit", float(settings.get("sigmoid", 1.0))
    elif kind == "multiclassova":
        family = "probability"
    elif kind in ("", "custom", "none"):
        family = "unknown"
    ask = partial(_ask, booster, used, family, scale)
    note = f"Of the {rounds} rounds of {name} the best {used} are used." if used < rounds else ""
    return OpenedBooster(
        name, ask, family, booster.num_model_per_iteration(), objective, used, classes,
        tuple(booster.feature_name()), note,
        partial(_prepare, name, booster.pandas_categorical or [], dumped["feature_infos"]),
    )  # fmt: skip


def _prepare(name: str, values: list[Any], infos: dict[str, Any], batch: Any) -> Any:
    """The categories in the order of the file, which keeps the values without their columns.

    The columns are those with codes; a column that is constant in training has none, and then they
    are the columns of the table that hold texts or categories.
    """
    coded = [name for name, info in infos.items() if info.get("values")]
    columns = [c for c in batch.columns if str(c).replace(" ", "_") in coded]
    if len(columns) != len(values):
        columns = textual(batch)
    if len(columns) != len(values):
        return batch  # LightGBM says what is wrong
    return as_categories(name, batch, dict(zip(columns, values, strict=True)))


def _ask(booster: Any, rounds: int, family: str, scale: float, batch: Any) -> NDArray[Any]:
    raw = family in ("logit", "unknown")
    found = np.asarray(booster.predict(batch, num_iteration=rounds, raw_score=raw))
    if family == "probability":
        return np.asarray(found / found.sum(axis=1, keepdims=True))
    return found if scale == 1.0 else found * scale

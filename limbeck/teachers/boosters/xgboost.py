"""A booster of XGBoost as a teacher: a .json or .ubj file, a Booster, or one of its estimators.

XGBoost documentation, "XGBoost Parameters", section "Learning Task Parameters": the margin of the
objectives for classes is their logit, before the logistic function or softmax.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
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
from limbeck.teachers.boosters.categories import as_categories, check_codes
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.files import first_bytes, path_of

__all__ = ["XGBoostTeacher"]

_FAMILIES: dict[str, Family] = {
    "binary:logistic": "logit", "binary:logitraw": "logit", "binary:hinge": "label",
    "multi:softmax": "logit", "multi:softprob": "logit",
}  # fmt: skip
_VALUES = ("reg:", "count:", "rank:", "survival:")


@TEACHERS.register("xgboost")
class XGBoostTeacher(BoosterTeacher):
    """A booster of XGBoost."""

    entry = TeacherEntry(
        "an XGBoost booster or its file",
        'limbeck.distill("booster.ubj", X)',
        extra="boosters",
        files=(".json", ".ubj"),
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is a file that XGBoost wrote, a Booster, or an estimator of XGBoost."""
        path = path_of(model)
        if path is not None:
            start = first_bytes(path)
            return start.lstrip()[:1] == b"{" and b"learner" in start
        library = sys.modules.get("xgboost")
        kinds = [getattr(library, n, None) for n in ("Booster", "XGBModel")]
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
            import xgboost
        except ImportError:
            raise MissingExtra(
                "A booster of XGBoost needs xgboost.",
                "pip install 'limbeck[boosters]', or xgboost-cpu, which is smaller.",
            ) from None
        path = path_of(model)
        if path is not None:
            version = _version(path)
            if newer(version, xgboost.__version__):
                raise FileRefused(
                    f"{path.name!r} is of XGBoost {version}, and {xgboost.__version__} is"
                    " installed.",
                    "Update xgboost.",
                )
            name, booster = (
                path.name,
                read_booster(path, "XGBoost", lambda file: xgboost.Booster(model_file=file)),
            )
        else:
            name = type(model).__name__
            booster = model if isinstance(model, xgboost.Booster) else model.get_booster()
        return _opened(name, booster, iterations, xgboost)


def _version(path: Path) -> str:
    """The version, which ends every file: one that is cut off can crash the library.

    Raises
    ------
    FileRefused
        If it is not there.
    """
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 256, 0))
        end = file.read().rstrip()
    text = re.search(rb'"version"\s*:\s*\[\s*(\d+),\s*(\d+),\s*\d+\s*\]\s*\}$', end)
    if text is not None:
        return f"{text[1].decode()}.{text[2].decode()}"
    # Universal binary JSON: an array of 3 small whole numbers, each after its type.
    binary = re.search(rb"version\[#L\x00{7}\x03[iU](.)[iU](.)[iU].\}$", end, re.S)
    if binary is None:
        raise FileRefused(f"{path.name!r} is cut off.", "Save the booster again.")
    return f"{binary[1][0]}.{binary[2][0]}"


def _opened(name: str, booster: Any, iterations: int | None, xgboost: Any) -> OpenedBooster:
    settings = json.loads(booster.save_config())["learner"]
    rounds = booster.num_boosted_rounds()
    best = booster.attributes().get("best_iteration")
    if iterations is not None and iterations > rounds:
        raise InvalidInput(f"{name} has {rounds} rounds, not {iterations}.", "Give fewer.")
    used = iterations or (rounds if best is None else int(best) + 1)
    objective = str(settings["objective"]["name"])
    family = _FAMILIES.get(objective)
    if family is None:
        family = "value" if objective.startswith(_VALUES) else "unknown"
    outputs = max(int(settings["learner_model_param"]["num_class"]), 1)
    targets = int(settings["learner_model_param"].get("num_target", 1))
    if targets > 1:
        raise InvalidInput(
            f"{name} predicts {targets} targets at once.", "Distil one target at a time."
        )
    linear = settings["gradient_booster"]["name"] == "gblinear"
    ask = partial(_ask, booster, used, family, xgboost if linear else None)
    note = ""
    if used < rounds:
        why = "the best of early stopping" if iterations is None else "as asked"
        note = f"Of the {rounds} rounds of {name} the first {used} are used, {why}."
    columns = tuple(booster.feature_names or ())
    return OpenedBooster(
        name,
        ask,
        family,
        outputs,
        objective,
        used,
        None,
        columns,
        note,
        _preparation(name, booster),
    )


def _preparation(name: str, booster: Any) -> Callable[[Any], Any] | None:
    """What puts a table's categories in order; boosters before XGBoost 3.1 hold codes alone."""
    kinds, columns = booster.feature_types or [], booster.feature_names or []
    coded = [column for column, kind in zip(columns, kinds, strict=False) if kind == "c"]
    if not coded:
        return None
    if not hasattr(booster, "get_categories") or booster.get_categories().empty():
        return partial(_by_code, name, coded)
    if find_spec("pyarrow") is None:
        return None  # XGBoost itself orders columns of pandas' categories
    held = booster.get_categories(export_to_arrow=True).to_arrow()
    values = {column: array.to_pylist() for column, array in held if array is not None}
    return partial(as_categories, name, known=values, unknown="refused")


def _by_code(name: str, columns: list[str], batch: Any) -> Any:
    check_codes(name, batch, columns)
    return batch


def _ask(booster: Any, rounds: int, family: str, linear: Any, batch: Any) -> NDArray[Any]:
    margin = family in ("logit", "unknown")
    if linear is not None:  # a linear booster has no rounds to choose from
        found = booster.predict(linear.DMatrix(batch), output_margin=margin)
    else:
        found = booster.inplace_predict(
            batch, iteration_range=(0, rounds), predict_type="margin" if margin else "value"
        )
    answers = np.asarray(found)
    return answers.astype(np.int64) if family == "label" else answers

"""A booster of CatBoost as a teacher: a .cbm file or a model.

CatBoost documentation, "Model values": the raw value of two classes is their logit; of several, one
logit per class; of Poisson and Tweedie, the logarithm of the prediction.
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
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.files import first_bytes, path_of

__all__ = ["CatBoostTeacher"]

_MAGIC = b"CBM1"
_FAMILIES: dict[str, Family] = {
    "Logloss": "logit", "CrossEntropy": "logit", "Focal": "logit",
    "MultiClass": "logit", "MultiClassOneVsAll": "probability",
}  # fmt: skip


@TEACHERS.register("catboost")
class CatBoostTeacher(BoosterTeacher):
    """A booster of CatBoost."""

    entry = TeacherEntry(
        "a CatBoost model or its file",
        'limbeck.distill("booster.cbm", X)',
        extra="boosters",
        files=(".cbm",),
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is a file that CatBoost wrote, or a model of CatBoost."""
        path = path_of(model)
        if path is not None:
            return path.suffix.lower() == ".cbm" or first_bytes(path, 4) == _MAGIC
        kind = getattr(sys.modules.get("catboost"), "CatBoost", None)
        return isinstance(kind, type) and isinstance(model, kind)

    @classmethod
    def open(cls, model: Any, iterations: int | None) -> OpenedBooster:
        """Open a file or model; see `BoosterTeacher`.

        Parameters
        ----------
        model : object
            As `accepts` takes it.
        iterations : int or None
            How many rounds are used.
        """
        try:
            import catboost
        except ImportError:
            raise MissingExtra(
                "A booster of CatBoost needs catboost.", "pip install 'limbeck[boosters]'."
            ) from None
        path = path_of(model)
        name = type(model).__name__ if path is None else path.name
        if path is not None:
            if first_bytes(path, 4) != _MAGIC:
                raise FileRefused(f"{name!r} is no file of CatBoost.", "Save the model again.")
            model = read_booster(
                path, "CatBoost", lambda file: catboost.CatBoost().load_model(file, format="cbm")
            )
            version = re.search(r"v(\d+\.\d+)", str(_metadata(model, "catboost_version_info")))
            if version is not None and newer(version[1], catboost.__version__):
                raise FileRefused(
                    f"{name!r} is of CatBoost {version[1]}, and {catboost.__version__} is"
                    " installed.",
                    "Update catboost.",
                )
        if not model.is_fitted():
            raise InvalidInput(f"{name} is not fitted.", "Call its fit(X, y) first.")
        return _opened(name, model, iterations)


def _metadata(model: Any, key: str) -> Any:
    held = model.get_metadata()
    return held[key] if key in held.keys() else ""  # noqa: SIM118  (its iterator is no list)


def _opened(name: str, model: Any, iterations: int | None) -> OpenedBooster:
    rounds = int(model.tree_count_)
    if iterations is not None and iterations > rounds:
        raise InvalidInput(f"{name} has {rounds} rounds, not {iterations}.", "Give fewer.")
    loss = str(model.get_all_params().get("loss_function", ""))
    kind = loss.split(":")[0]
    labels = tuple(np.asarray(model.classes_).tolist()) if len(model.classes_) else None
    family = _FAMILIES.get(kind, "unknown" if labels or not kind or "Custom" in kind else "value")
    outputs = len(labels) if labels and kind.startswith("Multi") else 1
    raw = {"probability": "Probability"}.get(family, "RawFormulaVal")
    form = "Exponent" if kind in ("Poisson", "Tweedie") else raw
    ask = partial(_ask, model, iterations or 0, form)
    used = iterations or rounds
    note = f"Of the {rounds} rounds of {name} the first {used} are used." if used < rounds else ""
    columns = tuple(model.feature_names_ or ())
    return OpenedBooster(name, ask, family, outputs, loss, used, labels, columns, note)


def _ask(model: Any, rounds: int, form: str, batch: Any) -> NDArray[Any]:
    found = np.asarray(model.predict(batch, prediction_type=form, ntree_end=rounds))
    if form == "Probability":
        return np.asarray(found / found.sum(axis=1, keepdims=True))
    return found

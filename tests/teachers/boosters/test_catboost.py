from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.boosters.catboost import CatBoostTeacher, _opened


class Model:
    """What a model of CatBoost says of itself."""

    tree_count_, feature_names_ = 8, ["a", "b"]

    def __init__(self, loss, classes=()):
        self.loss, self.classes_ = loss, np.array(classes)

    def get_all_params(self):
        return {"loss_function": self.loss}

    def predict(self, batch, prediction_type, ntree_end):
        self.asked = prediction_type, ntree_end
        return np.array([[1.0, 3.0]])


@pytest.mark.parametrize(
    ("loss", "classes", "family", "outputs", "form"),
    [
        ("Logloss", ["no", "yes"], "logit", 1, "RawFormulaVal"),
        ("MultiClass", [0, 1, 2], "logit", 3, "RawFormulaVal"),
        ("MultiClassOneVsAll", [0, 1, 2], "probability", 3, "Probability"),
        ("Focal:focal_alpha=0.5", [0, 1], "logit", 1, "RawFormulaVal"),
        ("RMSE", [], "value", 1, "RawFormulaVal"),
        ("Tweedie:variance_power=1.5", [], "value", 1, "Exponent"),
        ("CustomObjective", [], "unknown", 1, "RawFormulaVal"),
        ("", [], "unknown", 1, "RawFormulaVal"),
    ],
)
def test_a_loss_says_what_is_predicted_and_in_which_form(loss, classes, family, outputs, form):
    model = Model(loss, classes)
    found = _opened("m", model, 3)
    assert (found.family, found.outputs) == (family, outputs)
    assert found.classes == (tuple(classes) or None)
    answers = found.ask(None)
    assert model.asked == (form, 3)
    shares = [[0.25, 0.75]] if form == "Probability" else [[1.0, 3.0]]
    assert answers.tolist() == shares


def test_rounds_are_all_unless_fewer_were_asked_for():
    for iterations in (None, 8):
        found = _opened("m", Model("RMSE"), iterations)
        assert (found.trees, found.note) == (8, "")
    assert _opened("m", Model("RMSE"), 5).note == "Of the 8 rounds of m the first 5 are used."
    with pytest.raises(InvalidInput, match="m has 8 rounds, not 9"):
        _opened("m", Model("RMSE"), 9)


def test_a_file_is_known_by_its_suffix_or_its_first_bytes(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"CBM1...")
    assert CatBoostTeacher.accepts(path)
    path.write_bytes(b"CBM2...")
    assert not CatBoostTeacher.accepts(path)
    assert CatBoostTeacher.accepts(tmp_path / "model.CBM")

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck import as_teacher
from limbeck.core.answers import ScoreKind, probabilities
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.teachers.boosters.lightgbm import LightGBMTeacher, _prepare
from tests.teachers.boosters.conftest import TWO, X

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own


def test_an_objective_of_the_users_own_is_not_guessed():
    lightgbm = pytest.importorskip("lightgbm")
    own = lambda p, data: (p - data.get_label(), np.ones(len(p)))  # noqa: E731
    data = lightgbm.Dataset(X[["a", "b"]], TWO)
    model = lightgbm.train({"objective": own, "verbose": -1}, data, 4)
    with pytest.raises(InvalidInput, match=r"Nothing says what Booster predicts"):
        as_teacher(model)
    assert as_teacher(model, regression=True).task == Task()


def test_a_logit_has_the_scale_of_its_sigmoid():
    lightgbm = pytest.importorskip("lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=5, sigmoid=0.5, verbose=-1).fit(X, TWO)
    found = probabilities(as_teacher(model).scores(X), ScoreKind.LOGIT)
    np.testing.assert_allclose(found, model.predict_proba(X), atol=1e-9)


def test_a_file_is_known_by_its_first_lines(tmp_path):
    path = tmp_path / "m.txt"
    for content, known in [(b"tree\nversion=v4\n", True), (b"tree\r\nversion=v4\r\n", True),
                           (b"a tree\nversion=v4\n", False), (b"", False)]:  # fmt: skip
        path.write_bytes(content)
        assert LightGBMTeacher.accepts(path) is known


def test_categories_belong_to_the_columns_with_codes_whatever_their_order():
    infos = {"n": {}, "a_b": {"values": [0, 1]}, "c": {"values": [0, 1]}}
    batch = pd.DataFrame({"a b": ["v", "u"], "n": [1, 2], "c": ["y", "x"]})
    found = _prepare("m", [["u", "v"], ["x", "y"]], infos, batch)
    assert found["a b"].cat.codes.tolist() == found["c"].cat.codes.tolist() == [1, 0]
    constant = {"n": {}, "a_b": {}, "c": {"values": [0, 1]}}  # then the texts of the table
    found = _prepare("m", [["v", "u"], ["x", "y"]], constant, batch)
    assert found["a b"].cat.codes.tolist() == [0, 1]
    assert _prepare("m", [["u", "v"]], infos, batch) is batch

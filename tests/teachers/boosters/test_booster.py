"""Boosters of three libraries, as files and as objects, answer as their libraries do."""

from __future__ import annotations

import re
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck import as_teacher
from limbeck.core.answers import ScoreKind, answers, probabilities
from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra
from limbeck.core.task import Task
from limbeck.teachers.boosters.booster import newer
from tests.teachers.boosters.conftest import CODES, THREE, TWO, VALUES, X

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own


class LightGBM:
    """How this library is asked by itself."""

    suffix = ".txt"

    def fit(self, y, kind):
        import lightgbm

        made = lightgbm.LGBMClassifier if kind == "classes" else lightgbm.LGBMRegressor
        return made(n_estimators=8, num_leaves=5, verbose=-1).fit(X, y)

    def save(self, model, path):
        model.booster_.save_model(path)

    def load(self, path):
        import lightgbm

        return lightgbm.Booster(model_file=path)


class XGBoost:
    suffix = ".ubj"

    def fit(self, y, kind):
        import xgboost

        made = xgboost.XGBClassifier if kind == "classes" else xgboost.XGBRegressor
        codes = np.unique(y, return_inverse=True)[1] if kind == "classes" else y
        return made(n_estimators=8, max_depth=3, enable_categorical=True).fit(X, codes)

    def save(self, model, path):
        model.save_model(path)

    def load(self, path):
        import xgboost

        return xgboost.Booster(model_file=path)


class XGBoostJson(XGBoost):
    suffix = ".json"


class CatBoost:
    suffix = ".cbm"

    def fit(self, y, kind):
        import catboost

        made = catboost.CatBoostClassifier if kind == "classes" else catboost.CatBoostRegressor
        return made(iterations=8, depth=3, verbose=False, allow_writing_files=False,
                    cat_features=["c"]).fit(X, y)  # fmt: skip

    def save(self, model, path):
        model.save_model(path)

    def load(self, path):
        import catboost

        return catboost.CatBoost().load_model(path, format="cbm")


LIBRARIES = [
    lib for lib in (LightGBM, XGBoost, XGBoostJson, CatBoost)
    if find_spec(lib.__name__.removesuffix("Json").lower())
]  # fmt: skip


@pytest.fixture(params=LIBRARIES, ids=lambda lib: lib.__name__)
def library(request):
    return request.param()


def files(library, model, tmp_path):
    path = str(tmp_path / f"model{library.suffix}")
    library.save(model, path)
    return path, library.load(path)


def test_two_classes_are_one_logit(library, tmp_path):
    model = library.fit(TWO, "classes")
    p = model.predict_proba(X)
    for thing in (model, *files(library, model, tmp_path)):
        teacher = as_teacher(thing, TWO, example=X)
        assert teacher.task == Task((0, 1))
        assert teacher.score_kind is ScoreKind.LOGIT
        scores = teacher.scores(X)
        assert (scores[:, 0] == 0).all()
        np.testing.assert_allclose(probabilities(scores, ScoreKind.LOGIT), p, atol=1e-6)


def test_three_classes_are_three_logits_in_the_order_of_the_labels(library, tmp_path):
    model = library.fit(THREE, "classes")
    p = model.predict_proba(X)
    for thing in (model, *files(library, model, tmp_path)):
        y = CODES if type(thing).__name__ == "XGBClassifier" else THREE
        teacher = as_teacher(thing, y, example=X)
        assert teacher.task.classes == tuple(np.unique(y).tolist())
        scores = teacher.scores(X)
        np.testing.assert_allclose(probabilities(scores, teacher.score_kind), p, atol=1e-6)
        assert np.array_equal(answers(scores, teacher.task), p.argmax(axis=1))
        assert as_teacher(thing, classes=["x", "y", "z"]).task.classes == ("x", "y", "z")


def test_numbers_are_predicted_without_a_word(library, tmp_path):
    model = library.fit(VALUES, "numbers")
    for thing in (model, *files(library, model, tmp_path)):
        for teacher in (as_teacher(thing), as_teacher(thing, VALUES, example=X)):
            assert (teacher.task, teacher.score_kind) == (Task(), ScoreKind.VALUE)
            np.testing.assert_allclose(teacher.scores(X)[:, 0], model.predict(X), rtol=1e-5)
        assert as_teacher(thing, unit="mm").task.unit == "mm"
    with pytest.raises(InvalidInput, match="predicts a number"):
        as_teacher(model, classes=["no", "yes"])


def test_columns_are_found_by_name_and_categories_by_their_text(library, tmp_path):
    model = library.fit(TWO, "classes")
    path, _ = files(library, model, tmp_path)
    teacher = as_teacher(path, TWO)
    expected = teacher.scores(X)
    other = X.assign(more=0.0, c=X["c"].cat.reorder_categories(["w", "v", "u"]))
    other = other[["more", "d", "c", "b", "a"]]
    np.testing.assert_allclose(teacher.scores(other), expected, atol=1e-6)
    with pytest.raises(InvalidInput, match="trained on the column 'c', which is not among"):
        teacher.scores(X.drop(columns="c"))


def test_categories_and_missing_values_reach_every_step_of_a_distillation(library, tmp_path):
    path, _ = files(library, library.fit(TWO, "classes"), tmp_path)
    result = limbeck.distill(path, X, TWO, max_leaves=8, queries=100, seed=0)
    agreement = (result.student.predict(X) == as_teacher(path, TWO).scores(X).argmax(1)).mean()
    assert f"model{library.suffix}" in str(result)
    assert "8 rounds" in str(result)
    assert agreement > 0.85


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_file_that_is_cut_off_ends_in_one_sentence(library, tmp_path, share):
    path, _ = files(library, library.fit(THREE, "classes"), tmp_path)
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(data[: int(share * len(data))])
    with pytest.raises((FileRefused, InvalidInput)) as error:
        as_teacher(path, THREE)
    assert "\n" not in str(error.value)


NEWER = {
    ".txt": (rb"version=v\d+", b"version=v9"),
    ".json": (rb'"version":\[\d+,', b'"version":[99,'),
    ".ubj": (rb"version\[#L\x00{7}\x03i\x03", b"version[#L\0\0\0\0\0\0\0\x03i\x63"),
    ".cbm": (rb"CatBoost v?\d", None),
}


def test_a_file_of_a_newer_version_is_refused(library, tmp_path, monkeypatch):
    path, _ = files(library, library.fit(TWO, "classes"), tmp_path)
    pattern, replacement = NEWER[library.suffix]
    if replacement is None:  # the file has a checksum: the library grows older instead
        import catboost

        monkeypatch.setattr(catboost, "__version__", "1.1.0")
    else:
        with open(path, "rb") as file:
            data = file.read()
        with open(path, "wb") as file:
            file.write(re.sub(pattern, lambda found: replacement, data, count=1))
    with pytest.raises(FileRefused, match=r"is installed\. Update"):
        as_teacher(path, TWO)


def test_a_missing_library_is_named_with_the_extra(library, tmp_path, monkeypatch):
    import sys

    path, _ = files(library, library.fit(TWO, "classes"), tmp_path)
    monkeypatch.setitem(sys.modules, type(library).__name__.removesuffix("Json").lower(), None)
    with pytest.raises(MissingExtra, match=r"limbeck\[boosters\]"):
        as_teacher(path, TWO)


def test_versions_are_compared_by_their_first_two_numbers():
    assert newer("3.10", "3.9.9")
    assert not newer("3.9.9", "3.9.0")
    assert not newer("v4", "4.7.0")


def test_categories_may_come_as_texts_or_in_any_order(library, tmp_path):
    model = library.fit(TWO, "classes")
    expected = model.predict_proba(X)
    texts = X.assign(c=X["c"].astype(str))
    turned = X.assign(c=X["c"].cat.reorder_categories(["w", "u", "v"]))
    for thing in (model, *files(library, model, tmp_path)):
        teacher = as_teacher(thing)
        for rows in (texts, turned, texts.astype({"c": object}), texts[texts["c"] == "w"]):
            told = probabilities(teacher.scores(rows), ScoreKind.LOGIT)
            np.testing.assert_allclose(told, expected[rows.index], atol=1e-6)


def test_categories_of_numbers_are_found_in_columns_of_numbers(library, tmp_path):
    if isinstance(library, CatBoost):
        pytest.skip("it takes whole numbers as they are")
    numbers = X["c"].cat.codes.astype(int) + 5
    rows = X.assign(c=pd.Categorical(numbers, categories=[7, 5, 6]))
    if isinstance(library, LightGBM):
        import lightgbm

        model = lightgbm.LGBMClassifier(n_estimators=8, num_leaves=5, verbose=-1).fit(rows, TWO)
    else:
        import xgboost

        model = xgboost.XGBClassifier(n_estimators=8, enable_categorical=True).fit(rows, TWO)
    expected = model.predict_proba(rows)
    for thing in (model, *files(library, model, tmp_path)):
        teacher = as_teacher(thing)
        for kind in (int, float):
            told = probabilities(teacher.scores(rows.assign(c=numbers.astype(kind))), "logit")
            np.testing.assert_allclose(told, expected, atol=1e-6)
        with pytest.raises(InvalidInput, match=r"'c' holds texts, and .* the numbers 7, 5, 6"):
            teacher.scores(X)


def test_a_new_category_is_what_the_library_makes_of_it(tmp_path):
    rows = X.assign(c=X["c"].astype(str).where(X.index != 4, "other"))
    for library in (lib() for lib in LIBRARIES if lib in (LightGBM, XGBoost)):
        model = library.fit(TWO, "classes")
        teacher = as_teacher(files(library, model, tmp_path)[0])
        if isinstance(library, XGBoost):
            with pytest.raises(InvalidInput, match=r"'c' holds 'other', and .* not trained on"):
                teacher.scores(rows)
        else:
            told = probabilities(teacher.scores(rows), ScoreKind.LOGIT)
            missing = X.assign(c=X["c"].where(X.index != 4))
            np.testing.assert_allclose(told, model.predict_proba(missing), atol=1e-6)

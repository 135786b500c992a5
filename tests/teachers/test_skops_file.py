from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import limbeck
from limbeck import as_teacher
from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra

skops = pytest.importorskip("skops.io")
X = np.random.default_rng(0).normal(size=(80, 3))
y = np.where(X[:, 0] > 0, "yes", "no")


class Doubled(LogisticRegression):
    """A type that skops does not know."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skops"


def test_a_pipeline_answers_as_it_did(path):
    model = make_pipeline(StandardScaler(), FunctionTransformer(np.tanh), LogisticRegression())
    skops.dump(model.fit(X, y), path)
    teacher = as_teacher(str(path))
    np.testing.assert_array_equal(teacher.scores(X), model.predict_proba(X))
    assert teacher.name == "model.skops"
    assert as_teacher(path, method="predict").score_kind == "label"
    with pytest.raises(InvalidInput, match=r"no option 'trust'. Did you mean 'trusted'"):
        as_teacher(path, trust=["x"])
    assert "model.skops" in str(limbeck.distill(str(path), X, y, max_leaves=3, queries=0))


def test_an_unknown_type_is_named_and_made_only_when_trusted(path):
    model = Doubled().fit(X, y)
    skops.dump(model, path)
    name = f"{Doubled.__module__}.Doubled"
    with pytest.raises(FileRefused, match=rf"not known to be safe: {name}.*trusted=\['{name}'\]"):
        as_teacher(path)
    np.testing.assert_array_equal(as_teacher(path, trusted=[name]).scores(X),
                                  model.predict_proba(X))  # fmt: skip
    with pytest.raises(FileRefused, match="not known to be safe"):
        as_teacher(path, trusted=["builtins.str"])


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_is_cut_off_ends_in_one_sentence(path, share):
    skops.dump(LogisticRegression().fit(X, y), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(FileRefused, match="cannot be read by skops") as error:
        as_teacher(path)
    assert "\n" not in str(error.value)


def test_a_pickle_under_its_name_is_not_loaded(path):
    path.write_bytes(pickle.dumps(LogisticRegression()))
    with pytest.raises(FileRefused, match="is a pickle"):
        as_teacher(path)


def test_without_skops_the_extra_is_named(path, monkeypatch):
    import sys

    skops.dump(LogisticRegression().fit(X, y), path)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(MissingExtra, match=r"limbeck\[skops\]"):
        as_teacher(path)

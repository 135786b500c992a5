"""ONNX files of three exporters (skl2onnx, torch and CatBoost) answer as the models do."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import limbeck
from limbeck import as_teacher
from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed
from limbeck.core.task import Task

pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the exporters' own

X = np.random.default_rng(0).normal(size=(150, 4)).astype(np.float32)
THREE = np.array(["low", "mid", "top"])[np.digitize(X[:, 0], [-0.5, 0.5])]
TWO = (X[:, 0] + X[:, 1] > 0).astype(int)
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": np.where(X[:, 2] > 0, "u", "v")})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def written(model, path, rows=X, **options):
    path.write_bytes(skl2onnx.to_onnx(model, rows[:1], **options).SerializeToString())
    return model


def graph(path, nodes, inputs, outputs, initializers=(), opset=20):
    """A small file by hand."""
    made = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "g", inputs, outputs, list(initializers)),
        opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=10,
    )  # fmt: skip
    path.write_bytes(made.SerializeToString())


def value(name, shape, kind=1):
    return onnx.helper.make_tensor_value_info(name, kind, shape)


@pytest.mark.parametrize(
    ("model", "y", "options"),
    [
        (LogisticRegression(), THREE, {}),
        (LogisticRegression(), THREE, {"options": {"zipmap": False}}),
        (RandomForestClassifier(5, random_state=0), TWO, {}),
        (HistGradientBoostingClassifier(max_iter=3), THREE, {}),
    ],
    ids=["text", "no ZipMap", "numbers", "boosting"],
)
def test_classifiers_of_scikit_learn_keep_their_classes(path, model, y, options):
    written(model.fit(X, y), path, **options)
    teacher = as_teacher(str(path), example=X)
    assert isinstance(teacher, Teacher)
    assert teacher.task == Task(tuple(np.unique(y).tolist()))
    assert teacher.score_kind is ScoreKind.PROBABILITY
    assert not teacher.order_guessed
    np.testing.assert_allclose(teacher.scores(X), model.predict_proba(X), atol=1e-6)
    assert as_teacher(path, y[::-1]).task == teacher.task  # y does not reorder them
    assert teacher.access == Access.SCORES | Access.QUERIES
    with pytest.raises(AccessDenied, match="onnxruntime, which shows no activations"):
        teacher.activations(X, ["any"])


@pytest.mark.parametrize("model", [Ridge(), RandomForestRegressor(5, random_state=0)])
def test_regressors_of_scikit_learn_need_no_word(path, model):
    written(model.fit(X, X[:, 0]), path)
    teacher = as_teacher(path, example=X)
    assert (teacher.task, teacher.score_kind) == (Task(), ScoreKind.VALUE)
    np.testing.assert_allclose(teacher.scores(X)[:, 0], model.predict(X), atol=1e-5)
    assert as_teacher(path, unit="mm").task == Task(unit="mm")


def test_a_pipeline_with_an_input_a_column_takes_a_frame_by_names(path):
    steps = [("n", StandardScaler(), ["a", "b"]), ("c", OneHotEncoder(), ["c"])]
    pipe = make_pipeline(ColumnTransformer(steps), LogisticRegression()).fit(FRAME, THREE)
    written(pipe, path, FRAME)
    shuffled = FRAME.assign(extra=1.0)[["c", "extra", "b", "a"]]
    teacher = as_teacher(path, example=shuffled)
    np.testing.assert_allclose(teacher.scores(shuffled), pipe.predict_proba(FRAME), atol=1e-6)
    renamed = FRAME.rename(columns={"c": "colour"})
    said = as_teacher(path, example=renamed, inputs={"a": ["a"], "b": ["b"], "c": ["colour"]})
    np.testing.assert_allclose(said.scores(renamed), pipe.predict_proba(FRAME), atol=1e-6)
    with pytest.raises(InvalidInput, match=r"input 'c' of model\.onnx is none of the columns"):
        as_teacher(path, example=renamed)
    with pytest.raises(InvalidInput, match=r"takes 3 inputs.*the rows are one array"):
        as_teacher(path, example=X)
    with pytest.raises(InvalidInput, match="takes text, and a row holds nan"):
        teacher.scores(FRAME.assign(c=np.nan))
    result = limbeck.distill(str(path), FRAME, THREE, queries=0, max_leaves=3, seed=0)
    assert "teacher   model.onnx" in str(result)


def test_a_module_of_torch_gives_logits_in_any_number_of_rows(path):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (torch.from_numpy(X[:2]),), path, external_data=False,
                          verbose=False, dynamo=False, input_names=["x"],
                          dynamic_axes={"x": {0: "n"}})  # fmt: skip
    teacher = as_teacher(path, THREE, example=X, batch_size=64)
    assert teacher.score_kind is ScoreKind.LOGIT
    with torch.no_grad():
        np.testing.assert_allclose(teacher.scores(X), net(torch.from_numpy(X)), atol=1e-5)


def test_a_file_of_catboost_keeps_its_classes(path):
    catboost = pytest.importorskip("catboost")
    model = catboost.CatBoostClassifier(iterations=5, depth=3, verbose=False,
                                        allow_writing_files=False).fit(X, THREE)  # fmt: skip
    model.save_model(str(path), format="onnx")
    teacher = as_teacher(path, example=X)
    assert teacher.task.classes == ("low", "mid", "top")
    np.testing.assert_allclose(teacher.scores(X), model.predict_proba(X), atol=1e-5)


def test_a_fixed_batch_is_filled_and_cut(path):
    graph(path, [onnx.helper.make_node("ReduceSum", ["x", "axes"], ["s"], keepdims=1)],
          [value("x", [8, 4])], [value("s", [8, 1])],
          [onnx.numpy_helper.from_array(np.array([1]), "axes")])  # fmt: skip
    teacher = as_teacher(path, regression=True)
    for n in (1, 8, 13):
        np.testing.assert_allclose(teacher.scores(X[:n])[:, 0], X[:n].sum(axis=1), atol=1e-6)
    frame = pd.DataFrame(X[:5])
    np.testing.assert_allclose(teacher.scores(frame)[:, 0], X[:5].sum(axis=1), atol=1e-6)


def test_a_state_beside_the_rows_fixes_no_batch(path):
    graph(path, [onnx.helper.make_node("Identity", ["x"], ["y"]),
                 onnx.helper.make_node("Identity", ["state"], ["next"])],
          [value("x", ["n", 1]), value("state", [2, "n", 3])],
          [value("y", ["n", 1]), value("next", [2, "n", 3])])  # fmt: skip
    sizes = []

    def inputs(x):
        sizes.append(len(x))
        return {"x": x, "state": np.zeros((2, len(x), 3))}

    teacher = as_teacher(path, regression=True, preprocess=inputs, output="y")
    np.testing.assert_array_equal(teacher.scores(X[:5, :1]), X[:5, :1])
    assert sizes == [5]


def test_magika_tells_kinds_of_files():
    magika = pytest.importorskip("magika")
    (file,) = Path(magika.__file__).parent.glob("models/*/model.onnx")
    rows = np.random.default_rng(0).integers(0, 256, size=(5, 2048))
    teacher = as_teacher(file, example=rows)
    assert (len(teacher.task.classes), teacher.score_kind) == (214, ScoreKind.PROBABILITY)


def test_one_output_is_a_probability_where_a_sigmoid_is_last(path):
    graph(path, [onnx.helper.make_node("Sigmoid", ["x"], ["p"])],
          [value("x", ["n", 1])], [value("p", ["n", 1])])  # fmt: skip
    rows = np.abs(X[:, :1])  # all are the second class: nothing but the operation tells
    teacher = as_teacher(path, np.append(1, np.zeros(149, int)), example=rows)
    assert teacher.score_kind is ScoreKind.PROBABILITY
    np.testing.assert_allclose(teacher.scores(rows)[:, 1], 1 / (1 + np.exp(-rows[:, 0])), atol=1e-6)
    with pytest.raises(InvalidInput, match="may be the probability of the second of two classes"):
        as_teacher(path, example=rows)
    with pytest.raises(InvalidInput, match="Nothing says what the output 'p'"):
        as_teacher(path)


def test_several_outputs_are_told_apart_by_name_only(path):
    nodes = [onnx.helper.make_node("Identity", ["x"], ["first"]),
             onnx.helper.make_node("Neg", ["x"], ["second"])]  # fmt: skip
    graph(path, nodes, [value("x", ["n", 4])], [value("first", ["n", 4]), value("second", None)])
    with pytest.raises(InvalidInput, match=r"'first' \(n, 4\), 'second'.*Give output='first'"):
        as_teacher(path, example=X)
    for output in ("second", 1, -1):
        teacher = as_teacher(path, example=X, output=output)
        np.testing.assert_array_equal(teacher.scores(X), -X)
    with pytest.raises(InvalidInput, match=r"no output 'secnd'. Did you mean 'second'"):
        as_teacher(path, example=X, output="secnd")
    with pytest.raises(InvalidInput, match="Give one of 0 to 1"):
        as_teacher(path, example=X, output=2)


def test_labels_that_contradict_the_classes_are_refused(path):
    nodes = [onnx.helper.make_node("ArgMax", ["x"], ["swapped"], axis=1, keepdims=0),
             onnx.helper.make_node("Sub", ["one", "swapped"], ["label"]),
             onnx.helper.make_node("Softmax", ["x"], ["p"]),
             onnx.helper.make_node("ZipMap", ["p"], ["z"], domain="ai.onnx.ml",
                                   classlabels_int64s=[0, 1])]  # fmt: skip
    each = onnx.helper.make_map_type_proto(7, onnx.helper.make_tensor_type_proto(1, None))
    packed = onnx.helper.make_value_info("z", onnx.helper.make_sequence_type_proto(each))
    made = onnx.helper.make_model(
        onnx.helper.make_graph(
            nodes, "g", [value("x", ["n", 2])], [value("label", ["n"], 7), packed],
            [onnx.numpy_helper.from_array(np.array(1), "one")]),
        opset_imports=[onnx.helper.make_opsetid("", 20), onnx.helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=10,
    )  # fmt: skip
    path.write_bytes(made.SerializeToString())
    with pytest.raises(InvalidInput, match="are in another order, or it has a threshold"):
        as_teacher(path, example=X[:, :2])
    labels = as_teacher(path, example=X[:, :2], output="label", classes=[0, 1])
    np.testing.assert_array_equal(labels.scores(X[:, :2]).argmax(1), 1 - X[:, :2].argmax(1))


def test_rows_that_do_not_fit_are_refused_with_both_shapes(path):
    model = LogisticRegression().fit(X, TWO)
    written(model, path)
    teacher = as_teacher(path)
    with pytest.raises(InvalidInput, match=r"takes rows of shape \(4,\), and these .* \(3,\)"):
        teacher.scores(X[:, :3])
    with pytest.raises(InvalidInput, match="takes float32, and column 'c' holds 'u'"):
        teacher.scores(FRAME.assign(d=1.0)[["a", "b", "c", "d"]])
    said = as_teacher(path, preprocess=lambda f: {"X": f[["a", "b", "a", "b"]].to_numpy()})
    assert said.scores(FRAME).shape == (150, 2)


def test_whole_numbers_are_not_rounded_unasked(path):
    graph(path, [onnx.helper.make_node("Cast", ["x"], ["y"], to=1)],
          [value("x", ["n", 1], 7)], [value("y", ["n", 1])])  # fmt: skip
    teacher = as_teacher(path, regression=True)
    assert teacher.scores(np.array([[3.0]])).tolist() == [[3.0]]
    with pytest.raises(InvalidInput, match=r"takes whole numbers, and a row holds 2\.5"):
        teacher.scores(np.array([[3.0], [2.5]]))


def test_a_score_that_is_not_finite_names_its_row(path):
    graph(path, [onnx.helper.make_node("Log", ["x"], ["y"])],
          [value("x", ["n", 1])], [value("y", ["n", 1])])  # fmt: skip
    with pytest.raises(TeacherFailed, match="row 1"):
        as_teacher(path, regression=True).scores(np.array([[1.0], [0.0]]))


def test_a_network_is_distilled_from_a_classifier_with_labels_beside_scores(path):
    torch = pytest.importorskip("torch")
    written(LogisticRegression().fit(X, THREE), path)
    result = limbeck.distill(
        path, torch.from_numpy(X), into=torch.nn.Linear(4, 3), classes=["low", "mid", "top"],
        epochs=1, baseline=False, timing=False,
    )  # fmt: skip
    assert result.comparison is not None


def test_a_dictionary_fills_several_inputs(tmp_path):
    from onnx import TensorProto, helper

    wide = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
    one = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 1])
    out = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph(
        [helper.make_node("Concat", ["x", "z"], ["logits"], axis=1)], "g", [wide, one], [out]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "two.onnx"))
    rng = np.random.default_rng(0)
    rows = {"x": rng.normal(size=(200, 2)), "z": rng.normal(size=200)}
    found = limbeck.distill(
        tmp_path / "two.onnx", rows, into="tree", classes=["a", "b", "c"], score_kind="logit",
        max_leaves=8, queries=500, progress=False,
    )  # fmt: skip
    assert found.student.features_.names == ("x[0]", "x[1]", "z")
    direct = np.column_stack([rows["x"], rows["z"]]).argmax(axis=1)
    assert (found.student.predict(rows) == np.array(["a", "b", "c"])[direct]).mean() > 0.7

"""Files that are cut off, hostile, too new, or in several parts."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from limbeck import as_teacher
from limbeck.core.errors import FileRefused, MissingExtra

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

W = np.arange(2048, dtype=np.float32).reshape(2, 1024)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def model(opset=20, domain=""):
    node = onnx.helper.make_node("MatMul" if not domain else "Evil", ["x", "w"], ["y"],
                                 domain=domain)  # fmt: skip
    made = onnx.helper.make_graph(
        [node], "g", [onnx.helper.make_tensor_value_info("x", 1, ["n", 2])],
        [onnx.helper.make_tensor_value_info("y", 1, ["n", 1024])],
        [onnx.numpy_helper.from_array(W, "w")])  # fmt: skip
    opsets = [onnx.helper.make_opsetid("", opset)]
    opsets += [onnx.helper.make_opsetid(domain, 1)] if domain else []
    return onnx.helper.make_model(made, opset_imports=opsets, ir_version=10)


def apart(folder, location="w.bin"):
    """A file whose weights lie in another."""
    onnx.save(model(), folder / "m.onnx", save_as_external_data=True, location="w.bin",
              size_threshold=0)  # fmt: skip
    if location != "w.bin":
        made = onnx.load(folder / "m.onnx", load_external_data=False)
        for entry in made.graph.initializer[0].external_data:
            if entry.key == "location":
                entry.value = location
        (folder / "m.onnx").write_bytes(made.SerializeToString())
    return folder / "m.onnx"


def test_external_weights_are_read_only_when_asked_for(folder, tmp_path, monkeypatch):
    path = apart(folder)
    x = np.array([[1.0, 2.0]])
    with pytest.raises(FileRefused, match=r"'w\.bin', which is not read unasked"):
        as_teacher(path, classes=range(1024))
    teacher = as_teacher(path, classes=range(1024), score_kind="logit", external_data=True)
    np.testing.assert_allclose(teacher.scores(x), x @ W)
    (folder / "w.bin").rename(tmp_path / "w.bin")
    monkeypatch.chdir(tmp_path)  # a file of that name in the current folder is not the model's
    with pytest.raises(FileRefused, match="not there or cut off"):
        as_teacher(path, classes=range(1024), external_data=True)
    (folder / "w.bin").write_bytes(b"short")
    with pytest.raises(FileRefused, match="not there or cut off"):
        as_teacher(path, classes=range(1024), external_data=True)
    (folder / "w.bin").unlink()
    os.symlink(tmp_path / "w.bin", folder / "w.bin")
    with pytest.raises(FileRefused, match="outside its own folder"):
        as_teacher(path, classes=range(1024), external_data=True)


@pytest.mark.parametrize("location", ["../w.bin", "/etc/passwd", ""])
def test_external_weights_outside_the_folder_are_never_read(folder, location):
    path = apart(folder, location)
    with pytest.raises(FileRefused, match="outside its own folder"):
        as_teacher(path, classes=range(1024), external_data=True)


def test_external_weights_within_a_subgraph_are_found(folder):
    path = apart(folder)
    inner = onnx.load(path, load_external_data=False).graph
    out = [onnx.helper.make_tensor_value_info("v", 1, [2, 1024])]
    same = onnx.helper.make_node("Identity", ["w"], ["v"])
    branch = onnx.helper.make_graph([same], "b", [], out, list(inner.initializer))
    node = onnx.helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    out[0].name = "y"
    made = onnx.helper.make_graph(
        [node], "g", [onnx.helper.make_tensor_value_info("c", 9, [])], out
    )
    path.write_bytes(onnx.helper.make_model(made).SerializeToString())
    with pytest.raises(FileRefused, match="not read unasked"):
        as_teacher(path, regression=True)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_is_cut_off_ends_in_one_sentence(folder, share):
    data = model().SerializeToString()
    (folder / "m.onnx").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FileRefused, match="no ONNX file, or is cut off") as error:
        as_teacher(folder / "m.onnx", regression=True)
    assert "\n" not in str(error.value)


def test_noise_ends_in_one_sentence_or_a_model(folder):
    rng, data = np.random.default_rng(0), bytearray(model().SerializeToString())
    for _ in range(40):
        broken = bytearray(data)
        for place in rng.integers(0, 200, size=4):
            broken[place] = rng.integers(256)
        (folder / "m.onnx").write_bytes(broken)
        with contextlib.suppress(FileRefused):
            as_teacher(folder / "m.onnx", regression=True)


def test_operations_of_other_libraries_and_newer_opsets_are_refused(folder):
    path = folder / "m.onnx"
    path.write_bytes(model(domain="com.evil").SerializeToString())
    with pytest.raises(FileRefused, match="cannot be run by onnxruntime"):
        as_teacher(path, regression=True)
    path.write_bytes(model(opset=999).SerializeToString())
    with pytest.raises(FileRefused, match=r"needs opset 999, and \d+ is the newest"):
        as_teacher(path, regression=True)


def test_without_onnx_the_extra_is_named(folder, monkeypatch):
    import sys

    (folder / "m.onnx").write_bytes(model().SerializeToString())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"pip install 'limbeck\[onnx\]'"):
        as_teacher(folder / "m.onnx", regression=True)
    as_teacher(LinearRegression().fit(W, [0, 1]))  # other teachers do not need it

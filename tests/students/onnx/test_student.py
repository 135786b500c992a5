"""Networks as ONNX files that anyone can ask."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.export.onnx_graph import export_onnx
from limbeck.students.files import load
from limbeck.students.onnx.student import KEY, OnnxStudent

META = {"classes": ["a", "b"], "unit": "", "layout": [["input", [2, 2], "float32"]], "compared": ""}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    """A network, and its file with the metadata META."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).eval()
    path = tmp_path_factory.mktemp("network") / "net.onnx"
    export_onnx(net, torch.randn(3, 2, 2), path, metadata={KEY: json.dumps(META)})
    return net, path


@pytest.fixture
def exported(network: tuple[nn.Module, Path]) -> Callable[[Path, str | None], nn.Module]:
    """Writes the file with other metadata, or none; returns the network."""

    def write(path: Path, meta: str | None) -> nn.Module:
        proto = onnx.load(network[1])
        assert [entry.key for entry in proto.metadata_props] == [KEY]
        onnx.helper.set_model_props(proto, {} if meta is None else {KEY: meta})
        onnx.save(proto, path)
        return network[0]

    return write


def test_it_answers_rows_of_a_table_as_the_network_does(network, tmp_path: Path) -> None:
    net, path = network
    shutil.copy(path, tmp_path / "net.onnx")
    student = load(tmp_path / "net.onnx")
    assert isinstance(student, OnnxStudent)
    x = torch.randn(600, 2, 2)
    expected = np.array(["a", "b"])[net(x).argmax(1).numpy()]
    np.testing.assert_array_equal(student.predict(x.flatten(1).numpy()), expected)
    assert student.features_.names[0] == "input[0,0]"
    assert student.task_.classes == ("a", "b")


def test_the_fingerprint_is_that_of_the_file(exported, tmp_path: Path) -> None:
    exported(tmp_path / "net.onnx", json.dumps(META))
    before = OnnxStudent(tmp_path / "net.onnx").fingerprint()
    other = json.dumps({**META, "unit": "mm"})
    exported(tmp_path / "net.onnx", other)
    assert OnnxStudent(tmp_path / "net.onnx").fingerprint() != before


@pytest.mark.parametrize(
    "meta",
    ["{", "[]", json.dumps({**META, "classes": [[1]]}), json.dumps({**META, "layout": [["x"]]}),
     json.dumps({**META, "layout": []}), json.dumps({**META, "layout": [["x", [0], "float32"]]}),
     json.dumps({**META, "layout": [["x", [10**6, 10**6], "float32"]]}),
     json.dumps({**META, "layout": [["x", [4], "O"]]}), json.dumps({**META, "form": "ring"}),
     json.dumps(META)[:-1] + ', "unit": "mm"}', json.dumps({"classes": ["a", "b"]})],
)  # fmt: skip
def test_malformed_metadata_are_refused(exported, tmp_path: Path, meta: str) -> None:
    exported(tmp_path / "net.onnx", meta)
    with pytest.raises(FileRefused):
        OnnxStudent(tmp_path / "net.onnx")


def test_other_files_are_refused(exported, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read"):
        OnnxStudent(tmp_path / "absent.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(FileRefused, match="is no ONNX file"):
        OnnxStudent(tmp_path / "bad.onnx")
    exported(tmp_path / "plain.onnx", None)
    with pytest.raises(FileRefused, match="does not say what its inputs mean"):
        OnnxStudent(tmp_path / "plain.onnx")


def test_a_network_says_what_can_be_drawn_instead(network) -> None:
    with pytest.raises(InvalidInput, match=r"no drawing of its own.*result\.plot\(\)"):
        OnnxStudent(network[1]).plot()


def test_it_is_copied_pickled_and_travels_to_other_processes(network, tmp_path: Path) -> None:
    path = Path(shutil.copy(network[1], tmp_path / "net.onnx"))
    student = OnnxStudent(path)
    rows = np.random.default_rng(0).normal(size=(20, 4))
    told = student.predict(rows).tolist()
    path.unlink()  # its bytes travel, not its path
    for other in (copy.deepcopy(student), pickle.loads(pickle.dumps(student))):
        assert other.predict(rows).tolist() == told
        assert other.fingerprint() == student.fingerprint()


@pytest.mark.slow
def test_loky_workers_answer_as_it_does(network) -> None:
    student = OnnxStudent(network[1])
    rows = np.random.default_rng(0).normal(size=(20, 4))
    parallel = joblib.Parallel(n_jobs=2, backend="loky")
    found = parallel(joblib.delayed(student.predict)(rows) for _ in range(2))
    assert [f.tolist() for f in found] == 2 * [student.predict(rows).tolist()]

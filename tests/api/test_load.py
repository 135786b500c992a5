from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from limbeck.api.load import load, read_seen, read_table, read_teacher
from limbeck.core.errors import FileRefused, InvalidInput


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder; modules imported from it are forgotten again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz"])
def test_tables_come_back_as_written(tmp_path, name):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": rng.normal(size=500) * 10.0 ** rng.integers(-20, 20, 500), "n": range(500)}
    )
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_table(path), frame, check_exact=True)


def test_tables_that_cannot_be_read(tmp_path):
    with pytest.raises(FileRefused, match=r"no file .*absent\.csv"):
        read_table(tmp_path / "absent.csv")
    for name in ("a.txt", "table"):
        (tmp_path / name).write_text("x\n1\n")
        with pytest.raises(FileRefused, match="is no table"):
            read_table(tmp_path / name)
    for name in ("a.parquet", "b.csv"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(FileRefused, match=r"cannot be read|is empty"):
            read_table(tmp_path / name)


def test_teachers_are_named_as_in_uvicorn(here):
    (here / "zoo_one.py").write_text(
        "from sklearn.dummy import DummyClassifier\n"
        "def rule(X):\n    return X\n"
        "def build(size=3):\n    return DummyClassifier(random_state=size)\n"
        "class Made:\n    def predict(self, X):\n        return X\n"
        "ready = Made()\n"
    )
    assert read_teacher("zoo_one:rule", None).__name__ == "rule"
    assert read_teacher("zoo_one:build", None).random_state == 3
    assert type(read_teacher("zoo_one:Made", None)).__name__ == "Made"
    assert read_teacher("zoo_one:ready", None) is sys.modules["zoo_one"].ready


@pytest.mark.parametrize("name", ["zoo", "zoo:", ":net", ""])
def test_a_name_needs_module_and_attribute(name):
    with pytest.raises(InvalidInput, match=r"Write package\.module:name"):
        read_teacher(name, None)


def test_absent_modules_and_names(here):
    with pytest.raises(InvalidInput, match="no module 'no_such_zoo'"):
        read_teacher("no_such_zoo:net", None)
    with pytest.raises(InvalidInput, match=r"no module 'json\.zoo'"):
        read_teacher("json.zoo:net", None)
    (here / "zoo_two.py").write_text("network = 1\n")
    with pytest.raises(InvalidInput, match="Did you mean 'network'"):
        read_teacher("zoo_two:netwrok", None)


def test_what_a_module_itself_lacks_is_not_blamed_on_its_name(here):
    (here / "zoo_three.py").write_text("import zoo\n")  # a prefix of the module's own name
    with pytest.raises(ModuleNotFoundError, match="No module named 'zoo'"):
        read_teacher("zoo_three:net", None)


def test_hashes_of_training_rows(tmp_path):
    student = tmp_path / "student.json"
    assert read_seen(None, student) is None
    hashes = np.array([1, 2**63 + 5], dtype=np.uint64)
    np.save(tmp_path / "seen.npy", hashes)
    np.testing.assert_array_equal(read_seen(None, student), hashes)
    np.save(tmp_path / "other.npy", hashes[:1])
    np.testing.assert_array_equal(read_seen(tmp_path / "other.npy", student), hashes[:1])
    with pytest.raises(FileRefused, match="No such file"):
        read_seen(tmp_path / "absent.npy", student)
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object))
    with pytest.raises(FileRefused, match="only numbers, booleans and text"):
        read_seen(tmp_path / "pickle.npy", student)
    np.save(tmp_path / "rows.npy", np.ones((4, 2)))
    with pytest.raises(FileRefused, match=r"uint64 of shape .* float64 of shape \(4, 2\)"):
        read_seen(tmp_path / "rows.npy", student)


NET = "import torch\nnet = torch.nn.Linear(2, 2)\ndef build():\n    return torch.nn.Linear(2, 2)\n"


@pytest.mark.torch
def test_weights_are_loaded_from_safetensors_only(here):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    (here / "zoo_net.py").write_text(NET)
    weights = {"weight": torch.eye(2), "bias": torch.tensor([3.0, 4.0])}
    save_file(weights, here / "net.safetensors")
    for name in ("net", "build"):
        model = read_teacher(f"zoo_net:{name}", Path("net.safetensors"))
        assert torch.equal(model.weight, torch.eye(2))
        assert model.bias.tolist() == [3.0, 4.0]
    torch.save(weights, here / "net.pt")
    with pytest.raises(FileRefused, match="pickles are never loaded"):
        read_teacher("zoo_net:net", Path("net.pt"))
    save_file({"weight": torch.eye(3)}, here / "odd.safetensors")
    with pytest.raises(FileRefused, match="does not fit the module"):
        read_teacher("zoo_net:net", Path("odd.safetensors"))
    with pytest.raises(FileRefused, match="absent"):
        read_teacher("zoo_net:net", Path("absent.safetensors"))


def test_weights_for_something_else(here):
    (here / "zoo_rule.py").write_text("def rule(X):\n    return X\n")
    with pytest.raises(InvalidInput, match="Weights were given for a function"):
        read_teacher("zoo_rule:rule", Path("net.safetensors"))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no result.json"),
        ({"student.json": "{}"}, r"Load '.*student.json' for the student alone"),
        ({"result.json": "{}"}, "is no result of limbeck"),
        ({"result.json": "not json"}, "is no result of limbeck"),
        ({"result.json": '{"format": "limbeck-result", "version": 99}'}, "version 99"),
        ({"audit.json": '{"format": "limbeck-audit", "version": 3}'}, "malformed"),
        ({"audit.json": '{"format": "limbeck-audit", "version": 2}'}, "has version 2, and this"),
    ],
)
def test_folders_that_are_no_results(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(FileRefused, match=message):
        load(tmp_path)

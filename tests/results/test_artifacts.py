from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from safetensors.numpy import load_file
from torch import nn

from limbeck.results.artifacts import Artifacts
from limbeck.students.onnx.layout import Layout


def test_without_a_teacher_there_are_weights_and_nothing_to_verify(tmp_path: Path) -> None:
    layout = Layout.of(["x"], [np.zeros((2, 3), np.float32)])
    student = nn.Linear(3, 2)
    given = SimpleNamespace(student=student, certificate="not written")
    found = Artifacts(None, layout, np.zeros(4, np.uint64), 0.05, 0.05).write(given, tmp_path)
    assert found == ()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    kept = load_file(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(kept["weight"], student.weight.detach().numpy())

from __future__ import annotations

import numpy as np
import pytest

from limbeck.contract import Access, Teacher
from limbeck.teachers.callable import CallableTeacher
from limbeck.teachers.shaped import Shaped

torch = pytest.importorskip("torch")


def test_a_module_of_images_answers_rows() -> None:
    from limbeck.teachers.torch import TorchTeacher

    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(24, 3)
    )
    own = TorchTeacher(net, classes=3)
    images = np.random.default_rng(0).normal(size=(5, 2, 4, 6)).astype(np.float32)
    rows = images.reshape(5, -1)
    teacher = Shaped(own, (2, 4, 6))
    assert isinstance(teacher, Teacher)
    np.testing.assert_array_equal(teacher.scores(rows), own.scores(images))
    slope = teacher.gradient(rows, 1)
    assert slope.shape == rows.shape
    moved = images.copy()
    moved[0, 1, 2, 3] += 1e-2
    change = own.scores(moved)[0, 1] - own.scores(images)[0, 1]
    assert change / 1e-2 == pytest.approx(slope[0].reshape(2, 4, 6)[1, 2, 3], abs=1e-3)
    assert teacher.layers() == own.layers()
    name = teacher.layers()[0]
    np.testing.assert_array_equal(
        teacher.activations(rows, [name])[name], own.activations(images, [name])[name]
    )
    assert (teacher.task, teacher.score_kind, teacher.name) == (
        own.task, own.score_kind, own.name,
    )  # fmt: skip
    assert teacher.size == own.size
    assert Access.GRADIENTS in teacher.access


def test_a_function_of_signals_answers_rows() -> None:
    teacher = Shaped(CallableTeacher(lambda X: X.max(axis=(1, 2))), (2, 3))
    rows = np.arange(12.0).reshape(2, 6)
    assert teacher.scores(rows)[:, 0].tolist() == [5.0, 11.0]
    assert teacher.access == Access.SCORES | Access.QUERIES
    assert teacher.size == ""

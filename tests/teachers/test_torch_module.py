from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.teachers.torch import TorchTeacher  # noqa: E402
from limbeck.teachers.torch_module import TorchModule  # noqa: E402


def test_modules_and_nothing_else_are_taken():
    assert TorchModule.accepts(torch.nn.Linear(1, 1))
    for other in (torch.nn.Linear, torch.zeros(1), {"weight": torch.zeros(1)}, None):
        assert not TorchModule.accepts(other)
    assert TorchModule.load() is TorchTeacher

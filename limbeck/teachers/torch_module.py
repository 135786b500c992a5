"""The declaration of torch modules as teachers, which is read without torch."""

from __future__ import annotations

import sys
from typing import Any

from limbeck.core.contract import Access
from limbeck.core.registry import TEACHERS
from limbeck.teachers.entry import TeacherEntry

__all__ = ["TorchModule"]


@TEACHERS.register("torch")
class TorchModule:
    """A torch module; see `limbeck.teachers.torch.TorchTeacher`."""

    entry = TeacherEntry(
        "a torch module",
        "limbeck.distill(torch.nn.Linear(4, 3), X, classes=3)",
        Access.SCORES | Access.QUERIES | Access.ACTIVATIONS | Access.GRADIENTS | Access.WEIGHTS,
        extra="torch",
        order=1,
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is a module; who has one has imported torch."""
        torch = sys.modules.get("torch")
        return torch is not None and isinstance(model, torch.nn.Module)

    @classmethod
    def load(cls) -> type[Any]:
        """The teacher's class."""
        from limbeck.teachers.torch import TorchTeacher

        return TorchTeacher

"""What a teacher becomes: each a scikit-learn estimator that holds no teacher.

Every registered student is imported from here by its class's name, when first used:
``from limbeck.students import Tree``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from limbeck.students.files import load

if TYPE_CHECKING:
    from limbeck.students.additive.additive import Additive
    from limbeck.students.junta.junta import Junta
    from limbeck.students.tree.tree import Tree
    from limbeck.students.wavelet.wavelet import WaveletStudent

__all__ = ["Additive", "Junta", "Tree", "WaveletStudent", "load"]


def __getattr__(name: str) -> Any:
    from limbeck.core.registry import STUDENTS

    if name[:1].isupper():  # modules and folders of the package have small names
        for _, student in STUDENTS.items():
            if student.__name__ == name:
                return student
    raise AttributeError(f"module 'limbeck.students' has no attribute {name!r}")


def __dir__() -> list[str]:
    from limbeck.core.registry import STUDENTS

    return sorted({*globals(), *(student.__name__ for _, student in STUDENTS.items())})

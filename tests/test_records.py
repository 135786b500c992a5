"""Records cannot be changed once they are made, so that what was checked stays as it was."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

import limbeck

ROOT = Path(limbeck.__file__).parent
FOLDERS = ("certificates", "data", "evaluation", "networks/losses")
FILLED = {"Evidence"}  # read row by row


def records(folder: str) -> dict[str, Any]:
    """The dataclasses that a folder defines."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(("limbeck", *path.relative_to(ROOT).with_suffix("").parts))
        for cls in vars(importlib.import_module(name)).values():
            if inspect.isclass(cls) and dataclasses.is_dataclass(cls) and cls.__module__ == name:
                found[cls.__name__] = cls
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_records_are_frozen(folder: str) -> None:
    if folder == "networks/losses":
        pytest.importorskip("torch")
    found = records(folder)
    changeable = {name for name, cls in found.items() if not cls.__dataclass_params__.frozen}
    assert changeable <= FILLED
    assert found


def test_records_of_rows_are_compared_by_identity() -> None:
    """Their arrays have no one truth value, so that == between them could only fail."""
    for cls in records("data").values():
        if any("NDArray" in str(field.type) for field in dataclasses.fields(cls)):
            assert not cls.__dataclass_params__.eq

"""What a network's distillation leaves on disk; what is in it is tested in test_network_result."""

from __future__ import annotations

from pathlib import Path

import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.results.artifacts import open_folder


def test_a_folder_is_made_once_and_a_file_is_none(tmp_path: Path) -> None:
    for _ in range(2):
        open_folder(tmp_path / "deep" / "run")
    (tmp_path / "file").write_text("here")
    with pytest.raises(InvalidInput, match="is a file"):
        open_folder(tmp_path / "file")
    with pytest.raises(FileRefused, match=r"cannot be made: Not a directory"):
        open_folder(tmp_path / "file" / "run")

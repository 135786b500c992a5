from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import FileRefused  # noqa: E402
from limbeck.selection.pilot_folder import same_pilot  # noqa: E402
from tests.selection.test_pilot_design import pilot  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_folder_goes_on_with_its_own_pilot_alone(tmp_path: Path) -> None:
    path, own = tmp_path / "pilot.json", pilot()
    same_pilot(path, own, 0)
    before = path.read_bytes()
    same_pilot(path, own, 0)
    assert path.read_bytes() == before
    other = replace(own, settings=replace(own.settings, lr=0.5), larger=None)
    with pytest.raises(FileRefused, match="holds a pilot with other training and larger"):
        same_pilot(path, other, 0)
    with pytest.raises(FileRefused, match="other measured"):
        same_pilot(path, replace(own, measured=own.method.rows), 0)
    assert path.read_bytes() == before

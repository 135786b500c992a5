"""What several rooms of tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets: LIMBECK_DATA, or shared/data beside the checkout.

    Without either the test is skipped with a reason; a LIMBECK_DATA that leads nowhere fails.
    """
    named = os.environ.get("LIMBECK_DATA")
    folder = Path(named) if named else _BESIDE
    if not (folder / "tabular").is_dir():
        if named:
            pytest.fail(f"LIMBECK_DATA is {named!r}, and there is no folder tabular in it.")
        pytest.skip("no real data: set LIMBECK_DATA to the folder that holds tabular/")
    return folder

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from limbeck.api.advice_file import advised
from limbeck.core.errors import InvalidInput


def test_students_that_write_text_are_refused_before_they_are_opened(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(
        "teacher: a:b\nstudent: hf:tiny\ntrain: a:b\nrecipe: patient\nout: run\n"
    )
    with pytest.raises(InvalidInput, match="student is 'hf:tiny', which writes text"):
        advised(tmp_path / "run.yaml")

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from limbeck.certificates.loss_file import LossFile
from limbeck.certificates.streamed_cases import StreamedCases
from limbeck.core.errors import InvalidInput
from limbeck.data.cases import case_hashes


@pytest.fixture
def cases(tmp_path: Path) -> StreamedCases:
    made = StreamedCases(tmp_path)
    assert made.add(["b", "a", "b"], 3).tolist() == [0, 1, 0]
    assert made.add(["c", "a", "d"], 3).tolist() == [2, 1, 3]
    return made


def test_cases_are_numbered_as_they_first_occur(cases: StreamedCases) -> None:
    assert len(cases) == 4
    assert cases.hashes.tolist() == case_hashes(np.array(list("bacd"), dtype=object)).tolist()
    codes = np.array([0, 1, 0, 2, 1, 3], dtype="<i8").tobytes()
    assert cases.digest("rows") == hashlib.sha256(b"rows" + codes).hexdigest()


def test_a_case_loses_the_mean_over_its_different_rows(
    cases: StreamedCases, tmp_path: Path
) -> None:
    marked = LossFile(tmp_path / "losses")
    marked.append(np.array([np.nan, 1.0, 3.0, 4.0, 2.0, np.nan]))
    assert cases.losses(marked).tolist() == [1.5, 3.0, 4.0]  # a, b, c: in order of first rows
    np.array([0, 1, 1, 0, 0, 1], dtype="<i4").tofile(tmp_path / "groups")
    assert cases.losses(marked, tmp_path / "groups", 1).tolist() == [1.0, 3.0]
    assert cases.join(np.array([[2, 0], [3, 2]])) == 2  # b, c and d are one
    assert cases.losses(marked).tolist() == [1.5, 3.5]


def test_every_row_has_its_case(cases: StreamedCases) -> None:
    with pytest.raises(InvalidInput, match="The case of 2 rows is missing"):
        cases.add(["a", None, None], 3)
    with pytest.raises(InvalidInput, match="The case of 1 rows is missing"):
        cases.add(["a", "b"], 3)
    assert len(cases) == 4

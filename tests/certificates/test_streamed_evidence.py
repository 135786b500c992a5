from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limbeck.certificates.evidence import Evidence
from limbeck.certificates.losses import BoundedLoss
from limbeck.certificates.streamed_evidence import StreamedEvidence
from limbeck.core.errors import InvalidInput
from limbeck.data.duplicates import row_hashes

X = np.array([[0.5, 0, 0], [-1, 0, 0], [2, 0, 0], [0.5, 0, 0], [-0.0, 0, 0]])
ANSWERS = np.array(["yes", "yes", "yes", "no", "no"])
LOSS = BoundedLoss("disagreement")


def recorded(student: Any, folder: Path, loss: BoundedLoss = LOSS, answers: Any = ANSWERS,
             groups: Any = None, **given: Any) -> StreamedEvidence:  # fmt: skip
    made = StreamedEvidence(student, loss, folder, grouped=groups is not None, **given)
    for at in (slice(0, 2), slice(2, 5)):
        made.record(X[at], answers[at], None if groups is None else groups[at])
    return made


def test_rows_in_batches_have_the_fingerprint_of_the_table(threshold: Any, tmp_path: Path) -> None:
    found = recorded(threshold(), tmp_path, rule="drop")
    whole = Evidence(threshold(), LOSS, None, "drop")
    whole.record(X, ANSWERS, 5)
    assert found.rows == whole.rows
    assert found.draws == (4, 2)  # row 3 is a copy of row 0, and one of them is wrong
    assert found.duplicates.copies == 1
    assert found.ordered_rows is None


def test_what_identical_rows_are_must_be_said(threshold: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r'1 of 5 rows are identical.*duplicates="drop"'):
        _ = recorded(threshold(), tmp_path).draws


def test_groups_are_counted_by_label(threshold: Any, tmp_path: Path) -> None:
    groups = np.array(["b", "a", "a", "b", "a"])
    found = recorded(threshold(), tmp_path, groups=groups, rule="keep")
    assert found.by_group() == {"a": (3, 1), "b": (2, 1)}
    with pytest.raises(InvalidInput, match="There are 1 groups for 2 rows of a batch"):
        found.record(X[:2], ANSWERS[:2], ["a", None])


def test_rows_that_training_saw_are_refused(threshold: Any, tmp_path: Path) -> None:
    seen = row_hashes(X[1:2])
    with pytest.raises(InvalidInput, match="Training saw 1 of these 5 rows"):
        _ = recorded(threshold(), tmp_path, seen=seen, rule="keep").seen_facts


def test_a_loss_outside_its_range_names_the_row_of_the_table(scale: Any, tmp_path: Path) -> None:
    loss = BoundedLoss("absolute", high=1.0)
    answers = X[:, 0] + np.array([0, 0, 0, 0, 2.0])
    with pytest.raises(InvalidInput, match=r"The loss of row 4 is 2.0, outside the range"):
        recorded(scale(), tmp_path, loss, answers)

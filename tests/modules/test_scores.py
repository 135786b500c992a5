"""Which of the tensors that a module returns for n rows are its scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.core.task import Task
from limbeck.modules.scores import as_array, chosen_output, class_scores, row_scores

Z, HIDDEN = torch.randn(4, 2), torch.randn(4, 7)
ROWS = slice(10, 14)


@pytest.mark.parametrize(
    "output", [Z, (Z, HIDDEN), {"a": HIDDEN, "b": Z}, {"logits": Z, "other": Z}, ({"logits": Z},)]
)
def test_scores_are_the_only_tensor_that_fits(output: Any) -> None:
    assert torch.equal(row_scores(output, ROWS, 2, "Net"), Z)


def test_two_that_fit_are_refused_until_one_is_named() -> None:
    both = {"a": Z, "b": Z + 1, "loss": Z}
    with pytest.raises(InvalidInput, match=r"'a' \(4, 2\), 'b' \(4, 2\)"):
        row_scores(both, ROWS, 2, "Net")
    assert torch.equal(row_scores(both, ROWS, 2, "Net", "b"), Z + 1)
    place, said = chosen_output({"a": Z, "h": HIDDEN}, 4, 2, "Net")
    assert place == "a"
    assert said.startswith("Of 2 tensors that Net returns, 'a' of shape (4, 2) is taken")
    assert chosen_output((Z,), 4, 2, "Net") == (None, "")


def test_what_are_no_scores_is_said_with_its_row() -> None:
    bad = Z.clone()
    bad[2, 1] = torch.nan
    for output, said in (
        (bad, "finite number for row 12"),
        (Z[:3], r"shape \(3, 2\) of torch.float32 for 4 rows"),
        ({"loss": Z}, r"\['loss'\], in which no scores"),
    ):
        with pytest.raises(TeacherFailed, match=said):
            row_scores(output, ROWS, 2, "Net")


def test_one_output_of_two_classes_becomes_two_columns() -> None:
    two, one = Task(("no", "yes")), torch.tensor([[0.25], [0.75]])
    logits = class_scores(one, two, ScoreKind.LOGIT, slice(0, 2), "Net")
    assert logits.tolist() == [[0, 0.25], [0, 0.75]]
    chances = class_scores(one, two, ScoreKind.PROBABILITY, slice(0, 2), "Net")
    assert chances.tolist() == [[0.75, 0.25], [0.25, 0.75]]
    with pytest.raises(TeacherFailed, match="were taken for probabilities"):
        class_scores(one * 4, two, ScoreKind.PROBABILITY, slice(0, 2), "Net")
    with pytest.raises(InvalidInput, match=r"7 output\(s\) for 2 classes"):
        class_scores(HIDDEN, two, ScoreKind.LOGIT, ROWS, "Net")


def test_bfloat16_becomes_an_array() -> None:
    found = as_array(torch.tensor([1.5], dtype=torch.bfloat16, requires_grad=True))
    assert found.dtype == np.float16
    assert found.tolist() == [1.5]

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from torch import nn
from torch.utils.data import TensorDataset

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.networks.cache.filling import Filling
from limbeck.networks.cache.recording import Recorder
from limbeck.networks.datasets.data import Samples

X = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))


def filling(teacher: nn.Module, batch_size: int = 2, tell: object = quiet) -> Filling:
    rows = Samples.of(TensorDataset(X, torch.zeros(7, dtype=torch.int64)))
    return Filling(Recorder(None, (), "float32"), teacher, rows, batch_size, tell)  # type: ignore[arg-type]


def test_row_of_a_view_and_a_place_holds_the_answer_to_that_sample(tmp_path: Path) -> None:
    teacher, told = nn.Linear(3, 2), []
    file = filling(teacher, tell=lambda *what: told.append(what[1:])).start(
        tmp_path, {"seed": 0, "views": 2}
    )
    assert file.done == file.rows == 14
    assert told == [(done, 14) for done in (2, 4, 6, 7, 9, 11, 13, 14)]
    expected = teacher(X).detach().numpy()
    found = file.read("logits", np.arange(14))
    np.testing.assert_allclose(found, np.vstack([expected, expected]), atol=1e-6)
    assert file.head["augmented"]  # by views, though the rows are not drawn


class Widening(nn.Module):
    """One more output after its first answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return x.repeat(1, 1 + (self.asked > 2))


def test_an_output_of_another_shape_than_the_first_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"shape \(3,\) for the first sample and \(6,\)"):
        filling(Widening()).start(tmp_path, {"seed": 0, "views": 1})

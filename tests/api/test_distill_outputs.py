"""Tables from networks that return several tensors; rows under their other name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.teachers import TorchTeacher

X = np.random.default_rng(0).normal(size=(300, 3))
FAST: dict[str, Any] = {"method": "greedy", "max_leaves": 6, "queries": 60}


class Two(nn.Module):
    """Features and scores, in the form that is asked for."""

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.form = form

    def forward(self, x: Tensor) -> Any:
        scores = torch.stack([-x[:, 0], x[:, 0]], 1)
        return self.form(x, scores)


def labels() -> Any:
    return (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    ("form", "place"), [(lambda h, z: (h, z), "1"), (lambda h, z: {"h": h, "z": z}, "'z'")]
)
def test_the_only_tensor_that_fits_is_taken_and_said(form: Any, place: str) -> None:
    found = limbeck.distill(Two(form), X, labels(), **FAST)
    assert {e.role: e for e in found.comparison.entries}["teacher"].accuracy.value == 1.0
    assert any(f"{place} of shape" in n for n in found.notes)
    teacher = TorchTeacher(Two(form), classes=[0, 1])
    assert np.array_equal(teacher.scores(X).argmax(1), labels())
    assert not any(
        "is taken" in n for n in limbeck.distill(Two(lambda h, z: z), X, labels(), **FAST).notes
    )


def test_two_that_fit_are_refused_with_both_names() -> None:
    net = Two(lambda h, z: {"one": -z, "two": z})
    with pytest.raises(InvalidInput, match=r"'one' \(\d+, 2\), 'two' \(\d+, 2\)"):
        limbeck.distill(net, X, labels(), **FAST)
    for output in ("two", 1):
        found = limbeck.distill(net, X, labels(), output=output, **FAST)
        assert {e.role: e for e in found.comparison.entries}["teacher"].accuracy.value == 1.0
    with pytest.raises(InvalidInput, match="Did you mean 'two'"):
        limbeck.distill(net, X, labels(), output="tow", **FAST)


def test_rows_may_be_called_data() -> None:
    one = limbeck.distill(Two(lambda h, z: z), data=X, y=labels(), **FAST)
    two = limbeck.distill(Two(lambda h, z: z), X, labels(), **FAST)
    assert one.student.text() == two.student.text()
    net = nn.Linear(3, 2, bias=False)
    net.weight.data = torch.tensor([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])  # right on all rows
    pair = torch.tensor(X).float(), torch.tensor(labels())
    found = limbeck.distill(net, data=pair, into=nn.Linear(3, 2), epochs=1, timing=False)
    assert found.student is not net
    with pytest.raises(InvalidInput, match="no rows"):
        limbeck.distill(net, into=nn.Linear(3, 2))
    with pytest.raises(InvalidInput, match="as X and as data"):
        limbeck.distill(net, X, data=X)

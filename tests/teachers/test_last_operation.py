from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from limbeck.teachers.last_operation import ends_in_sigmoid

Z = torch.linspace(-2, 2, 6).reshape(3, 2).requires_grad_()


@pytest.mark.parametrize(
    "end",
    [torch.sigmoid, lambda z: z.softmax(1), lambda z: z.sigmoid().t(), lambda z: z.sigmoid()[:, 0],
     lambda z: z.softmax(1).double().reshape(-1).clamp(1e-6, 1).unsqueeze(0)],
)  # fmt: skip
def test_numbers_may_be_moved_behind_a_sigmoid(end):
    assert ends_in_sigmoid(end(Z))


@pytest.mark.parametrize(
    "end",
    [torch.tanh, lambda z: z.sigmoid().tanh(), lambda z: F.threshold(z.sigmoid(), 0.5, 0.0),
     lambda z: z.sigmoid().trunc(), lambda z: 2 * z.sigmoid(), lambda z: z.log_softmax(1),
     lambda z: z.detach().sigmoid(), lambda z: z],
)  # fmt: skip
def test_other_operations_end_what_a_sigmoid_says(end):
    assert not ends_in_sigmoid(end(Z))

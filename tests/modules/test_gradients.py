"""Gradients of a module's scores with respect to its inputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limbeck.core.errors import TeacherFailed
from limbeck.modules.gradients import differentiable, slope_of

ROWS = slice(0, 3)


def test_the_slope_of_a_linear_layer_is_its_weights_also_without_gradients_outside() -> None:
    net = nn.Sequential(nn.Linear(2, 1), nn.Dropout(0.9)).train()
    x = torch.randn(3, 2, requires_grad=True)
    with torch.no_grad(), differentiable(net):
        slope = slope_of(net(x).sum(), x, ROWS, "Net")
    assert torch.allclose(slope, net[0].weight.detach().expand(3, 2))
    assert net.training
    assert all(p.grad is None for p in net.parameters())


def test_a_score_that_does_not_depend_on_the_inputs_has_no_slope() -> None:
    x = torch.randn(3, 2, requires_grad=True)
    assert slope_of(torch.ones(()), x, ROWS, "Net").tolist() == [[0, 0]] * 3
    other = torch.ones((), requires_grad=True)
    assert slope_of(2 * other, x, ROWS, "Net").tolist() == [[0, 0]] * 3


def test_an_operation_without_a_gradient_is_named() -> None:
    class Cut(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            return x.sum()

        @staticmethod
        def backward(ctx, grad):  # type: ignore[no-untyped-def]
            raise RuntimeError("no way back")

    x = torch.randn(3, 2, requires_grad=True)
    with pytest.raises(TeacherFailed, match="Net cannot be differentiated on rows 0 to 2: no way"):
        slope_of(Cut.apply(x), x, ROWS, "Net")

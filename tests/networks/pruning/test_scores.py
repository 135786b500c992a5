from __future__ import annotations

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.pruning import scores  # noqa: E402
from limbeck.networks.pruning.plan import parts_of  # noqa: E402

pytestmark = pytest.mark.torch


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def dense(*widths, seed=0):
    torch.manual_seed(seed)
    layers = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize(
    "labels",
    [None, torch.tensor([0, 1, -100]), draw(3, 2).sigmoid()],
    ids=["none", "classes", "several"],
)
def test_rows_and_labels_go_where_the_network_is(labels, monkeypatch):
    monkeypatch.setattr(scores, "by_norm", lambda weights, _: weights)  # which asks for a number
    net, rows = dense(4, 3, 2), draw(3, 4)
    axes = parts_of(net, rows).found.axes
    found = scores.by_gradient(net.to("meta"), axes, rows, labels, each_row=True)
    assert {v.device.type for v in found.values()} == {"meta"}


LOSSES = {
    "classes": (2, torch.tensor([0, 1, 1, 0, 1, 0]), nn.functional.cross_entropy),
    "one logit": (1, torch.tensor([0, 1, 1, 0, 1, 0]), lambda s, y: nn.functional.
                  binary_cross_entropy_with_logits(s[:, 0], y.float())),
    "one value": (1, draw(6, 1), nn.functional.mse_loss),
    "values": (2, draw(6, 2, seed=1), nn.functional.mse_loss),
    "several answers": (2, torch.tensor([[0.0, 1], [1, 1], [0, 0], [1, 0], [1, 1], [0, 1]]),
                        nn.functional.binary_cross_entropy_with_logits),
    "shares": (2, draw(6, 2).softmax(-1), nn.functional.cross_entropy),
}  # fmt: skip


@pytest.mark.parametrize("each_row", [False, True])
@pytest.mark.parametrize("case", LOSSES)
def test_gradients_are_those_of_the_loss_that_the_labels_are_learned_by(case, each_row):
    outputs, y, loss = LOSSES[case]
    net, x = dense(3, 5, outputs), draw(6, 3)
    parts = parts_of(net, x, y)
    found = scores.by_gradient(net, parts.found.axes, x, y, each_row=each_row)
    total = {n: torch.zeros(5).double() for n in ("0.weight", "0.bias", "2.weight")}
    for at in [slice(i, i + 1) for i in range(6)] if each_row else [slice(6)]:
        net.zero_grad()
        loss(net(x[at]), y[at]).backward()
        for name, p in net.named_parameters():
            if name in total:
                square = (p.grad * p).detach().double().square()
                along = {"0.weight": 1, "2.weight": 0}.get(name)
                total[name] += square if along is None else square.sum(along)
    expected = sum(v / v.sum() for v in total.values())
    assert torch.allclose(found[parts.groups[0].space], expected)


def test_one_output_without_labels_is_refused():
    net, x = dense(3, 5, 1), draw(6, 3)
    with pytest.raises(InvalidInput, match="needs labels where a network has one output"):
        scores.by_gradient(net, parts_of(net, x).found.axes, x, None, each_row=True)

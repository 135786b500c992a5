from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import SoftTargets  # noqa: E402

pytestmark = pytest.mark.torch


def test_the_layer_that_has_something_to_learn_brings_most():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 3))
    student = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 3))
    student.load_state_dict(net.state_dict())
    with torch.no_grad():
        student[2].weight.copy_(-net[2].weight)
    X = torch.randn(1500, 4)
    found = limbeck.ablate(
        net, X, into=student, objective=SoftTargets(), parts="layers", seeds=1, epochs=8,
        lr=1e-2, batch_size=32, progress=False,
    )  # fmt: skip
    assert [p.name for p in found.parts] == ["training of 2", "training of 0"]
    assert found.parts[0].brings.low > 0


def test_what_parts_are_is_checked():
    X = torch.randn(60, 4)
    one = nn.Linear(4, 2)
    for parts, says in (("layer", "parts is"), ("layers", "one group")):
        with pytest.raises(InvalidInput, match=says):
            limbeck.ablate(
                nn.Linear(4, 2), X, into=nn.Sequential(one), objective=SoftTargets(), parts=parts
            )

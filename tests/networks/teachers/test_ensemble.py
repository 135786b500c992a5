"""Several teachers as one, by values computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import Capture
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.teachers.ensemble import ModuleEnsemble
from limbeck.networks.training.engine import device_of


class Says(nn.Module):
    """The same logits for every row, and how often it was asked for how many."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.register_buffer("logits", torch.tensor(logits))
        self.asked: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.asked.append(len(x))
        assert isinstance(self.logits, Tensor)
        return self.logits.expand(len(x), -1)


X = torch.tensor([[0.0], [1.0], [1.0], [0.0]])


def test_means_by_hand() -> None:
    one, two = Says(0.0, 0.0), Says(torch.tensor(9.0).log().item(), 0.0)  # 0.5 and 0.9
    p = ModuleEnsemble([one, two])(X).softmax(-1)
    assert p[0].tolist() == pytest.approx([0.7, 0.3])
    p = ModuleEnsemble([one, two], weights=[3, 1])(X).softmax(-1)
    assert p[0].tolist() == pytest.approx([0.6, 0.4])
    assert ModuleEnsemble([one, two], weights=[0, 2])(X)[0].exp().tolist() == pytest.approx(
        [0.9, 0.1]
    )
    z = ModuleEnsemble([Says(1.0, 2.0), Says(3.0, 6.0)], weights=[1, 3], combine="logits")(X)
    assert z[2].tolist() == pytest.approx([2.5, 5.0])


def test_one_teacher_a_row_is_asked_about_its_rows_only() -> None:
    teachers = [Says(1.0, 2.0), Says(3.0, 4.0), Says(5.0, 6.0)]
    both = ModuleEnsemble(teachers, choose=lambda x: x[:, 0].long())
    assert both(X).tolist() == [[1, 2], [3, 4], [3, 4], [1, 2]]
    assert [t.asked for t in teachers] == [[2], [2], []]


class Named(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Any:
        return {"logits": torch.cat([a, b], 1)}


def test_inputs_of_any_form() -> None:
    a, b = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [4.0]])
    said = [[1.0, 3.0], [2.0, 4.0]]
    for choose in (None, lambda inputs: torch.tensor([1, 0])):
        both = ModuleEnsemble([Named(), Named()], combine="logits", choose=choose)
        assert both(a, b).tolist() == said
        assert both(a=a, b=b).tolist() == said
    domain = torch.tensor([1, 0])
    pick = ModuleEnsemble([Named(), Named()], choose=lambda inputs: inputs["domain"])
    assert pick(a=a, b=b, domain=domain).tolist() == said  # which the teachers do not take


def test_sequences() -> None:
    class Steps(Says):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x)[:, None].expand(-1, 3, -1)

    p = ModuleEnsemble([Steps(0.0, 0.0), Steps(0.0, 0.0)])(X).exp()
    assert p.shape == (4, 3, 2)
    assert p.flatten().tolist() == pytest.approx([0.5] * 24)


def test_teachers_are_held_and_their_layers_named() -> None:
    one, two = nn.Linear(1, 2), nn.Linear(1, 2)
    both = ModuleEnsemble([one, two])
    assert both.teachers[0] is one
    with Capture(both, ["teachers.1"]) as capture:
        both(X)
        assert capture.take()["teachers.1"].equal(two(X))
    assert not both.eval().teachers[1].training


def test_settings_enter_the_fingerprint() -> None:
    one, two = nn.Linear(1, 2), nn.Linear(1, 2)

    def first(x: Tensor) -> Tensor:
        return torch.zeros(len(x), dtype=torch.long)

    told = {
        fingerprint(ModuleEnsemble([one, two])),
        fingerprint(ModuleEnsemble([two, one])),
        fingerprint(ModuleEnsemble([one, two], weights=[1, 2])),
        fingerprint(ModuleEnsemble([one, two], combine="logits")),
        fingerprint(ModuleEnsemble([one, two], choose=first)),
    }
    assert len(told) == 5
    assert fingerprint(ModuleEnsemble([one, two])) in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"teachers": []}, "no teacher"),
        ({"combine": "votes"}, "votes"),
        ({"weights": [1.0]}, r"\[1.0\]"),
        ({"weights": [-1.0, 2.0]}, "-1.0"),
        ({"weights": [0, 0]}, "not all 0"),
        ({"weights": [float("nan"), 1]}, "nan"),
        ({"weights": [1, 1], "choose": len}, "one of the two"),
    ],
)
def test_what_has_no_meaning_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        ModuleEnsemble(**{"teachers": [Says(1.0), Says(2.0)], **given})


def test_answers_that_do_not_match_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Teacher 1 has 3 outputs, an earlier one 2"):
        ModuleEnsemble([Says(1.0, 2.0), Says(1.0, 2.0, 3.0)])(X)
    with pytest.raises(InvalidInput, match="combine='logits'"):
        ModuleEnsemble([Says(1.0), Says(2.0)])(X)
    uneven = ModuleEnsemble([Says(1.0, 2.0), Says(1.0, 2.0, 3.0)], choose=lambda x: x[:, 0].long())
    with pytest.raises(InvalidInput, match="Teacher 1 has 3 outputs"):
        uneven(X)
    with pytest.raises(InvalidInput, match=r"\[2, 2, 2, 2\].*0 to 1"):
        ModuleEnsemble([Says(1.0), Says(1.0)], choose=lambda x: torch.full((len(x),), 2))(X)


def test_it_lies_where_its_teachers_lie() -> None:
    made = ModuleEnsemble([nn.Linear(2, 3, device="meta"), nn.Linear(2, 3, device="meta")])
    assert made(torch.empty(4, 2, device="meta")).device == torch.device("meta")
    assert device_of(made) == torch.device("meta")

"""What every term on one batch keeps to, whatever it compares."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from limbeck.modules.batch import Step, View
from limbeck.networks import (
    DIST,
    DKD,
    AttentionMaps,
    AttentionTransfer,
    Contrastive,
    Embeddings,
    GoldLabels,
    HiddenStates,
    JensenShannon,
    LinearSchedule,
    Logits,
    LogitsCosine,
    Relations,
    ReverseKL,
    SoftTargets,
    TeacherLabels,
)
from limbeck.networks.losses.filters import RowWeights, TeacherConfident, TeacherCorrect
from limbeck.networks.losses.loss import Loss, Objective

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
TERMS = [
    GoldLabels(),
    GoldLabels(rest=True),
    TeacherLabels(),
    SoftTargets(LinearSchedule(4, 1), standardise=True),
    ReverseKL(),
    JensenShannon(),
    DKD(),
    DIST(),
    Logits(),
    LogitsCosine(),
    HiddenStates({"image": "image"}),
    HiddenStates({"text": "text"}, distance="cosine"),
    Embeddings({"text": "text"}),
    AttentionMaps({"attention": "attention"}),
    AttentionTransfer({"image": "image", "text": "text"}),
    Relations({"text": "text"}),
    Contrastive({"image": "image"}),
    Contrastive({"image": "image"}, other_classes=True),
]


@pytest.fixture
def batch(step: Make, draw: Draw) -> Callable[[str], Step]:
    """A batch on a device, of which the filters let some rows pass."""

    def make(device: str) -> Step:
        shapes = {
            "image": ((8, 3, 4, 4), (8, 5, 2, 2)),
            "text": ((8, 6, 4), (8, 6, 7)),
            "attention": ((8, 2, 6, 6), (8, 3, 6, 6)),
        }
        layers = {n: (draw(*s).to(device), draw(*t).to(device)) for n, (s, t) in shapes.items()}
        teacher = 2 * draw(8, 4)
        labels = teacher.argmax(1)
        labels[:2] = (labels[:2] + 1) % 4  # where it is wrong
        now = step(
            draw(8, 4).to(device).requires_grad_(),
            teacher.to(device),
            labels.to(device),
            layers=layers,
            index=torch.arange(8),  # of a batch it is on the CPU
            done=0.5,
        )
        given = TeacherCorrect() & TeacherConfident(0.3) & RowWeights(torch.arange(1.0, 9.0))
        now.weight = given(now)
        return now

    return make


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_it_stays_on_the_device_of_the_batch(term: Loss, batch: Callable[[str], Step]) -> None:
    now = batch("meta")  # tensors without numbers, which refuse to meet those of the CPU
    maps = term.maps(now)
    assert maps is None or all(p.device.type == "meta" for p in maps.parameters())
    assert term.loss(now, maps).device.type == "meta"


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_the_loss_is_a_finite_number_above_0_and_the_same_again(
    term: Loss, batch: Callable[[str], Step]
) -> None:
    now = batch("cpu")
    assert now.weight is not None
    assert 3 < int((now.weight > 0).sum()) < 7
    torch.manual_seed(0)
    maps = term.maps(now)
    loss = term.loss(now, maps)
    assert loss.shape == ()
    assert loss.dtype == torch.float64
    assert 0 < loss.item() < 1e3
    assert torch.equal(term.loss(now, maps), loss)


@pytest.mark.parametrize("term", TERMS[2:], ids=repr)
def test_a_batch_of_which_nothing_passes_teaches_nothing(
    term: Loss, batch: Callable[[str], Step]
) -> None:
    now = batch("cpu")
    assert now.weight is not None
    now.weight = 0 * now.weight.float()
    views = [now.student.logits.float(), *(x.float() for x in now.student.layers.values())]
    leaves = [x.detach().requires_grad_() for x in views]
    now.student = View(leaves[0], dict(zip(now.student.layers, leaves[1:], strict=True)))
    assert now.teacher is not None
    theirs = {n: x.float() for n, x in now.teacher.layers.items()}
    now.teacher = View(now.teacher.logits.float(), theirs)
    vars(now).pop("aligned", None)
    maps = term.maps(now)
    loss = term.loss(now, maps)
    assert loss == 0
    learned = [] if maps is None else list(maps.parameters())
    for gradient in torch.autograd.grad(1e4 * loss, leaves + learned, allow_unused=True):
        assert gradient is None or not gradient.any()  # NaN is something


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_it_is_settings_only(term: Loss) -> None:
    again = pickle.loads(pickle.dumps(term))
    assert again == term
    assert " at 0x" not in repr(term)
    assert Objective.of(0.5 * term).names == (type(term).__name__,)

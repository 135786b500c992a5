from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from dataclasses import dataclass  # noqa: E402
from typing import ClassVar  # noqa: E402

from torch import nn  # noqa: E402

from limbeck.core.task import Task  # noqa: E402
from limbeck.modules.batch import Step, View  # noqa: E402
from limbeck.networks import GoldLabels, Logits, Loss, SoftTargets, balanced  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import Needs  # noqa: E402
from limbeck.networks.training.balance import Balance  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
TASK = Task.of("classification", 3)


@dataclass(frozen=True)
class Times(Loss):
    """Another term, multiplied."""

    term: Loss
    factor: float
    level: ClassVar[int] = 0

    @property
    def name(self) -> str:
        return self.term.name

    @property
    def needs(self) -> Needs:
        return self.term.needs

    def loss(self, step, maps):
        return self.factor * self.term.loss(step, maps)


def test_shares_of_the_gradient_are_as_asked():
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    losses = {"a": 3 * weight.sum(), "b": 1000 * weight[0]}  # gradients (3, 3) and (1000, 0)
    balance = Balance([weight])
    balance.total(losses, {"a": 0.75, "b": 0.25}).backward()
    norms = {"a": 18**0.5, "b": 1000.0}
    factors = balance.factors({"a": 0.75, "b": 0.25})
    assert factors["a"] * norms["a"] == pytest.approx(0.75)
    assert factors["b"] * norms["b"] == pytest.approx(0.25)
    by_hand = torch.tensor([0.75 / 2**0.5 + 0.25, 0.75 / 2**0.5])
    torch.testing.assert_close(weight.grad, by_hand)


def test_factors_come_to_rest():
    weight = nn.Parameter(torch.tensor([1.0]))
    balance = Balance([weight])
    for norm in (4.0, 2.0, 0.0, 3.0):  # where it is 0 nothing is known
        balance._measure({"a": norm * weight.sum()})
    assert balance.factors({"a": 0.6}) == {"a": pytest.approx(0.6 / 3)}


def test_a_term_without_a_gradient_counts_nothing():
    weight = nn.Parameter(torch.tensor([1.0]))
    balance = Balance([weight])
    losses = {"a": weight.sum(), "b": torch.tensor(3.0)}
    balance.total(losses, {"a": 0.5, "b": 0.5}).backward()
    assert weight.grad.item() == pytest.approx(0.5)


def networks():
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    return x, teacher, nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))


def trained(factor: float, folder=None, epochs: int = 10, batch: int = 20, lr: float = 0.1):
    x, teacher, student = networks()
    terms = 0.6 * SoftTargets(temperature=4) + 0.1 * GoldLabels() + 0.3 * Times(Logits(), factor)
    return train(
        student,
        Samples.of((x, teacher(x).argmax(1))),
        balanced(terms),
        TASK,
        teacher=teacher,
        training=Training(epochs, batch, optimizer="sgd", lr=lr, log_every=1),
        folder=folder,
    )


def test_a_loss_that_is_multiplied_changes_nothing():
    one, power = trained(1.0), trained(1024.0)  # a power of two: the same bits
    for a, b in zip(one.module.parameters(), power.module.parameters(), strict=True):
        assert torch.equal(a, b)
    thousand = trained(1000.0)
    for a, b in zip(one.module.parameters(), thousand.module.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    assert one.history[-1]["loss"] < one.history[0]["loss"]


def test_shares_of_a_training_against_gradients_taken_by_hand(tmp_path):
    """The student stands still, so that the norms are the same in all updates."""
    run = trained(50.0, tmp_path, epochs=30, batch=60, lr=0.0)
    rows = (tmp_path / "metrics.csv").read_text().splitlines()
    last = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
    x, teacher, _ = networks()
    view = View(run.module(x))
    step = Step(x, teacher(x).argmax(1), view, View(teacher(x).detach()), TASK)
    asked = {"SoftTargets": 0.6, "GoldLabels": 0.1, "Logits": 0.3}
    for term in (SoftTargets(temperature=4), GoldLabels(), Times(Logits(), 50.0)):
        grads = torch.autograd.grad(
            term.loss(step, None), list(run.module.parameters()), retain_graph=True
        )
        norm = torch.cat([g.flatten() for g in grads]).norm().item()
        assert norm * float(last[f"weight/{term.name}"]) == pytest.approx(asked[term.name], 1e-4)
    assert float(last["gradient_norm"]) <= 1.0

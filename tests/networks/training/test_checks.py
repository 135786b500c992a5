from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.modules.runner import watched  # noqa: E402
from limbeck.networks import GoldLabels, HiddenStates, Interchange, SoftTargets  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import (  # noqa: E402
    Loss,
    Needs,
    Objective,
)
from limbeck.networks.training.checks import (  # noqa: E402  # noqa: E402
    check_outputs,
    check_settings,
    check_shared,
    maps_of,
    unused,
)
from limbeck.networks.training.engine import Engine  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch

X = torch.zeros(4, 2)
BARE, FULL = Samples.of(X), Samples.of((X, torch.zeros(4)))


def refuse(terms, samples=FULL, teacher=None, peers=False, kind=TaskKind.CLASSIFICATION):
    check_settings(Objective.of(terms), Task.of(kind, 2), samples, teacher, None, peers)


def test_what_fits_passes():
    teacher = nn.Linear(2, 2)
    refuse(GoldLabels())
    refuse(SoftTargets(temperature=2), BARE, teacher)
    refuse(SoftTargets(temperature=2) + GoldLabels(), peers=True)
    refuse(Interchange({"0": "0"}), BARE, teacher)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"terms": GoldLabels(), "samples": BARE}, "GoldLabels reads labels"),
        ({"terms": SoftTargets(temperature=2)}, "SoftTargets needs a teacher"),
        ({"terms": SoftTargets(temperature=2), "kind": TaskKind.REGRESSION}, "temperature"),
        ({"terms": HiddenStates({"0": "0"}), "peers": True}, "share only their predictions"),
        ({"terms": Interchange({"0": "0"}), "teacher": object()}, "stored outputs cannot"),
    ],
)
def test_what_does_not_fit_is_named(given, message):
    with pytest.raises(InvalidInput, match=message):
        refuse(**given)


def test_outputs_by_kind():
    check_outputs((2, 5, 3), Task.of("tokens", 3), "student")
    for shape, task in (
        ((2, 3), Task.of("language", 3)),
        ((2, 5, 3), Task.of("classification", 3)),
        ((2, 4), Task.of("regression", 1)),
    ):
        with pytest.raises(InvalidInput, match="The student returned shape"):
            check_outputs(shape, task, "student")


def test_a_student_inside_its_teacher():
    teacher = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    check_shared(teacher, nn.Linear(2, 2))
    with pytest.raises(InvalidInput, match="share the weight 'weight'"):
        check_shared(teacher, teacher[1])


def net(width: int, outputs: int = 3) -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, width), nn.BatchNorm1d(width), nn.Dropout(0.5), nn.Linear(width, outputs)
    )


def look(students, objective, seed=0, outputs=3):
    objective = Objective.of(objective)
    samples = Samples.of((torch.randn(6, 4), torch.zeros(6, dtype=torch.long)))
    teacher = net(7).eval()
    with (
        Engine.started(Training(), torch.device("cpu")) as engine,
        watched(teacher, objective.needs.teacher_layers, "t", context=torch.no_grad) as network,
    ):
        return maps_of(
            students,
            samples.fetch([0, 1]),
            objective,
            Task.of("classification", outputs),
            lambda batch: network(batch.inputs),
            objective.needs,
            seed,
            engine,
        )


def test_the_look_leaves_no_trace():
    student = net(5)
    before = copy.deepcopy(student.state_dict())
    maps = look([student], HiddenStates({"0": "0"}))
    assert all(torch.equal(v, before[k]) for k, v in student.state_dict().items())
    assert all(m.training for m in student.modules())
    assert {tuple(p.shape) for p in maps[0].parameters() if p.ndim == 2} == {(7, 5)}


def test_maps_are_a_function_of_the_seed_alone():
    def made(seed):
        torch.manual_seed(int(torch.randint(1000, ())))
        return torch.cat(
            [p.flatten() for p in look([net(5)], HiddenStates({"0": "0"}), seed)[0].parameters()]
        )

    assert torch.equal(made(1), made(1))
    assert not torch.equal(made(1), made(2))


def test_networks_with_other_outputs_are_refused():
    with pytest.raises(InvalidInput, match=r"The student returned shape \(2, 4\).*k = 3"):
        look([net(5, outputs=4)], GoldLabels())
    with pytest.raises(InvalidInput, match=r"The teacher returned shape \(2, 3\).*k = 5"):
        look([net(5, outputs=5)], SoftTargets(temperature=2), outputs=5)


def test_weights_that_do_not_enter_the_outputs_are_seen():
    batch = Samples.of(torch.randn(3, 4)).fetch([0, 1])
    assert not unused(net(5), batch)
    idle = net(5)
    idle.register_parameter("idle", nn.Parameter(torch.zeros(1)))
    assert unused(idle, batch)


_LEAF = torch.ones((), requires_grad=True)  # of no network


@dataclass(frozen=True)
class Own(Loss):
    """A loss of one's own that is wrong in a way."""

    level: ClassVar[int] = 0
    how: str = ""

    @property
    def needs(self) -> Needs:
        return Needs(labels=True)

    def loss(self, step, maps):
        losses = F.cross_entropy(step.student.logits, step.labels, reduction="none")
        return {
            "vector": losses,
            "detached": losses.mean().detach(),
            "number": losses.mean().item(),
            "hard": (step.student.logits.argmax(-1) != step.labels).float().mean(),
            "foreign": losses.mean().detach() + _LEAF,
            "both": losses.mean() * _LEAF,
            "right": losses.mean(),
        }.get(self.how) if self.how != "raising" else losses[7]  # fmt: skip


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("vector", r"loss of Own_2 is of shape \(2,\), not one number.*mean over rows"),
        ("number", "loss of Own_2 is of float"),
        ("nothing", "loss of Own_2 is of NoneType"),
        ("detached", "No gradient of Own_2 reaches the student.*detach"),
        ("hard", "No gradient of Own_2 reaches the student"),
        ("foreign", "No gradient of Own_2 reaches the student"),
        ("raising", "loss of Own_2 raised IndexError on 2 rows"),
    ],
)
def test_a_loss_that_trains_nothing_is_refused_by_name_before_training(how, message):
    student = net(5)
    with pytest.raises(InvalidInput, match=message):
        look([student], Own(how="right") + Own(how=how))
    assert look([student], Own(how="right")) != []
    assert look([student], Own(how="both")) != []
    if how in ("detached", "hard", "foreign"):  # only watched
        assert look([student], Own(how="right") + 0 * Own(how=how)) != []


def test_hidden_states_of_frozen_layers_train_nothing():
    student = net(7)
    for p in student[0].parameters():
        p.requires_grad_(False)
    with pytest.raises(InvalidInput, match=r"No gradient of HiddenStates.*requires_grad"):
        look([student], HiddenStates({"0": "0"}))


def test_objectives_that_run_networks_again_are_tried_without_a_trace():
    torch.manual_seed(0)
    x = torch.randn(40, 4)
    samples, teacher, student = Samples.of((x, (x[:, 0] > 0).long())), net(7), net(5)
    run = train(
        student, samples, Interchange({"0": "0"}, part=slice(2)) + GoldLabels(),
        Task.of("classification", 3), teacher=teacher, training=Training(1, 20),
    )  # fmt: skip
    assert run.steps == 2


@pytest.mark.parametrize("reentrant", [True, False])
def test_weights_that_a_checkpoint_hides_are_taken_to_be_reached(reentrant):
    from torch.utils.checkpoint import checkpoint

    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.fixed = net(5), nn.Linear(4, 4).requires_grad_(False)

        def forward(self, x):
            seen = self.fixed(x).requires_grad_()
            return checkpoint(self.inner, seen, use_reentrant=reentrant)

    assert look([Checkpointed()], Own(how="right")) != []


def test_a_layer_that_only_learned_maps_follow_trains_nothing():
    student = net(7)
    student[0].requires_grad_(False)
    with pytest.raises(InvalidInput, match="No gradient of HiddenStates"):
        look([student], GoldLabels() + HiddenStates({"0": "0"}))

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.modules.batch import Goal, Kind  # noqa: E402
from limbeck.networks import GoldLabels, HiddenStates, Interchange, SoftTargets  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.training.checks import refuse_outputs, refuse_settings, refuse_shared  # noqa: E402

pytestmark = pytest.mark.torch
X = torch.zeros(4, 2)
BARE, FULL = Samples.of(X), Samples.of((X, torch.zeros(4)))


def refuse(terms, samples=FULL, teacher=None, peers=False, kind=Kind.CLASSES):
    refuse_settings(Objective.of(terms), Goal(kind, 2), samples, teacher, None, peers)


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
        ({"terms": SoftTargets(temperature=2), "kind": Kind.VALUES}, "temperature"),
        ({"terms": HiddenStates({"0": "0"}), "peers": True}, "share only their predictions"),
        ({"terms": Interchange({"0": "0"}), "teacher": object()}, "stored outputs cannot"),
    ],
)
def test_what_does_not_fit_is_named(given, message):
    with pytest.raises(InvalidInput, match=message):
        refuse(**given)


def test_outputs_by_kind():
    refuse_outputs(torch.zeros(2, 5, 3), Goal(Kind.TOKENS, 3), "student")
    for shape, goal in (
        ((2, 3), Goal(Kind.LANGUAGE, 3)),
        ((2, 5, 3), Goal(Kind.CLASSES, 3)),
        ((2, 4), Goal(Kind.VALUES, 1)),
    ):
        with pytest.raises(InvalidInput, match="The student returned shape"):
            refuse_outputs(torch.zeros(shape), goal, "student")


def test_a_student_inside_its_teacher():
    teacher = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    refuse_shared(teacher, nn.Linear(2, 2))
    with pytest.raises(InvalidInput, match="share the weight 'weight'"):
        refuse_shared(teacher, teacher[1])

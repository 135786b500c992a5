from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.stage_training import StageSettings, to_a_tenth  # noqa: E402
from limbeck.networks.conversion.stages import match_logits  # noqa: E402

SETTINGS = StageSettings(steps=12, batch_size=4, lr=3e-3)


def blocks():
    return torch.randint(1, 20, (12, 16), generator=torch.Generator().manual_seed(0))


def test_weights_that_run_off_are_named(make_decoder):
    teacher = make_decoder("llama", 2)
    student = convert(teacher, {1}, Hybrid([1]))
    with pytest.raises(InvalidInput, match="Lower lr"):
        match_logits(teacher, student, blocks(), replace(SETTINGS, lr=1e30))


def test_the_rate_falls_to_a_tenth_by_a_cosine():
    assert [round(to_a_tenth(x), 6) for x in (0, 0.5, 1)] == [1.0, 0.55, 0.1]


def test_only_matrices_decay():
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    made = StageSettings(lr=0.02, weight_decay=0.3).training.optimizer(list(net.parameters()))
    found = [(len(g["params"]), g["weight_decay"], g["lr"]) for g in made.param_groups]
    assert found == [(1, 0.3, 0.02), (3, 0.0, 0.02)]

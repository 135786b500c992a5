from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.stage_training import StageSettings  # noqa: E402
from limbeck.networks.conversion.stages import match_logits  # noqa: E402

SETTINGS = StageSettings(steps=12, batch_size=4, lr=3e-3)


def blocks():
    return torch.randint(1, 20, (12, 16), generator=torch.Generator().manual_seed(0))


def test_weights_that_run_off_are_named(make_decoder):
    teacher = make_decoder("llama", 2)
    student = convert(teacher, {1}, Hybrid([1]))
    with pytest.raises(InvalidInput, match="Lower lr"):
        match_logits(teacher, student, blocks(), replace(SETTINGS, lr=1e30))

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.stage_training import StageSettings  # noqa: E402
from limbeck.networks.conversion.stages import match_blocks, match_logits, match_mixers  # noqa: E402

SETTINGS = StageSettings(steps=12, batch_size=4, lr=3e-3)


def blocks():
    return torch.randint(1, 20, (12, 16), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("stage", [match_mixers, match_blocks, match_logits])
def test_a_stage_lowers_its_loss_and_leaves_the_teacher_alone(make_decoder, stage):
    teacher, tokens = make_decoder("llama", 2), blocks()
    before = [p.clone() for p in teacher.parameters()]
    student = convert(teacher, {1}, Hybrid([1]))
    kept = student.model.layers[1].mlp.up_proj.weight.clone()
    history = stage(teacher, student, tokens, SETTINGS)
    assert history[-1]["loss"] < history[0]["loss"]
    assert all(torch.equal(a, b) for a, b in zip(before, teacher.parameters(), strict=True))
    moved = not torch.equal(kept, student.model.layers[1].mlp.up_proj.weight)
    assert moved == (stage is match_logits)  # the first two touch converted layers only
    assert not student.training


def test_a_converted_layer_that_is_the_attention_has_no_loss(make_decoder):
    """A window over the whole block is the same attention."""
    teacher = make_decoder("llama", 2)
    hybrid = Hybrid(0.0, "linear_attention", options={"window": 16})
    student = convert(teacher, (), hybrid)
    for stage in (match_mixers, match_blocks, match_logits):
        history = stage(teacher, student, blocks(), StageSettings(steps=1, lr=1e-8))
        assert all(row["loss"] < 1e-6 for row in history)

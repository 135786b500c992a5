from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Callback  # noqa: E402
from limbeck.networks.conversion.attention import attention_layers  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hidden_states import walk_blocks  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.pipeline import StageBudget, converted  # noqa: E402
from limbeck.networks.conversion.stage_training import StageSettings  # noqa: E402
from limbeck.networks.conversion.stages import match_blocks, match_logits, match_mixers  # noqa: E402

SETTINGS = StageSettings(steps=12, batch_size=4, lr=3e-3)


def blocks():
    return torch.randint(1, 20, (12, 16), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_stored_states_are_those_of_the_whole_model(make_decoder, family):
    model, tokens = make_decoder(family, 3), blocks()
    with torch.no_grad():
        whole = model(input_ids=tokens, output_hidden_states=True, use_cache=False).hidden_states
    seen = {}
    hook = attention_layers(model)[1].register_forward_hook(
        lambda _, args, kwargs, out: seen.update(read=kwargs.get("hidden_states", args and args[0]),
                                                 written=out[0]),
        with_kwargs=True,
    )  # fmt: skip
    with torch.no_grad():
        model(input_ids=tokens, use_cache=False)
    hook.remove()
    found = list(walk_blocks(model, tokens, frozenset({1}), batch_size=5))
    assert [s.index for s in found] == [1]
    for one, two in (
        (found[0].read, whole[1]), (found[0].written, whole[2]),
        (found[0].attention_read, seen["read"]), (found[0].attention_written, seen["written"]),
    ):  # fmt: skip
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)


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


def test_weights_that_run_off_are_named(make_decoder):
    teacher = make_decoder("llama", 2)
    student = convert(teacher, {1}, Hybrid([1]))
    with pytest.raises(InvalidInput, match="Lower lr"):
        match_logits(teacher, student, blocks(), replace(SETTINGS, lr=1e30))


class _Stop(Callback):
    """Ends the run after so many updates of a stage."""

    def __init__(self, stage: str, step: int) -> None:
        self.stage, self.step = stage, step

    def on_step_end(self, state):
        if (state.run, state.step) == (self.stage, self.step):
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def uncut(make_decoder):
    """What is asked for, and what comes of it where nothing stops it."""
    settings = StageSettings(batch_size=4, lr=3e-3, checkpoint_every=2)
    budget = StageBudget.of(["mixers", "blocks", "logits"], 4, settings)
    asked = (make_decoder("llama", 2), Hybrid(0.0), [()], blocks())
    return asked, settings, budget, converted(*asked, budget)


@pytest.mark.parametrize(("stage", "step"), [("mixer of layer 1", 3), ("logits", 3)])
def test_a_stage_that_was_cut_off_goes_on_as_if_it_had_not(uncut, tmp_path, stage, step):
    asked, settings, budget, (whole, history) = uncut
    cut = replace(budget, settings=replace(settings, callbacks=(_Stop(stage, step),)))
    with pytest.raises(KeyboardInterrupt):
        converted(*asked, cut, folder=tmp_path)
    steps = _Steps()
    again = replace(budget, settings=replace(settings, callbacks=(steps,)))
    resumed, told = converted(*asked, again, folder=tmp_path)
    assert steps.seen[0] == (stage, step // 2 * 2 + 1)  # all before is read, not trained
    for one, two in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, two)
    without = [{k: v for k, v in row.items() if k != "cpu_seconds"} for row in history]
    assert [{k: v for k, v in row.items() if k != "cpu_seconds"} for row in told] == without


class _Steps(Callback):
    """Remembers each update."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def on_step_end(self, state):
        self.seen.append((state.run, state.step))


def test_budgets_refuse_stages_that_are_unknown_or_out_of_order():
    settings = StageSettings(steps=5)
    assert StageBudget.of(["mixers", "logits"], {"logits": 3}, settings).steps == {
        "mixers": 5, "logits": 3,
    }  # fmt: skip
    for stages in (["logits", "mixers"], ["mixer"], "logits", [], ["logits", "logits"]):
        with pytest.raises(InvalidInput):
            StageBudget.of(stages, 3, settings)
    with pytest.raises(InvalidInput, match="no stage of this run"):
        StageBudget.of(["logits"], {"mixers": 3}, settings)

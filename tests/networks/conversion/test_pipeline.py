from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Callback  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.pipeline import StageBudget, converted  # noqa: E402
from limbeck.networks.conversion.stage_training import StageSettings  # noqa: E402


def blocks():
    return torch.randint(1, 20, (12, 16), generator=torch.Generator().manual_seed(0))


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

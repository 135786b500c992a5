"""From a model with attention to a converted one: all steps and stages, and its control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from limbeck.core.errors import InvalidInput, did_you_mean, whole_number
from limbeck.core.progress import Progress
from limbeck.networks.conversion.calibration import calibrate
from limbeck.networks.conversion.convert import convert, converted_layers, replace_attention
from limbeck.networks.conversion.hybrid import Hybrid
from limbeck.networks.conversion.preferences import PreferencePairs, tune_preferences
from limbeck.networks.conversion.stage_training import StageSettings
from limbeck.networks.conversion.stages import STAGES, match_blocks, match_logits, match_mixers

__all__ = ["StageBudget", "converted", "untrained"]

_RUN = {"mixers": match_mixers, "blocks": match_blocks, "logits": match_logits}


@dataclass(frozen=True)
class StageBudget:
    """The stages with their steps, which student and control share.

    Parameters
    ----------
    stages : tuple of str
        In their order, of ``mixers``, ``blocks``, ``logits`` and ``preferences``.
    steps : mapping of str to int
        Updates of each stage at each step of the conversion; of the first two, for each layer.
    settings : StageSettings
        Batches, rate and seed.
    rates : mapping of str to float
        The learning rate of a stage, where it is another than that of the settings.
    preferences : PreferencePairs, optional
        What the last stage learns from.
    beta : float
        How much it costs there to leave the teacher.
    """

    stages: tuple[str, ...]
    steps: Mapping[str, int]
    settings: StageSettings
    rates: Mapping[str, float] = field(default_factory=dict)
    preferences: PreferencePairs | None = None
    beta: float = 0.1

    @classmethod
    def of(cls, stages: Any, steps: Any, settings: StageSettings, lr: Any = None) -> StageBudget:
        """Read what was asked for.

        Parameters
        ----------
        stages : sequence of str
            Names of stages.
        steps : int or mapping of str to int
            Updates, for all stages or each.
        settings : StageSettings
            The rest.
        lr : mapping of str to float, optional
            Learning rates of stages that have one of their own.

        Raises
        ------
        InvalidInput
            If a stage is unknown, stands twice or out of order, or steps or lr name another.
        """
        if isinstance(stages, str) or not isinstance(stages, Sequence) or not stages:
            raise InvalidInput(f"stages is {stages!r}.", f"Give a list of {', '.join(STAGES)}.")
        for name in stages:
            if name not in STAGES:
                raise InvalidInput(f"There is no stage {name!r}.", did_you_mean(str(name), STAGES))
        if list(stages) != [s for s in STAGES if s in stages]:
            raise InvalidInput(
                f"stages is {list(stages)}.", f"Give each once, in the order {', '.join(STAGES)}."
            )
        rates = dict(lr or {})
        for what, given in (("steps", steps), ("lr", rates)):
            for name in given if isinstance(given, Mapping) else ():
                if name not in stages:
                    raise InvalidInput(
                        f"{what} names {name!r}, which is no stage of this run.",
                        did_you_mean(str(name), stages),
                    )
        counts = {
            name: whole_number("steps", steps.get(name, settings.steps), 1)
            if isinstance(steps, Mapping)
            else whole_number("steps", steps, 1)
            for name in stages
        }
        return cls(tuple(stages), counts, settings, rates)

    def of_stage(self, stage: str) -> StageSettings:
        """The settings of a stage.

        Parameters
        ----------
        stage : str
            One of these.
        """
        rate = self.rates.get(stage, self.settings.lr)
        return replace(self.settings, steps=self.steps[stage], lr=rate)

    @property
    def total(self) -> int:
        """Updates of all stages at one step of the conversion."""
        return sum(self.steps.values())


def converted(
    teacher: Any,
    hybrid: Hybrid,
    path: Sequence[tuple[int, ...]],
    tokens: Tensor,
    budget: StageBudget,
    tell: Progress | None = None,
    *,
    control: bool = False,
    folder: Path | None = None,
) -> tuple[Any, list[dict[str, Any]]]:
    """Convert step by step, and run all stages after each step.

    Parameters
    ----------
    teacher : PreTrainedModel
        The model with attention.
    hybrid : Hybrid
        Mixer and start.
    path : sequence of tuple of int
        The layers that keep attention after each step.
    tokens : Tensor of shape (n, t), int64
        Blocks of training tokens.
    budget : StageBudget
        Stages and steps.
    tell : Progress, optional
        Told how far it is.
    control : bool
        Train on the text alone, with the same surgery and as many steps in all.
    folder : Path, optional
        Where checkpoints are written: what was cut off in the middle of a stage goes on there.

    Returns
    -------
    tuple
        The converted model, and the history of its losses.
    """
    seed = budget.settings.seed
    student, history = untrained(teacher, hybrid, path[0], seed, tokens), []
    for place, keep in enumerate(path):
        if place:
            replace_attention(student, keep, hybrid, seed)
            _calibrated(teacher, student, hybrid, tokens, set(path[place - 1]) - set(keep))
        own: list[dict[str, Any]] = []
        if control:
            settings = replace(budget.settings, steps=budget.total)
            to = _within(folder, place, "text")
            own = match_logits(teacher, student, tokens, settings, tell, to, target="text")
        else:
            for stage in budget.stages:
                to, settings = _within(folder, place, stage), budget.of_stage(stage)
                if stage == "preferences":
                    assert budget.preferences is not None  # noqa: S101  (checked when read)
                    own += tune_preferences(
                        teacher, student, budget.preferences, settings, tell, to, beta=budget.beta
                    )
                    continue
                own += _RUN[stage](teacher, student, tokens, settings, tell, to)
        history += [{**row, "kept": len(keep)} for row in own]
    return student.eval(), history


def _within(folder: Path | None, place: int, stage: str) -> Path | None:
    return None if folder is None else folder / f"step-{place}" / stage


def untrained(
    teacher: Any, hybrid: Hybrid, keep: Sequence[int], seed: int, tokens: Tensor | None = None
) -> Any:
    """The converted model before any training, calibrated where that was asked for.

    Parameters
    ----------
    teacher : PreTrainedModel
        The model with attention.
    hybrid : Hybrid
        Mixer and start.
    keep : sequence of int
        Layers that keep attention.
    seed : int
        For weights that start at random.
    tokens : Tensor of shape (n, t), optional
        Blocks of training tokens to calibrate on.
    """
    student = convert(teacher, keep, hybrid, seed).eval()
    if tokens is not None:
        layers = {layer.index for layer in converted_layers(student)}
        _calibrated(teacher, student, hybrid, tokens, layers)
    return student


def _calibrated(
    teacher: Any, student: Any, hybrid: Hybrid, tokens: Tensor, layers: set[int]
) -> None:
    if hybrid.calibrate and hybrid.start == "neutral":
        calibrate(teacher, student, tokens, frozenset(layers))

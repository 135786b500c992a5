"""The stages of a conversion, each a plain function that may be left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.networks.conversion.attention import decoder_layers
from limbeck.networks.conversion.convert import converted_layers
from limbeck.networks.conversion.hidden_states import walk_blocks
from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS, TokenRows
from limbeck.networks.conversion.stage_training import StageSamples, StageSettings, train_stage
from limbeck.networks.losses.labels import GoldLabels
from limbeck.networks.losses.probabilities import SoftTargets

__all__ = ["STAGES", "match_blocks", "match_logits", "match_mixers"]

STAGES = ("mixers", "blocks", "logits", "preferences")


def match_mixers(
    teacher: Any,
    student: Any,
    tokens: Tensor,
    settings: StageSettings,
    tell: Progress | None = None,
    folder: Path | None = None,
) -> list[dict[str, Any]]:
    """Each mixer learns what the attention in its place returns for the teacher's own inputs.

    The loss is the squared distance of the outputs, as a share of their squared length, so that
    layers compare (RADLADS, arXiv 2505.03005, step 1; MOHAWK, arXiv 2408.10189). One layer is
    trained at a time, from stored hidden states.

    Parameters
    ----------
    teacher, student : PreTrainedModel
        The model with attention, and the converted one.
    tokens : Tensor of shape (n, t), int64
        Blocks of tokens.
    settings : StageSettings
        Steps for each layer.
    tell : Progress, optional
        Told how far it is.
    folder : Path, optional
        Where checkpoints are written, a folder for each layer.
    """
    history = []
    layers = {layer.index: layer for layer in converted_layers(student)}
    for states in walk_blocks(teacher, tokens, frozenset(layers)):
        mixer = layers[states.index].mixer
        rows = TokenRows(rotary=states.rotary)

        def mixed(read: Tensor, mixer: Any = mixer, rows: TokenRows = rows) -> Tensor:
            found: Tensor = mixer(read, rows)[0]
            return found

        history += _matched(
            _Flat(mixer, mixed), states.attention_read, states.attention_written, settings,
            states.index, f"mixer of layer {states.index}", tell, folder,
        )  # fmt: skip
    return history


def match_blocks(
    teacher: Any,
    student: Any,
    tokens: Tensor,
    settings: StageSettings,
    tell: Progress | None = None,
    folder: Path | None = None,
) -> list[dict[str, Any]]:
    """Each converted block learns what the teacher's block adds to its input (MOHAWK, stage 2).

    Parameters
    ----------
    teacher, student, tokens, settings, tell, folder
        As in `match_mixers`.
    """
    history = []
    layers = {layer.index: layer for layer in converted_layers(student)}
    for states in walk_blocks(teacher, tokens, frozenset(layers)):
        block = decoder_layers(student)[states.index]
        layers[states.index].context.rows = ROW_DEFAULTS

        def added(read: Tensor, block: Any = block, states: Any = states) -> Tensor:
            found = block(read, *states.args, **states.kwargs)
            found = found[0] if isinstance(found, tuple) else found
            more: Tensor = found - read
            return more

        history += _matched(
            _Flat(block, added), states.read, states.written - states.read, settings,
            states.index, f"block {states.index}", tell, folder,
        )  # fmt: skip
    return history


def match_logits(
    teacher: Any,
    student: Any,
    tokens: Tensor,
    settings: StageSettings,
    tell: Progress | None = None,
    folder: Path | None = None,
    *,
    target: Literal["teacher", "text"] = "teacher",
) -> list[dict[str, Any]]:
    """All weights learn the teacher's next-token distributions, KL(p || q) a token.

    The sum over tokens is divided by their number. With ``target="text"`` it is cross-entropy on
    the text instead: the control, which sees no teacher.

    Parameters
    ----------
    teacher, student, tokens, settings, tell, folder
        As in `match_mixers`.
    target : {"teacher", "text"}
        What is learned.
    """
    task = Task.of("language", student.config.vocab_size)
    distilled = target == "teacher"
    return train_stage(
        _Logits(student), StageSamples({"input_ids": tokens}, tokens, task),
        SoftTargets() if distilled else GoldLabels(), settings, "logits" if distilled else "text",
        tell, teacher=_Logits(teacher) if distilled else None, folder=folder,
    )  # fmt: skip


def _matched(
    module: nn.Module,
    read: Tensor,
    wanted: Tensor,
    settings: StageSettings,
    layer: int,
    name: str,
    tell: Progress | None,
    folder: Path | None,
) -> list[dict[str, Any]]:
    """Train a part of the student to return what the teacher's returns for stored inputs."""
    labels = wanted.flatten(1)
    samples = StageSamples(read, labels, Task.of("regression", labels.shape[1]))
    share = 1.0 / float(wanted.square().mean())
    return train_stage(
        module, samples, share * GoldLabels(), replace(settings, seed=settings.seed + layer),
        name, tell, folder=None if folder is None else folder / f"layer-{layer}",
    )  # fmt: skip


class _Flat(nn.Module):
    """A part of a model that is called with hidden states and returns a row of numbers a block."""

    def __init__(self, trained: nn.Module, call: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.trained, self.call = trained, call

    def forward(self, read: Tensor) -> Tensor:
        return self.call(read).flatten(1)


class _Logits(nn.Module):
    """A language model without a cache."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=input_ids, use_cache=False).logits
        return logits

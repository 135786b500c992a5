"""The stages of a conversion, each a plain function that may be left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.contract import Progress
from limbeck.networks.conversion.attention import decoder_layers
from limbeck.networks.conversion.convert import converted_layers
from limbeck.networks.conversion.hidden_states import walk_blocks
from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS, TokenRows
from limbeck.networks.conversion.optimization import StageSettings, optimize
from limbeck.networks.losses.probabilities import soft_targets

__all__ = ["STAGES", "match_blocks", "match_logits", "match_mixers"]

STAGES = ("mixers", "blocks", "logits")


def match_mixers(
    teacher: Any,
    student: Any,
    tokens: Tensor,
    settings: StageSettings,
    tell: Progress | None = None,
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
    """
    history = []
    layers = {layer.index: layer for layer in converted_layers(student)}
    for states in walk_blocks(teacher, tokens, frozenset(layers)):
        mixer = layers[states.index].mixer
        rows = TokenRows(rotary=states.rotary)
        read, written = states.attention_read, states.attention_written

        def loss_of(
            places: Tensor, mixer: Any = mixer, rows: Any = rows, read: Any = read,
            written: Any = written,
        ) -> Tensor:  # fmt: skip
            target = written[places]
            found, _ = mixer(read[places], rows)
            loss: Tensor = (found - target).square().sum() / target.square().sum()
            return loss

        mixer.train()
        own = replace(settings, seed=settings.seed + states.index)
        name = f"mixer of layer {states.index}"
        history += optimize(list(mixer.parameters()), len(tokens), loss_of, own, name, tell)
        mixer.eval()
    return history


def match_blocks(
    teacher: Any,
    student: Any,
    tokens: Tensor,
    settings: StageSettings,
    tell: Progress | None = None,
) -> list[dict[str, Any]]:
    """Each converted block learns what the teacher's block adds to its input (MOHAWK, stage 2).

    Parameters
    ----------
    teacher, student, tokens, settings, tell
        As in `match_mixers`.
    """
    history = []
    layers = {layer.index: layer for layer in converted_layers(student)}
    for states in walk_blocks(teacher, tokens, frozenset(layers)):
        block = decoder_layers(student)[states.index]
        layers[states.index].context.rows = ROW_DEFAULTS
        args, kwargs = states.args, states.kwargs
        read, written = states.read, states.written

        def loss_of(
            places: Tensor, block: Any = block, args: Any = args, kwargs: Any = kwargs,
            read: Any = read, written: Any = written,
        ) -> Tensor:  # fmt: skip
            target = written[places]
            found = block(read[places], *args, **kwargs)
            found = found[0] if isinstance(found, tuple) else found
            added = target - read[places]
            loss: Tensor = (found - target).square().sum() / added.square().sum()
            return loss

        block.train()
        own = replace(settings, seed=settings.seed + states.index)
        name = f"block {states.index}"
        history += optimize(list(block.parameters()), len(tokens), loss_of, own, name, tell)
        block.eval()
    return history


def match_logits(
    teacher: Any,
    student: Any,
    tokens: Tensor,
    settings: StageSettings,
    tell: Progress | None = None,
    *,
    target: Literal["teacher", "text"] = "teacher",
) -> list[dict[str, Any]]:
    """All weights learn the teacher's next-token distributions, KL(p || q) a token.

    The sum over tokens is divided by their number. With ``target="text"`` it is cross-entropy on
    the text instead: the control, which sees no teacher.

    Parameters
    ----------
    teacher, student, tokens, settings, tell
        As in `match_mixers`.
    target : {"teacher", "text"}
        What is learned.
    """
    device = next(student.parameters()).device

    def loss_of(places: Tensor) -> Tensor:
        ids = tokens[places].to(device)
        logits = student(input_ids=ids, use_cache=False).logits.float()
        if target == "text":
            return F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
        with torch.no_grad():
            wanted = teacher(input_ids=ids, use_cache=False).logits.float()
        return soft_targets(logits.flatten(0, 1), wanted.flatten(0, 1))

    student.train()
    teacher.eval()
    name = "logits" if target == "teacher" else "text"
    trained = [p for p in student.parameters() if p.requires_grad]
    history = optimize(trained, len(tokens), loss_of, settings, name, tell)
    student.eval()
    return history

"""Everything: logits as they are, or the last hidden state and the head that makes them.

Log-probabilities take 2 bytes for each of the vocabulary in float16. Hidden states of width H take
2 H bytes a token, or H + 2 in 8 bits with a scale for each token, whatever the vocabulary, and the
head is stored once; the distribution is exact but for the rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.carrier import Arrays, Carrier, TokenLayout
from limbeck.language.carriers.signal import FullSignal
from limbeck.language.chunked import LMHead, run_of

__all__ = ["KeepAll", "KeepHidden", "TeacherHidden", "TeacherLogits"]


class TeacherLogits(FullSignal):
    """The teacher's logits of all tokens.

    Parameters
    ----------
    logits : Tensor of shape (..., outputs)
        Of any float type; softmax is taken in float32, some tokens at a time.
    vocabulary : int, optional
        The real size of the vocabulary, where outputs are padded: the rest is cut off and the
        softmax taken over what is left.

    Examples
    --------
    >>> import torch
    >>> signal = TeacherLogits(torch.zeros(2, 3, 10), vocabulary=8)
    >>> len(signal), round(float(signal.log_probabilities(torch.tensor([0]))[0, 0].exp()), 3)
    (6, 0.125)
    """

    name: ClassVar[str] = "full"

    def __init__(self, logits: Tensor, vocabulary: int | None = None) -> None:
        outputs = logits.shape[-1]
        self.vocabulary, self.cut = _real_size(vocabulary, outputs), vocabulary is not None
        self._logits = logits.detach().reshape(-1, outputs)

    def __len__(self) -> int:
        return len(self._logits)

    def log_probabilities(self, places: Tensor, temperature: float = 1.0) -> Tensor:
        """As the base says."""
        return _log_softmax(self._logits[run_of(places)][:, : self.vocabulary], temperature)


class TeacherHidden(FullSignal):
    """The teacher's last hidden states and its LM head, from which logits are made in chunks.

    Parameters
    ----------
    head : LMHead
        States of all tokens, weight and bias.
    vocabulary : int, optional
        As in `TeacherLogits`.

    Examples
    --------
    >>> import torch
    >>> from limbeck.language import LMHead
    >>> signal = TeacherHidden(LMHead(torch.randn(2, 3, 4), torch.randn(10, 4)))
    >>> len(signal), signal.vocabulary
    (6, 10)
    """

    name: ClassVar[str] = "hidden"

    def __init__(self, head: LMHead, vocabulary: int | None = None) -> None:
        self.vocabulary = _real_size(vocabulary, head.outputs)
        self.cut = vocabulary is not None
        bias = None if head.bias is None else head.bias[: self.vocabulary].detach()
        weight = head.weight[: self.vocabulary].detach().to(head.states.dtype)
        bias = None if bias is None else bias.to(weight.dtype)
        self._head = LMHead(head.states.detach(), weight, bias, head.scale, head.softcap).flat()

    def __len__(self) -> int:
        return len(self._head.states)

    def log_probabilities(self, places: Tensor, temperature: float = 1.0) -> Tensor:
        """As the base says."""
        with torch.no_grad():
            return _log_softmax(self._head.logits(places), temperature)


@dataclass(frozen=True)
class KeepAll(Carrier):
    """All log-probabilities, in float16."""

    @property
    def keep(self) -> str:
        """As the base says."""
        return "full"

    def kept(self, outputs: Tensor, noise: Tensor | None) -> Arrays:
        """As the base says."""
        return {"log_p": F.log_softmax(outputs, -1).half().cpu().numpy()}

    def signal(
        self, kept: Arrays, layout: TokenLayout, head: Mapping[str, Tensor]
    ) -> TeacherLogits:
        """As the base says."""
        size = layout.vocabulary if layout.cut else None
        return TeacherLogits(layout.dense(kept["log_p"]), size)

    def probabilities(self, signal: Any) -> Tensor:
        """As the base says."""
        return _all_probabilities(signal)


@dataclass(frozen=True)
class KeepHidden(Carrier):
    """The last hidden states.

    Parameters
    ----------
    bits : {16, 8}
        Of each number; with 8 there is a scale for each token.
    """

    states: ClassVar[bool] = True
    bits: int = 16

    @property
    def keep(self) -> str:
        """As the base says."""
        return "hidden" if self.bits == 16 else "hidden:int8"

    def kept(self, outputs: Tensor, noise: Tensor | None) -> Arrays:
        """As the base says."""
        outputs = outputs.float()
        if self.bits == 8:
            scale = outputs.abs().amax(-1, keepdim=True).div(127).half().float()
            rounded = outputs.div(scale.clamp_min(1e-7)).round().clamp(-127, 127)
            return {
                "states": rounded.to(torch.int8).cpu().numpy(),
                "scale": scale[:, 0].half().cpu().numpy(),
            }
        if outputs.abs().amax() > torch.finfo(torch.float16).max:
            raise InvalidInput(
                "The teacher's last hidden states are beyond the range of float16.",
                'Record with keep="sampled:50".',
            )
        return {"states": outputs.half().cpu().numpy()}

    def signal(
        self, kept: Arrays, layout: TokenLayout, head: Mapping[str, Tensor]
    ) -> TeacherHidden:
        """As the base says."""
        states = layout.dense(kept["states"]).float()
        if self.bits == 8:
            states *= layout.dense(kept["scale"])[:, None].float()
        weight, bias = head["weight"].to(layout.device), head.get("bias")
        softcap = float(head["softcap"]) if "softcap" in head else None
        scale = float(head["scale"]) if "scale" in head else 1.0
        full = LMHead(
            states, weight.float(), None if bias is None else bias.float(), scale, softcap
        )
        return TeacherHidden(full, layout.vocabulary if layout.cut else None)

    def probabilities(self, signal: Any) -> Tensor:
        """As the base says."""
        return _all_probabilities(signal)


def _all_probabilities(signal: FullSignal) -> Tensor:
    return signal.log_probabilities(torch.arange(len(signal))).exp()


def _log_softmax(logits: Tensor, temperature: float) -> Tensor:
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return F.log_softmax(wide if temperature == 1 else wide / temperature, -1)


def _real_size(vocabulary: int | None, outputs: int) -> int:
    if vocabulary is not None and not 0 < vocabulary <= outputs:
        raise InvalidInput(
            f"vocabulary is {vocabulary}, and there are {outputs:,} outputs.",
            "Give the size of the tokenizer, at most the number of outputs.",
        )
    return vocabulary or outputs

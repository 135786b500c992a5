"""Everything: logits as they are, or the last hidden state and the head that makes them.

Hidden states of width H take 2 H bytes a token in float16, whatever the vocabulary, and the head
is stored once; the distribution is exact but for the rounding.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.signal import FullSignal
from limbeck.language.chunked import LMHead

__all__ = ["TeacherHidden", "TeacherLogits"]


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
        return _log_softmax(self._logits[places][:, : self.vocabulary], temperature)


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
        weight = head.weight[: self.vocabulary].detach()
        self._head = LMHead(head.states.detach(), weight, bias, head.scale, head.softcap).flat()

    def __len__(self) -> int:
        return len(self._head.states)

    def log_probabilities(self, places: Tensor, temperature: float = 1.0) -> Tensor:
        """As the base says."""
        with torch.no_grad():
            return _log_softmax(self._head.logits(places), temperature)


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

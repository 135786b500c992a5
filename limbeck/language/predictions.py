"""What a model predicts of texts: hidden states with their head where they make its logits.

The logits of a batch of texts are the largest thing that asking a large vocabulary makes. So they
are not asked for as a whole; who needs them takes those of some tokens at a time.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from limbeck.language.chunked import LMHead
from limbeck.language.models import LanguageModel
from limbeck.modules.linear_head import head_weights, left_out, linear_head
from limbeck.modules.outputs import reading_of

__all__ = ["TokenPredictor", "logits_at", "picked"]


@dataclass(frozen=True, eq=False)
class TokenPredictor:
    """Asks a model about batches of texts; modes and gradients are the caller's.

    Parameters
    ----------
    model : LanguageModel
        Who is asked.
    head : nn.Linear or None
        Its last layer, where the logits are those of that layer and many.
    """

    model: LanguageModel
    head: nn.Linear | None

    @classmethod
    def of(cls, model: LanguageModel) -> TokenPredictor:
        """One that knows whether the model's logits are those of a plain last layer."""
        return cls(model, linear_head(model.module))

    def __call__(self, ids: Tensor, mask: Tensor, **more: Any) -> Tensor | LMHead:
        """What follows each token, (n, t, outputs), without outputs that were only filled up.

        Parameters
        ----------
        ids, mask : Tensor of int64, shape (n, t)
            Tokens, and which of them are there.
        **more
            What else the model is called with.
        """
        module, head = self.model.module, self.head
        first = reading_of(module).first
        given = {"input_ids": ids, "attention_mask": mask, "use_cache": False, **more}
        given = {n: v.to(module.device) if isinstance(v, Tensor) else v for n, v in given.items()}
        with nullcontext() if head is None else left_out(head):
            found: Tensor = module(**given).logits
        if head is None:
            return found[..., :first]
        weight, bias = head_weights(head, first)
        weight = weight.to(found.dtype)
        return LMHead(found, weight, None if bias is None else bias.to(found.dtype))


def picked(predicted: Tensor | LMHead, at: Any) -> Tensor | LMHead:
    """What follows some of the tokens; gradients flow.

    Parameters
    ----------
    predicted : Tensor of shape (..., outputs), or LMHead
        From a `TokenPredictor`, or of the training loop.
    at : index
        As of a tensor.
    """
    whole = predicted.states if isinstance(predicted, LMHead) else predicted
    if isinstance(at, tuple):  # models may be on different devices
        at = tuple(a.to(whole.device) if isinstance(a, Tensor) else a for a in at)
    found = whole[at]
    return replace(predicted, states=found) if isinstance(predicted, LMHead) else found


def logits_at(predicted: Tensor | LMHead, at: Any) -> Tensor:
    """The logits of some of the tokens.

    Parameters
    ----------
    predicted, at
        As in `picked`.
    """
    found = picked(predicted, at)
    return found.logits(slice(None)) if isinstance(found, LMHead) else found

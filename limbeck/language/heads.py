"""A language model before its LM head, so that logits are made of some tokens at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.language.chunked import LMHead

__all__ = ["Backbone", "backbone_of"]

_PROBE = 6  # tokens that the two ways to the logits are compared on


@dataclass(frozen=True, eq=False)
class Backbone:
    """A language model as last hidden states and a head.

    Parameters
    ----------
    body : nn.Module
        Returns ``last_hidden_state``, after the final norm.
    head : nn.Module
        Linear, over the vocabulary.
    scale : float
        As in `LMHead`.
    softcap : float, optional
        As in `LMHead`.
    """

    body: Any
    head: Any
    scale: float = 1.0
    softcap: float | None = None

    def __call__(self, inputs: Mapping[str, Any]) -> LMHead:
        """States of all tokens of a batch, with the head; gradients flow.

        Parameters
        ----------
        inputs : mapping
            What the model is called with.
        """
        states = self.body(**inputs, use_cache=False).last_hidden_state
        return self.of(states)

    def of(self, states: Tensor) -> LMHead:
        """The head over some states."""
        bias = getattr(self.head, "bias", None)
        return LMHead(states, self.head.weight, bias, self.scale, self.softcap)


@torch.no_grad()
def backbone_of(module: nn.Module) -> Backbone | None:
    """A causal model of transformers as backbone and head; None where that is not what it computes.

    Both ways to the logits are compared on a few tokens, so that a model which does more to its
    logits than its configuration says is not taken apart.

    Parameters
    ----------
    module : nn.Module
        In any mode, which is restored.
    """
    model: Any = module
    body = getattr(model, "base_model", None)
    getter = getattr(model, "get_output_embeddings", None)
    head = getter() if callable(getter) else None
    if body is None or body is module or not isinstance(head, nn.Linear):
        return None
    config: Any = getattr(model, "config", None)
    scale = getattr(config, "logit_scale", None) or 1 / (getattr(config, "logits_scaling", 1) or 1)
    found = Backbone(body, head, float(scale), getattr(config, "final_logit_softcapping", None))
    training = module.training
    module.eval()
    try:
        ids = torch.arange(_PROBE, device=head.weight.device)[None] % head.weight.shape[0]
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        expected = model(**inputs, use_cache=False).logits[0].float()
        ours = found(inputs).flat().logits(slice(None)).float()
    except (TypeError, AttributeError, RuntimeError):
        return None
    finally:
        module.train(training)
    same = ours.shape == expected.shape and torch.allclose(ours, expected, rtol=1e-3, atol=1e-3)
    return found if same else None

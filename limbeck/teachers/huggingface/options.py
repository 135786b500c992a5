"""How likely a generating model finds each class as the continuation of a prompt."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.teachers.huggingface.tokenized import Tokenized

__all__ = ["check_prompt", "option_scores", "prompts_of"]


def check_prompt(prompt: str) -> None:
    """Refuse a prompt without its field.

    Raises
    ------
    InvalidInput
        Unless ``{text}`` stands in it.
    """
    if "{text}" not in prompt:
        raise InvalidInput(f"The prompt {prompt!r} has no {{text}}.", "Write {text} into it.")


def prompts_of(texts: NDArray[Any], prompt: str) -> NDArray[Any]:
    """Each text in the place of ``{text}``; nothing else of the prompt is changed.

    Parameters
    ----------
    texts : ndarray of shape (n,), object
        The texts.
    prompt : str
        With ``{text}``.
    """
    out = np.empty(len(texts), dtype=object)
    out[:] = [prompt.replace("{text}", text) for text in texts]
    return out


def option_scores(
    module: Any, tokens: Tokenized, texts: NDArray[Any], options: list[str], encoder: bool
) -> NDArray[np.float64]:
    """The log-probability of each option after each prompt, summed over its tokens, (n, k).

    Parameters
    ----------
    module : nn.Module
        A causal model, or a sequence-to-sequence one.
    tokens : Tokenized
        Reads the prompts.
    texts : ndarray of shape (n,), object
        The prompts.
    options : list of k str
        The classes as they are written; of a causal model with the space before them.
    encoder : bool
        Whether the prompt goes to an encoder and the options to a decoder.
    """
    tokenizer = tokens.tokenizer
    own = [tokenizer(o, add_special_tokens=encoder)["input_ids"] for o in options]
    empty = [o for o, ids in zip(options, own, strict=True) if not ids]
    if empty:
        raise InvalidInput(f"The class {empty[0]!r} has no token.", "Give another name.")
    out = np.empty((len(texts), len(options)))
    device = next(module.parameters()).device
    with torch.inference_mode():
        for batch in tokens.batches(texts):
            for column, ids in enumerate(own):
                score = _decoded if encoder else _continued
                inputs = {n: v.to(device) for n, v in batch.inputs.items()}
                out[batch.rows, column] = score(module, tokens, inputs, ids).double().cpu().numpy()
    return out


def _decoded(module: Any, tokens: Tokenized, inputs: Any, ids: list[int]) -> torch.Tensor:
    """Of the decoder's outputs, given the option itself."""
    n = len(inputs["input_ids"])
    labels = torch.tensor([ids] * n, device=inputs["input_ids"].device)
    logits = module(**inputs, labels=labels).logits.float()
    return _picked(logits, labels)


def _continued(module: Any, tokens: Tokenized, inputs: Any, ids: list[int]) -> torch.Tensor:
    """Of a causal model, with the option after each prompt and padding after that."""
    lengths = inputs["attention_mask"].sum(dim=1).tolist()
    rows = [
        row[:length] + ids
        for row, length in zip(inputs["input_ids"].tolist(), lengths, strict=True)
    ]
    joined = tokens.pad({"input_ids": rows})
    joined = {name: value.to(inputs["input_ids"].device) for name, value in joined.items()}
    logits = module(**joined).logits.float()
    places = torch.tensor(
        [[length - 1 + j for j in range(len(ids))] for length in lengths], device=logits.device
    )
    chosen = logits.gather(1, places[:, :, None].expand(-1, -1, logits.shape[2]))
    return _picked(chosen, torch.tensor([ids] * len(rows), device=logits.device))


def _picked(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    log_p = logits.log_softmax(dim=-1)
    return log_p.gather(2, labels[:, :, None])[:, :, 0].sum(dim=1)

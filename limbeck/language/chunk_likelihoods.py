"""Losses between models with different tokenizers: chunk likelihoods, and sorted probabilities.

Two tokenizers cut a text differently, but share boundaries. Between two of these lies a chunk,
whose likelihood both models know as a product over their own tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.chunked import TokenSum

__all__ = ["chunk_likelihood_loss", "shared_chunks", "sorted_distance"]


def shared_chunks(teacher_ends: Tensor, student_ends: Tensor) -> tuple[Tensor, Tensor, int]:
    """The chunk of each token; chunks end where both tokenizers end a token.

    Parameters
    ----------
    teacher_ends, student_ends : Tensor of int64, shape (n,) and (m,)
        Where each token ends, in bytes of the text, increasing.

    Returns
    -------
    teacher, student : Tensor of int64
        Numbers of chunks; tokens behind the last shared boundary have the number of chunks.
    chunks : int
        How many there are.

    Examples
    --------
    >>> ends = torch.tensor([2, 3, 6]), torch.tensor([1, 3, 5, 6])
    >>> [part.tolist() for part in shared_chunks(*ends)[:2]]
    [[0, 0, 1], [0, 0, 1, 1]]
    """
    for ends in (teacher_ends, student_ends):
        if bool((ends.diff() < 0).any()):
            raise InvalidInput("Ends of tokens decrease.", "Give byte offsets of one text.")
    shared: Tensor = torch.unique(teacher_ends[torch.isin(teacher_ends, student_ends)])
    teacher, student = (
        torch.searchsorted(shared, ends.contiguous()) for ends in (teacher_ends, student_ends)
    )
    return teacher, student, len(shared)


def chunk_likelihood_loss(
    student: Tensor,
    teacher: Tensor,
    student_chunk: Tensor,
    teacher_chunk: Tensor,
    chunks: int,
    temperature: float = 100.0,
) -> TokenSum:
    """ALM: cross-entropy between Bernoulli(P_T^(1/tau)) and Bernoulli(P_S^(1/tau)) of each chunk.

    Approximate likelihood matching (arXiv 2503.20083), without its merging of chunks that differ
    in tokenizer bias.

    Parameters
    ----------
    student, teacher : Tensor of shape (m,) and (n,)
        Log-probabilities of the tokens that stand in the text.
    student_chunk, teacher_chunk : Tensor of int64
        From `shared_chunks`.
    chunks : int
        From there.
    temperature : float
        tau; positive.

    Returns
    -------
    TokenSum
        Over chunks, with their number.
    """
    if not temperature > 0:
        raise InvalidInput(f"temperature is {temperature}.", "Give a positive number.")
    q, p = (
        values.new_zeros(chunks + 1).index_add(0, at, values)[:chunks] / temperature
        for values, at in ((student, student_chunk), (teacher.detach(), teacher_chunk))
    )
    q, p = q.clamp_max(-1e-6), p.clamp_max(-1e-6)  # a probability of 1 has no log of the rest
    share = p.exp()
    loss = -(share * q + (1 - share) * torch.log(-torch.expm1(q)))
    return TokenSum(loss.sum(), loss.new_tensor(float(chunks)))


def sorted_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """ULD: sum of |q_(i) - p_(i)| over sorted probabilities, of shape (n,).

    The universal logit distillation loss (arXiv 2402.12030) without its cross-entropy. It knows
    nothing of which tokens the probabilities belong to.

    Parameters
    ----------
    student, teacher : Tensor of shape (n, outputs)
        Logits of paired places; numbers of outputs may differ.
    """
    q, p = (F.softmax(x, -1).sort(-1, descending=True).values for x in (student, teacher.detach()))
    width = max(q.shape[-1], p.shape[-1])
    q, p = (F.pad(x, (0, width - x.shape[-1])) for x in (q, p))
    return (q - p).abs().sum(-1)

"""Long texts in chunks that fit into the context, whose answers are averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

__all__ = ["Chunks", "averaged", "chunks_of"]

_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Chunks:
    """Pieces of texts, in their order.

    Parameters
    ----------
    pieces : ndarray of shape (m,), object
        The pieces; a text that is short enough is one.
    owner : ndarray of shape (m,), int64
        The text of each.
    tokens : ndarray of shape (m,), int64
        How many tokens each has, at least 1.
    """

    pieces: NDArray[Any]
    owner: NDArray[np.int64]
    tokens: NDArray[np.int64]


def chunks_of(tokenizer: Any, texts: NDArray[Any], most: int) -> Chunks:
    """Texts cut into pieces of at most so many tokens, before a white space where there is one.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerFast
        Says where tokens begin.
    texts : ndarray of shape (n,), object
        The texts.
    most : int
        Tokens of a piece, without the marks around it.
    """
    read = tokenizer(
        texts.tolist(), add_special_tokens=False, return_offsets_mapping=True, truncation=False,
        verbose=False,
    )  # fmt: skip
    pieces: list[str] = []
    owner, tokens = [], []
    for i, (text, spans) in enumerate(zip(texts.tolist(), read["offset_mapping"], strict=True)):
        starts = [int(begin) for begin, _ in spans]
        cuts = _cuts(text, starts, most)
        ends = [*(starts[at] for at in cuts[1:]), len(text)]
        begins = [0, *ends[:-1]]
        pieces += [text[a:b] for a, b in zip(begins, ends, strict=True)]
        owner += [i] * len(cuts)
        tokens += np.diff([*cuts, len(starts)]).tolist()
    out = np.empty(len(pieces), dtype=object)
    out[:] = pieces
    return Chunks(out, np.array(owner, dtype=np.int64), np.maximum(tokens, 1))


def _cuts(text: str, starts: list[int], most: int) -> list[int]:
    """The first token of each piece."""
    cuts = [0]
    while len(starts) - cuts[-1] > most:
        first, last = cuts[-1], cuts[-1] + most
        # Between words tokens are the same when the piece is read alone.
        open_ = (at for at in range(last, first, -1) if _between(text, starts[at]))
        cuts.append(next(open_, last))
    return cuts


def _between(text: str, at: int) -> bool:
    """Whether a white space lies before this place, or at it (of tokens that begin with one)."""
    return text[at : at + 1].isspace() or text[at - 1 : at].isspace()


def averaged(scores: NDArray[np.float64], chunks: Chunks, kind: str) -> NDArray[np.float64]:
    """The answer to each text: the mean over its pieces, weighted by their tokens, shape (n, k).

    Parameters
    ----------
    scores : ndarray of shape (m, k)
        Of the pieces.
    chunks : Chunks
        Whose they are.
    kind : {"classes", "labels", "values", "unit vectors"}
        Logits of classes, of which probabilities are averaged; of several labels, each for itself;
        numbers or vectors; vectors whose mean is made as long as they are, 1.

    Examples
    --------
    >>> two = Chunks(np.array(["a b", "c"], object), np.array([0, 0]), np.array([3, 1]))
    >>> averaged(np.array([[1.0], [5.0]]), two, "values").tolist()
    [[2.0]]
    """
    total = np.bincount(chunks.owner, weights=chunks.tokens)
    share = (chunks.tokens / total[chunks.owner])[:, None]
    if kind == "classes":
        each = np.asarray(softmax(scores, axis=1))
    else:
        each = expit(scores) if kind == "labels" else scores
    mean = np.zeros((len(total), scores.shape[1]))
    np.add.at(mean, chunks.owner, share * each)
    if kind == "classes":
        return np.asarray(np.log(np.maximum(mean, _TINY)))
    if kind == "labels":
        return np.asarray(logit(np.clip(mean, _TINY, 1 - _TINY)))
    if kind == "unit vectors":
        mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), _TINY)
    return mean

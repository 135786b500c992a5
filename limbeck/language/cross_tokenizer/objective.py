"""What a student learns from a teacher with another tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.language.chunk_likelihoods import chunk_likelihood_loss, sorted_distance
from limbeck.language.chunked import LMHead, TokenSum, chunked_sum
from limbeck.language.cross_tokenizer.bridge import CrossSignal, token_log_probabilities
from limbeck.language.divergences import token_divergence
from limbeck.language.objectives import SequenceKD
from limbeck.language.on_policy import check_sampling
from limbeck.language.predictions import picked
from limbeck.language.text_step import TextStep

__all__ = ["CROSS_METHODS", "CrossTokenizer"]

CROSS_METHODS = ("alm", "uld", "gold")
_BYTES, _SUBWORDS = 0.1, 1e-4


@dataclass(frozen=True)
class CrossTokenizer:
    """Distillation between tokenizers, at the boundaries that both have, counted in bytes.

    ==========  ===================================================================================
    ``"alm"``   approximate likelihood matching (arXiv 2503.20083): both likelihoods of each chunk
                between shared boundaries, P^(1 / chunk_temperature), by binary cross-entropy.
                Nothing of a text is left out, numerals included. Chunks are joined where the
                teacher hardly begins a new word, since its tokenizer tells there what follows
    ``"uld"``   universal logit distillation (arXiv 2402.12030): the L1 distance of sorted
                probabilities, with cross-entropy. Places are paired where both models have read the
                same bytes; the paper pairs them by number
    ``"gold"``  after TRL's GOLD: where a chunk is one token for both, the Jensen-Shannon divergence
                over tokens that stand for the same bytes, and the sorted distance over the others,
                weighted by the share of the teacher's vocabulary that is matched: TRL's value.
                Where it is several tokens, such as a numeral, the divergence of the chunk's
                likelihoods; TRL merges distributions there, whose tokens are then mostly unmatched
    ==========  ===================================================================================

    Sums are divided by the student's tokens, as every loss on texts here.

    Parameters
    ----------
    method : {"alm", "uld", "gold"}
        See above.
    chunk_temperature : float
        tau of "alm"; the paper's is 100.
    bias_threshold : float, optional
        Of "alm": chunks end only where the teacher begins a new word with at least this
        probability. By default 0.1 for a student of bytes, and 0.0001 for one of subwords; 0 joins
        none.
    cross_entropy : float, optional
        Weight of the cross-entropy on the text beside it; by default 0, and 1 for "uld".
    share : float
        Of the updates that learn from the student's own texts, as in `OnPolicy`.
    temperature : float
        Of that sampling.
    max_new_tokens : int, optional
        Tokens of an own text at most; by default that of `limbeck.distill`.

    Raises
    ------
    InvalidInput
        If a setting has no meaning.

    Examples
    --------
    >>> from limbeck.language import CrossTokenizer
    >>> CrossTokenizer(method="alm").chunk_temperature
    100.0
    """

    needs_teacher: ClassVar[bool] = True
    teacher_share: ClassVar[float] = 0.0
    method: str = "alm"
    chunk_temperature: float = 100.0
    bias_threshold: float | None = None
    cross_entropy: float | None = None
    share: float = 0.0
    temperature: float = 1.0
    max_new_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.method not in CROSS_METHODS:
            raise InvalidInput(
                f"method is {self.method!r}.", did_you_mean(str(self.method), CROSS_METHODS)
            )
        if not 0 < self.chunk_temperature < float("inf"):
            raise InvalidInput(
                f"chunk_temperature is {self.chunk_temperature}.", "Give a positive number."
            )
        if self.bias_threshold is not None and not 0 <= self.bias_threshold < 1:
            raise InvalidInput(
                f"bias_threshold is {self.bias_threshold}.", "Give a number from 0 to below 1."
            )
        if self.cross_entropy is not None and not 0 <= self.cross_entropy < float("inf"):
            raise InvalidInput(f"cross_entropy is {self.cross_entropy}.", "Give 0 or more.")
        check_sampling(self.share, self.temperature, self.max_new_tokens)

    def threshold(self, byte_student: bool) -> float:
        """The probability of a new word from which a chunk may end.

        Parameters
        ----------
        byte_student : bool
            Whether no token of the student is longer than a byte.
        """
        if self.method != "alm":
            return 0.0
        if self.bias_threshold is not None:
            return self.bias_threshold
        return _BYTES if byte_student else _SUBWORDS

    def cross_loss(self, step: TextStep, signal: CrossSignal) -> TokenSum:
        """The loss summed over chunks, with the number of the student's tokens.

        Parameters
        ----------
        step : TextStep
            One batch, in the student's tokens.
        signal : CrossSignal
            What the teacher says of it.
        """
        losses = {"alm": self._alm, "uld": _uld, "gold": _gold}
        total = losses[self.method](step.student, signal)
        tokens = step.counts.sum().to(total.dtype)
        weight = self.cross_entropy
        if weight is None:
            weight = 1.0 if self.method == "uld" else 0.0
        if weight:
            total = total + weight * SequenceKD().loss(step.student, step.labels, step.counts).total
        return TokenSum(total, tokens)

    def _alm(self, student: Tensor | LMHead, signal: CrossSignal) -> Tensor:
        return chunk_likelihood_loss(
            token_log_probabilities(student, signal.student), signal.log_p, signal.student.chunk,
            signal.teacher.chunk, signal.chunks, self.chunk_temperature,
        ).total  # fmt: skip


def _begun(
    student: Tensor | LMHead,
    signal: CrossSignal,
    loss: Callable[[Tensor, Tensor], Tensor],
    counted: Tensor | None = None,
) -> Tensor:
    """A loss of both models' log-probabilities (n, outputs) where chunks begin, summed."""
    first, mine = signal.first, signal.student
    assert first is not None  # noqa: S101  (these methods ask for them)

    def token_loss(logits: Tensor, at: Tensor) -> Tensor:
        log_q = logits.log_softmax(-1)
        return loss(log_q, first.log_probabilities(at).to(log_q.dtype))

    begins = picked(student, (mine.first_rows, mine.first_places))
    return chunked_sum(begins, token_loss, counted).total


def _uld(student: Tensor | LMHead, signal: CrossSignal) -> Tensor:
    return _begun(student, signal, sorted_distance)


def _gold(student: Tensor | LMHead, signal: CrossSignal) -> Tensor:
    single = (signal.student.sizes == 1) & (signal.teacher.sizes == 1)
    ours, other = signal.matched

    def matched_and_sorted(mine: Tensor, theirs: Tensor) -> Tensor:
        # Of a part of the outcomes each term of this divergence is still 0 or more.
        share = len(other) / theirs.shape[-1]
        found = share * token_divergence(mine[:, ours], theirs[:, other], "jsd", 0.5)
        rest = [_without(x.exp(), ids) for x, ids in ((mine, ours), (theirs, other))]
        if share < 1 and rest[0].shape[1]:
            width = max(x.shape[1] for x in rest)
            a, b = (
                torch.nn.functional.pad(x.sort(-1, descending=True).values, (0, width - x.shape[1]))
                for x in rest
            )
            found = found + (1 - share) * (a - b).abs().sum(-1)
        return found

    total = _begun(student, signal, matched_and_sorted, single)
    several = ~single
    if bool(several.any()):
        log_q = _likelihoods(
            token_log_probabilities(student, signal.student), signal.student.chunk, signal.chunks
        )[several]
        log_p = _likelihoods(signal.log_p, signal.teacher.chunk, signal.chunks)[several]
        both = [torch.stack([x, torch.log(-torch.expm1(x))], -1) for x in (log_q, log_p)]
        total = total + token_divergence(both[0], both[1], "jsd", 0.5).sum()
    return total


def _likelihoods(tokens: Tensor, chunk: Tensor, chunks: int) -> Tensor:
    """Log-likelihood of each chunk; below 0, since 0 leaves nothing for all other texts."""
    return tokens.new_zeros(chunks).index_add(0, chunk, tokens).clamp_max(-1e-6)


def _without(p: Tensor, ids: Tensor) -> Tensor:
    """Probabilities of all tokens but some."""
    kept = torch.ones(p.shape[-1], dtype=torch.bool, device=p.device)
    kept[ids] = False
    return p[:, kept]

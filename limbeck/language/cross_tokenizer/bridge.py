"""What a teacher with another tokenizer says of the student's texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.full import TeacherHidden, TeacherLogits
from limbeck.language.carriers.signal import FullSignal
from limbeck.language.chunked import LMHead, chunked_tokens, chunked_values
from limbeck.language.cross_tokenizer.alignment import AlignedText, align
from limbeck.language.generation import TokenSampling, generate, padded
from limbeck.language.models import LanguageModel
from limbeck.language.predictions import TokenPredictor, picked
from limbeck.language.prompts import Prompts
from limbeck.language.token_bytes import TokenBytes
from limbeck.modules.batch import IGNORED, MASK, Step
from limbeck.modules.capture import modes_kept
from limbeck.modules.outputs import OutputReader, read_by

__all__ = ["Bridge", "CrossSignal", "FlatChunks"]


@dataclass(frozen=True, eq=False)
class FlatChunks:
    """The tokens within the chunks of a batch, all texts one after another, for one model.

    Parameters
    ----------
    rows, places : Tensor of int64, shape (p,)
        The text, and the place whose logits predict the token.
    ids : Tensor of int64, shape (p,)
        The token.
    chunk : Tensor of int64, shape (p,)
        Its chunk, counted over the batch.
    first_rows, first_places : Tensor of int64, shape (chunks,)
        Where the first token of each chunk is predicted.
    sizes : Tensor of int64, shape (chunks,)
        Tokens of each chunk.
    """

    rows: Tensor
    places: Tensor
    ids: Tensor
    chunk: Tensor
    first_rows: Tensor
    first_places: Tensor
    sizes: Tensor


@dataclass(frozen=True, eq=False)
class CrossSignal:
    """What the teacher says of a batch of texts that were written in the student's tokens.

    Parameters
    ----------
    teacher, student : FlatChunks
        Tokens of the chunks in both models' tokens.
    log_p : Tensor of shape (p,)
        The teacher's log-probabilities of its tokens in the chunks.
    first : FullSignal or None
        The teacher's distributions where each chunk begins, where they were asked for.
    matched : tuple of Tensor
        Ids of the student and of the teacher of tokens that stand for the same bytes.
    """

    teacher: FlatChunks
    student: FlatChunks
    log_p: Tensor
    first: FullSignal | None
    matched: tuple[Tensor, Tensor]

    @property
    def chunks(self) -> int:
        """Chunks of the batch."""
        return len(self.teacher.sizes)


@dataclass(frozen=True, eq=False)
class Bridge:
    """A teacher and a student whose tokenizers differ; what both read are bytes.

    Outputs that are no tokens are cut off both, and probabilities add up to 1 without them.

    Parameters
    ----------
    teacher, student : LanguageModel
        Both with fast tokenizers.

    Raises
    ------
    InvalidInput
        If a tokenizer loses bytes, or a head is smaller than its vocabulary.
    """

    teacher: LanguageModel
    student: LanguageModel

    def __post_init__(self) -> None:
        for model, role, table in ((self.teacher, "teacher", self.theirs.table),
                                   (self.student, "student", self.ours.table)):  # fmt: skip
            if model.outputs < len(table):
                raise InvalidInput(
                    f"The {role} has {model.outputs:,} outputs for {len(table):,} tokens.",
                    "Resize its embeddings: model.resize_token_embeddings(len(tokenizer)).",
                )
            if model.outputs > len(table):
                read_by(model.module, OutputReader(first=len(table)))

    @cached_property
    def theirs(self) -> TokenBytes:
        """Bytes of the teacher's tokens."""
        return TokenBytes(self.teacher.tokenizer)

    @cached_property
    def ours(self) -> TokenBytes:
        """Bytes of the student's tokens."""
        return TokenBytes(self.student.tokenizer)

    @cached_property
    def byte_student(self) -> bool:
        """Whether no token of the student is longer than one byte."""
        return max(map(len, self.ours.table)) == 1

    @cached_property
    def matched(self) -> tuple[Tensor, Tensor]:
        """Ids of the student and of the teacher of the tokens that stand for the same bytes.

        Among several tokens of the same bytes the first one counts.
        """
        theirs: dict[bytes, int] = {}
        for i, token in enumerate(self.theirs.table):
            theirs.setdefault(token, i)
        pairs: dict[bytes, tuple[int, int]] = {}
        for i, token in enumerate(self.ours.table):
            if token and token in theirs:
                pairs.setdefault(token, (i, theirs[token]))
        both = torch.tensor(list(pairs.values()), dtype=torch.int64).reshape(-1, 2)
        if self.student.ends and self.end is not None:
            both = torch.cat([both, torch.tensor([[self.student.ends[0], self.end]])])
        return both[:, 0], both[:, 1]

    @cached_property
    def end(self) -> int | None:
        """The token with which the teacher ends a text, which stands for no byte."""
        return next((i for i in self.teacher.ends if not self.theirs.table[i]), None)

    def check(self, prompts: Prompts) -> None:
        """Refuse texts that the teacher's tokenizer changes.

        Parameters
        ----------
        prompts : Prompts
            Given ones, in the student's tokens.

        Raises
        ------
        InvalidInput
            With the first of them.
        """
        for ids, text in zip(prompts.ids, prompts.completions, strict=True):
            self.theirs.encoded(self.readable([*ids, *(text or ())]))

    def aligned(self, prompt: Sequence[int], text: Sequence[int]) -> AlignedText:
        """Shared boundaries of a prompt and the text after it, in the student's tokens.

        Parameters
        ----------
        prompt, text : sequence of int
            Tokens of the student.
        """
        return align(
            self.ours, self.theirs, prompt, text, self.student.ends, self.end,
            self.teacher.context,
        )  # fmt: skip

    def written(self, prompts: Prompts, sampling: TokenSampling, seed: int) -> list[list[int]]:
        """What the teacher writes after each prompt, in the student's tokens.

        Parameters
        ----------
        prompts : Prompts
            In the student's tokens.
        sampling : TokenSampling
            Tokens at most, of either model.
        seed : int
            Of the texts.
        """
        asked = [self.theirs.encoded(self.readable(ids)) for ids in prompts.ids]
        found = generate(self.teacher, asked, sampling, seed=seed)
        out = []
        for tokens in found:
            ended = bool(tokens) and tokens[-1] in self.teacher.ends
            text = self.theirs.joined(tokens).decode(errors="replace")
            ids = self.ours.continued(text)
            if ended and self.student.ends:
                ids = [*ids, self.student.ends[0]]
            out.append((ids or list(self.student.ends[:1]))[: sampling.max_new_tokens])
        return out

    def readable(self, ids: Sequence[int]) -> str:
        """A whole text from the student's tokens."""
        return self.ours.text(ids).decode(errors="replace")

    @cached_property
    def _asked(self) -> TokenPredictor:
        return TokenPredictor.of(self.teacher)

    def predicted(self, texts: Sequence[AlignedText]) -> Tensor | LMHead:
        """What the teacher predicts of a batch, (n, t, tokens), without gradients.

        Parameters
        ----------
        texts : sequence of AlignedText
            Of the batch.
        """
        module = self.teacher.module
        ids, mask = padded(
            [t.teacher_ids or [self.teacher.pad] for t in texts], self.teacher.pad, left=False
        )
        with modes_kept(module), torch.no_grad():
            module.eval()
            return self._asked(ids, mask)

    def signal(self, step: Step, bias_threshold: float, distributions: bool) -> CrossSignal:
        """What the teacher says of a batch of the training loop.

        Parameters
        ----------
        step : Step
            Inputs and labels in the student's tokens.
        bias_threshold : float
            Boundaries at which the teacher begins a new word with a smaller probability are left
            out, and their chunks joined.
        distributions : bool
            Whether the teacher's whole distributions are needed where chunks begin.
        """
        assert step.labels is not None  # noqa: S101  (texts always have them)
        texts = [self.aligned(*pair) for pair in _parted(step)]
        found = self.predicted(texts)
        if bias_threshold > 0:
            texts = [t.at(self._fair(found, i, t, bias_threshold)) for i, t in enumerate(texts)]
        device, asked = step.student.logits.device, self.teacher.module.device
        theirs, ours = flat_chunks(texts, True, asked), flat_chunks(texts, False, device)
        log_p = token_log_probabilities(found, theirs)
        first = None
        if distributions:
            first = full_signal(picked(found, (theirs.first_rows, theirs.first_places)), device)
        matched = self.matched[0].to(device), self.matched[1].to(device)
        theirs = flat_chunks(texts, True, device)
        return CrossSignal(theirs, ours, log_p.to(device), first, matched)

    def _fair(
        self, found: Tensor | LMHead, row: int, text: AlignedText, least: float
    ) -> NDArray[np.bool_]:
        """Boundaries where a new word begins probably enough; first and last always."""
        kept = np.ones(len(text.teacher), dtype=bool)
        if len(text.teacher) > 2:
            device = self.teacher.module.device
            blank = torch.from_numpy(self.theirs.blank_starts()).to(device)
            inner = torch.from_numpy(text.teacher[1:-1]).to(device)
            new = chunked_values(
                picked(found, (row, inner)), lambda z, _: z.softmax(-1)[:, blank].sum(-1)
            )
            kept[1:-1] = (new >= least).cpu().numpy()
        return kept


def full_signal(predicted: Tensor | LMHead, device: torch.device) -> FullSignal:
    """A teacher's distributions, on a device.

    Parameters
    ----------
    predicted : Tensor of shape (..., outputs), or LMHead
        Logits, or hidden states with their head.
    device : torch.device
        Where they are wanted.
    """
    if not isinstance(predicted, LMHead):
        return TeacherLogits(predicted.to(device))
    bias = None if predicted.bias is None else predicted.bias.to(device)
    states, weight = predicted.states.to(device), predicted.weight.to(device)
    return TeacherHidden(replace(predicted, states=states, weight=weight, bias=bias))


def token_log_probabilities(model: Tensor | LMHead, flat: FlatChunks) -> Tensor:
    """Log-probabilities of the tokens within chunks, (p,); gradients flow.

    Parameters
    ----------
    model : Tensor of shape (n, t, outputs), or LMHead
        Logits of a batch, or hidden states with their head.
    flat : FlatChunks
        Where the tokens are.
    """
    model = picked(model, (flat.rows, flat.places))
    return chunked_tokens(
        model, lambda logits, at: -F.cross_entropy(logits, flat.ids[at], reduction="none")
    )


def flat_chunks(
    texts: Sequence[AlignedText], teacher: bool, device: torch.device | str
) -> FlatChunks:
    """The tokens within the chunks of some texts.

    Parameters
    ----------
    texts : sequence of AlignedText
        Of a batch.
    teacher : bool
        Whether the teacher's tokens are meant, else the student's.
    device : device
        Of the result.
    """
    parts: list[list[np.ndarray]] = [[] for _ in range(7)]
    before = 0
    for row, text in enumerate(texts):
        bounds, ids = (
            (text.teacher, text.teacher_ids) if teacher else (text.student, text.student_ids)
        )
        if len(bounds) < 2:
            continue
        sizes = np.diff(bounds)
        tokens = np.arange(bounds[0] + 1, bounds[-1] + 1)
        chunk = np.repeat(np.arange(len(sizes)), sizes) + before
        before += len(sizes)
        found = (
            np.full(len(tokens), row), tokens - 1, np.asarray(ids)[tokens], chunk,
            np.full(len(sizes), row), bounds[:-1], sizes,
        )  # fmt: skip
        for part, one in zip(parts, found, strict=True):
            part.append(one)
    return FlatChunks(*(
        torch.from_numpy(np.concatenate(p) if p else np.zeros(0)).long().to(device) for p in parts
    ))  # fmt: skip


def _parted(step: Step) -> list[tuple[list[int], list[int]]]:
    """Prompt and text of each row of a batch, in the student's tokens."""
    ids, mask = step.inputs["input_ids"].cpu(), step.inputs[MASK].cpu()
    assert step.labels is not None  # noqa: S101  (texts always have them)
    texts = (step.labels.cpu() != IGNORED).sum(1).tolist()
    out = []
    for row, there, size in zip(ids, mask.bool(), texts, strict=True):
        tokens = row[there].tolist()
        at = len(tokens) - size
        out.append((tokens[:at], tokens[at:]))
    return out

"""How near two models with different tokenizers are on texts, by the chunks that both know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from limbeck.language.chunked import LMHead, chunked_values
from limbeck.language.cross_tokenizer.bridge import (
    Bridge,
    FlatChunks,
    flat_chunks,
    token_log_probabilities,
)
from limbeck.language.generation import padded
from limbeck.language.judge import JudgedModel, TextJudge
from limbeck.language.models import LanguageModel
from limbeck.language.predictions import TokenPredictor, picked
from limbeck.language.prompt_scores import PromptScores
from limbeck.modules.capture import modes_kept

__all__ = ["CrossJudge", "cross_scores"]

Writer = Literal["student", "teacher", "other"]


def cross_scores(
    bridge: Bridge,
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    texts: Sequence[Sequence[int]],
    writer: Writer,
    batch_size: int = 32,
) -> PromptScores:
    """Score texts after prompts by chunk likelihoods; all tokens are the student's.

    With p and q the likelihoods of a chunk, its overlap is min(1, p / q) where the student wrote
    it, min(1, q / p) where the teacher did, else min(p, q) / max(p, q). In the mean over what a
    model writes the first two are sum min(p, q) of single tokens, as between models with one
    tokenizer; for longer chunks they are the probability of being accepted by speculative decoding.
    What the teacher has no tokens for is one chunk more, of overlap 0, and in no other score.
    Both divergences are log-ratios a token of the student, by which a text's mean estimates them.

    Parameters
    ----------
    bridge : Bridge
        Teacher, and the student's tokenizer.
    model : LanguageModel
        With that tokenizer; or the teacher itself.
    prompts, texts : sequence of sequence of int
        Tokens of the student.
    writer : {"student", "teacher", "other"}
        Whose texts they are.
    batch_size : int
        Texts at once.
    """
    order = sorted(range(len(texts)), key=lambda i: len(prompts[i]) + len(texts[i]))
    out = np.zeros((len(fields(PromptScores)), len(texts)))
    with modes_kept(model.module), torch.no_grad():
        model.module.eval()
        asked = None if model is bridge.teacher else TokenPredictor.of(model)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            out[:, rows] = _scored(
                bridge, asked, [prompts[i] for i in rows], [texts[i] for i in rows], writer
            )
    return PromptScores(*out)


def _scored(
    bridge: Bridge,
    model: TokenPredictor | None,
    prompts: Sequence[Sequence[int]],
    texts: Sequence[Sequence[int]],
    writer: Writer,
) -> np.ndarray:
    """The scores of one batch, (scores, n); of the teacher itself without another model."""
    n = len(texts)
    aligned = [bridge.aligned(*pair) for pair in zip(prompts, texts, strict=True)]
    said = bridge.predicted(aligned)
    device = bridge.teacher.module.device
    theirs, ours = flat_chunks(aligned, True, device), flat_chunks(aligned, False, "cpu")
    log_p = _chunks(token_log_probabilities(said, theirs).cpu(), theirs)
    log_q, entropy = log_p, torch.zeros(n)
    if model is None:
        entropy = _means(_entropy(said, theirs), theirs.rows.cpu(), n)
    else:
        own = model.model.module.device
        ids, mask = padded([t.student_ids for t in aligned], bridge.student.pad, left=False)
        mine, predicted = flat_chunks(aligned, False, own), model(ids, mask)
        log_q = _chunks(token_log_probabilities(predicted, mine).cpu(), mine)
        entropy = _means(_entropy(predicted, mine), ours.rows, n)
    rows, gap = theirs.first_rows.cpu(), log_p - log_q
    ratio = {"student": gap, "teacher": -gap, "other": -gap.abs()}[writer]
    lost = torch.tensor([float(t.cut_off) for t in aligned], dtype=torch.float64)
    overlap = torch.zeros(n, dtype=torch.float64).index_add(0, rows, ratio.clamp_max(0).exp())
    overlap /= (torch.bincount(rows, minlength=n) + lost).clamp_min(1)
    tokens = torch.bincount(ours.rows, minlength=n).clamp_min(1)
    a_token = [torch.zeros(n, dtype=torch.float64).index_add(0, rows, x) / tokens
               for x in (gap, -gap, log_p, log_q)]  # fmt: skip
    found = torch.stack([
        overlap, *a_token, entropy.double(),
        _means((gap.abs() < np.log(2)).double(), rows, n),
        torch.tensor([float(len(t)) for t in texts], dtype=torch.float64),
    ])  # fmt: skip
    return np.asarray(found)


def _chunks(tokens: Tensor, flat: FlatChunks) -> Tensor:
    """Log-likelihoods of chunks from those of tokens."""
    sums = torch.zeros(len(flat.sizes), dtype=torch.float64)
    return sums.index_add(0, flat.chunk.cpu(), tokens.double())


def _means(values: Tensor, rows: Tensor, n: int) -> Tensor:
    """The mean of each text; 0 where it has no chunk, as of one that agrees nowhere."""
    sums = torch.zeros(n, dtype=torch.float64).index_add(0, rows, values.double())
    return sums / torch.bincount(rows, minlength=n).clamp_min(1)


def _entropy(predicted: Tensor | LMHead, flat: FlatChunks) -> Tensor:
    """Of the distribution of each token within chunks."""

    def of(logits: Tensor, _: Tensor) -> Tensor:
        log_p = logits.log_softmax(-1)
        return -(log_p.exp() * log_p.clamp_min(-1e4)).sum(-1)

    return chunked_values(picked(predicted, (flat.rows, flat.places)), of).cpu()


@dataclass(frozen=True, eq=False, kw_only=True)
class CrossJudge(TextJudge):
    """As the base, for a teacher with another tokenizer; all texts are kept in student tokens.

    Parameters
    ----------
    bridge : Bridge
        Between both.
    """

    bridge: Bridge

    @cached_property
    def teachers_texts(self) -> list[list[int]]:
        """What the teacher writes after each prompt, in the student's tokens."""
        return self.bridge.written(self.prompts, self.plain, self.seed + 1)

    def judged(self, model: LanguageModel) -> JudgedModel:
        """As the base says."""
        itself = model is self.teacher
        ids = self.teachers_texts if itself else self._written(model, self.seed)
        texts = [self.bridge.student.tokenizer.decode(t, skip_special_tokens=True) for t in ids]
        own = self._crossed(model, ids, "teacher" if itself else "student")
        real = None
        if self.prompts.complete:
            given = [list(c or ()) for c in self.prompts.completions]
            real = self._crossed(model, given, "other")
        return JudgedModel(
            model, ids, texts, own,
            own if itself else self._crossed(model, self.teachers_texts, "teacher"), real,
            self._measured(texts),
        )  # fmt: skip

    def _crossed(
        self, model: LanguageModel, texts: Sequence[Sequence[int]], writer: Writer
    ) -> PromptScores:
        return cross_scores(
            self.bridge, model, self.prompts.ids, texts, writer, self.sampling.batch_size
        )

"""Models judged on prompts that no training saw: on their own, the teacher's and real texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.language.generation import TokenSampling, generate
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_scores import PromptScores, distinct, score_texts
from limbeck.language.prompts import Prompts

__all__ = ["JudgedModel", "TextJudge", "TextMetric"]

TextMetric = Callable[[str, str | None], float]
"""From a text that was written and the real one (None where it is unknown) to a number."""


@dataclass(frozen=True, eq=False)
class JudgedModel:
    """What one model writes, and how near it is to the teacher on three kinds of texts.

    Parameters
    ----------
    model : LanguageModel
        The model.
    ids : list of list of int
        What it wrote after each prompt at temperature 1.
    texts : list of str
        The same as text.
    own, teachers : PromptScores
        On these texts, and on the teacher's.
    real : PromptScores or None
        On the real texts; None where some are unknown.
    metrics : mapping of str to ndarray of shape (n,)
        Exact match and the user's own, of its texts.
    """

    model: LanguageModel
    ids: list[list[int]]
    texts: list[str]
    own: PromptScores
    teachers: PromptScores
    real: PromptScores | None
    metrics: Mapping[str, NDArray[np.float64]]

    def distinct(self, n: int) -> float:
        """Share of n-grams of its texts that are different: `prompt_scores.distinct`."""
        return distinct(self.ids, n)

    def scores(self) -> dict[str, NDArray[np.float64]]:
        """A number for each prompt, by what it is called in tables."""
        found = {
            "own_overlap": self.own.overlap,
            "teacher_overlap": self.teachers.overlap,
            "log_p": self.own.teacher_log_p,
            "reverse_kl": self.own.reverse_kl,
            "forward_kl": self.teachers.forward_kl,
            "entropy": self.own.entropy,
            "length": self.own.tokens,
            **self.metrics,
        }
        if self.real is not None:
            found |= {
                "real_overlap": self.real.overlap,
                "cross_entropy": -self.real.student_log_q,
            }
        return found


@dataclass(frozen=True, eq=False)
class TextJudge:
    """Asks all models to go on with the same prompts, with the same random numbers.

    Parameters
    ----------
    teacher : LanguageModel
        With whom they are compared.
    prompts : Prompts
        Rows that no training saw.
    sampling : TokenSampling
        Length and batch; texts are drawn at temperature 1 with nothing cut off.
    seed : int
        Of the texts.
    metrics : mapping of str to TextMetric
        Of the user's own.
    """

    teacher: LanguageModel
    prompts: Prompts
    sampling: TokenSampling
    seed: int
    metrics: Mapping[str, TextMetric]

    @cached_property
    def teachers_texts(self) -> list[list[int]]:
        """What the teacher writes after each prompt."""
        return self._written(self.teacher, self.seed + 1)

    def judged(self, model: LanguageModel) -> JudgedModel:
        """A model's own texts, and its scores."""
        itself = model is self.teacher
        ids = self.teachers_texts if itself else self._written(model, self.seed)
        texts = [model.tokenizer.decode(t, skip_special_tokens=True) for t in ids]
        own = self._scores(model, ids)
        real = None
        if self.prompts.complete:
            real = self._scores(model, [list(c or ()) for c in self.prompts.completions])
        return JudgedModel(
            model, ids, texts, own, own if itself else self._scores(model, self.teachers_texts),
            real, self._measured(texts),
        )  # fmt: skip

    @property
    def plain(self) -> TokenSampling:
        """How texts are drawn: at temperature 1 with nothing cut off."""
        return replace(self.sampling, temperature=1.0, top_p=1.0)

    def _written(self, model: LanguageModel, seed: int) -> list[list[int]]:
        found = generate(model, self.prompts.ids, self.plain, seed=seed)
        silent = sum(not text for text in found)
        if silent:  # cannot be: an end of text is a token
            raise InvalidInput(
                f"{model.name} wrote nothing after {silent} prompts.", "Check its tokenizer."
            )
        return found

    def _scores(self, model: LanguageModel, texts: list[list[int]]) -> PromptScores:
        return score_texts(self.teacher, model, self.prompts.ids, texts, self.sampling.batch_size)

    def _measured(self, texts: list[str]) -> dict[str, NDArray[np.float64]]:
        references = self.prompts.references
        out: dict[str, NDArray[np.float64]] = {}
        for name, metric in self.metrics.items():
            values: list[Any] = [metric(t, r) for t, r in zip(texts, references, strict=True)]
            found = np.array(values, dtype=np.float64)
            if found.shape != (len(texts),) or not np.isfinite(found).all():
                raise InvalidInput(
                    f"The metric {name!r} gave {values[0]!r} for a text.", "Return a finite number."
                )
            out[name] = found
        return out

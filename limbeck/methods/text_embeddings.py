"""Static embeddings with a linear model or a small network, out of a teacher of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from limbeck.core.errors import InvalidInput, did_you_mean, whole_number
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.methods.text_method import AnsweredTexts, FoundText, TextMethod
from limbeck.students.text_classifier.embedding_classifier import (
    EmbeddingClassifier,
    table_of_texts,
)
from limbeck.students.text_classifier.head import HEADS, fit_head
from limbeck.students.text_classifier.search import TextData

__all__ = ["DistillTextEmbeddings"]


@METHODS.register("text_embeddings")
@dataclass(frozen=True)
class DistillTextEmbeddings(TextMethod):
    """Fit a linear model or a small network on static embeddings to the teacher's soft answers.

    Parameters
    ----------
    embedding : StaticEmbedding or path, optional
        Vectors of tokens, such as ``into="static_embedding"`` gives; by default latent semantic
        analysis of the texts.
    head : {"auto", "linear", "network"}
        What stands on them; by default the one with the smaller loss on texts left out.
    width : int
        Numbers for each word, where no embedding is given.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    method: ClassVar[str] = "embeddings"
    effort: ClassVar[float] = 1.5
    name: ClassVar[str] = "static embeddings"

    embedding: Any = None
    head: str = "auto"
    width: int = 64

    def __post_init__(self) -> None:
        whole_number("width", self.width, 1)
        if self.head not in ("auto", *HEADS):
            raise InvalidInput(
                f"head is {self.head!r}.", did_you_mean(str(self.head), ["auto", *HEADS])
            )

    def fitted(self, data: AnsweredTexts, seed: int, tell: Progress) -> FoundText:
        """The table, and the model on it that answers left-out texts best.

        Parameters
        ----------
        data, seed, tell
            As for `TextMethod.fitted`.
        """
        tell("fitting static embeddings", 0, 1)
        texts = data.rows.features.texts(data.rows)
        table = table_of_texts(texts, self.embedding, self.width).astype("float16")
        read = TextData(texts, data.soft, data.weight, data.task.classifies)
        vectors = table.encode(texts.tolist())
        heads = tuple(HEADS) if self.head == "auto" else (self.head,)
        tried = {h: fit_head(h, vectors, read, np.random.default_rng(seed)) for h in heads}
        losses = {h: f.loss for h, f in tried.items() if f.loss is not None}
        head = min(losses, key=lambda h: losses[h]) if losses else heads[0]
        found = tried[head]
        source = "given" if self.embedding is not None else "of the texts themselves"
        said = ", ".join(f"{h} {v:.3f}" for h, v in losses.items())
        message = (
            f"{len(table.table):,} tokens with {table.width} numbers each, {source}, and a"
            f" {_NAMED[head]} with a penalty of {found.penalty:g}"
            f"{f'; loss on texts left out: {said}' if said else ''}."
        )
        student = EmbeddingClassifier(self.embedding, head, self.width, data.task)
        student.take(table, found.model, data.rows.features, data.task)
        return FoundText(student, message, {"head": head, "penalty": found.penalty,
                                            "left_out": losses})  # fmt: skip


_NAMED = {"linear": "linear model", "network": "small network"}

"""Static embeddings with a linear model or a small network; predicts without torch."""

from __future__ import annotations

import base64
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.printable import visible
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.students import files
from limbeck.students.static_embedding.lsa import table_without_teacher
from limbeck.students.static_embedding.static_embedding import StaticEmbedding
from limbeck.students.static_embedding.words import frequent_words, word_tokenizer
from limbeck.students.targets import TaskLike
from limbeck.students.text_classifier.embedding_text import described_embedding, token_weights
from limbeck.students.text_classifier.fitting import LinearFit
from limbeck.students.text_classifier.head import HEADS, Head, fit_head
from limbeck.students.text_classifier.search import TextData
from limbeck.students.text_classifier.text import deciding
from limbeck.students.text_classifier.text_student import TextStudent, texts_of

__all__ = ["EmbeddingClassifier", "table_of_texts"]

_WORDS, _WIDTH, _FEWEST = 30_000, 64, 2


@STUDENTS.register("embedding_classifier")
class EmbeddingClassifier(TextStudent):
    """The mean of a text's token vectors, and a linear model or a small network on it.

    Parameters
    ----------
    embedding : StaticEmbedding or path, optional
        Vectors of tokens, such as ``limbeck.distill(encoder, texts, into="static_embedding")``
        gives; by default latent semantic analysis of the texts.
    head : {"linear", "network"}
        What stands on the vectors: a linear model, or one hidden layer of 32 units.
    width : int
        Numbers for each word, where no embedding is given.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.

    Attributes
    ----------
    embedding_ : StaticEmbedding
        The table.
    model_ : LinearFit or SmallNetwork
        The model on the vectors.
    features_, task_, classes_, n_features_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> texts = ["good film", "a good play", "bad film", "a bad play"] * 5
    >>> student = EmbeddingClassifier(width=3).fit(texts, ["yes", "yes", "no", "no"] * 5)
    >>> student.predict(["good!", "so bad"]).tolist()
    ['yes', 'no']
    """

    size_unit = "numbers"

    def __init__(
        self, embedding: Any = None, head: str = "linear", width: int = _WIDTH,
        task: TaskLike = None,
    ) -> None:  # fmt: skip
        self.embedding, self.head, self.width, self.task = embedding, head, width, task

    def _fitted(self, data: TextData, features: Features, task: Task) -> Self:
        table = table_of_texts(data.texts, self.embedding, self.width)
        rng = np.random.default_rng(0)
        found = fit_head(self.head, table.encode(data.texts), data, rng)
        return self.take(table, found.model, features, task)

    def take(self, table: StaticEmbedding, model: Head, features: Features, task: Task) -> Self:
        """The student itself, as a search found it.

        Parameters
        ----------
        table : StaticEmbedding
            The vectors of tokens.
        model : LinearFit or SmallNetwork
            The model on them.
        features : Features
            The column of texts.
        task : Task
            What is predicted.
        """
        self._hold(features, task)
        self.embedding_, self.model_ = table.astype("float16"), model
        self._importances = np.full(len(features), 1 / len(features))  # not told apart
        return self

    @property
    def size(self) -> int:
        """Numbers in the table and the model."""
        return int(self.embedding_.size + self.model_.numbers)

    def _sums(self, texts: NDArray[Any]) -> NDArray[np.float64]:
        vectors = self.embedding_.encode(texts.tolist()).astype(np.float64)
        if isinstance(self.model_, LinearFit):
            return np.asarray(vectors @ self.model_.weights + self.model_.intercept)
        return np.asarray(self.model_.scores(vectors))

    def explain(self, text: str) -> list[tuple[str, float]]:
        """By how much the sum of the answer falls where a word is left out, the largest first.

        Parameters
        ----------
        text : str
            One text.

        Returns
        -------
        list of (str, float)
            Of two classes the log-odds of the answer. They do not add up to the sum: a text's
            vector is a mean of length 1.
        """
        texts_of(self.features_, [text])
        found = self.embedding_.tokenizer.encode(text, add_special_tokens=False)
        spans = list(dict.fromkeys(found.offsets))
        every = np.array([text, *(text[:a] + " " + text[b:] for a, b in spans)], dtype=object)
        total = self._answered(self._sums(every))
        order = np.argsort(-np.abs(total[0] - total[1:]), kind="stable")
        return [(text[slice(*spans[i])], float(total[0] - total[1 + i])) for i in order]

    def _deciding(self) -> Any:
        terms, weights = token_weights(self.embedding_, self.model_)
        return deciding(terms, weights, self.task_)

    def text(self) -> str:
        """The tokens that decide, for each class."""
        return visible(described_embedding(self._deciding(), self))

    def to_dict(self) -> dict[str, Any]:
        """All that it is, ready for JSON; the table as float16 in base64."""
        table = np.ascontiguousarray(self.embedding_.table.astype("<f2"))
        parts = {name: getattr(self.model_, name).tolist() for name in _PARTS if
                 hasattr(self.model_, name)}  # fmt: skip
        return {
            **self._head("embedding_classifier"),
            "tokenizer": str(self.embedding_.tokenizer.to_str()),
            "unknown": self.embedding_.unknown,
            "shape": list(table.shape),
            "table": base64.b64encode(table.tobytes()).decode("ascii"),
            "model": parts,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """What `to_dict` wrote.

        Raises
        ------
        FileRefused
            If it is malformed.
        """
        features, task = files.read_head(data, "embedding_classifier")
        table, model = files.parsed(data, lambda given: _read(given, task))
        head = "linear" if isinstance(model, LinearFit) else "network"
        return cls(head=head, task=task).take(table, model, features, task)._recall(data)


_PARTS = ("hidden", "level", "weights", "intercept")


def table_of_texts(
    texts: NDArray[Any], embedding: Any = None, width: int = _WIDTH
) -> StaticEmbedding:
    """The vectors of tokens: those that were given, or latent semantic analysis of texts.

    Parameters
    ----------
    texts : ndarray of shape (n,), object
        The texts.
    embedding : StaticEmbedding or path, optional
        What was given.
    width : int
        Numbers for each word, where nothing was.

    Raises
    ------
    InvalidInput
        If no word occurs twice.
    """
    if isinstance(embedding, StaticEmbedding):
        return embedding
    if embedding is not None:
        return StaticEmbedding.load(embedding)
    whole_number("width", width, 1)
    words = frequent_words(texts, _WORDS, _FEWEST)
    if not words:
        raise InvalidInput(
            "No word occurs in two of the texts.", "Give more texts, or an embedding."
        )
    bare = StaticEmbedding(
        np.zeros((len(words) + 1, width), np.float32), word_tokenizer(words), unknown=0
    )
    found = table_without_teacher(bare, texts, seed=0)
    largest = float(np.abs(found.table).max(initial=0.0)) or 1.0
    return StaticEmbedding(found.table / largest, word_tokenizer(words), unknown=0)


def _read(data: dict[str, Any], task: Task) -> tuple[StaticEmbedding, Head]:
    rows, width = data["shape"]
    raw = np.frombuffer(base64.b64decode(data["table"], validate=True), dtype="<f2")
    unknown = data["unknown"]
    if unknown is not None and not (type(unknown) is int and 0 <= unknown < rows):
        raise ValueError(f"there is no token {unknown!r}")
    try:
        table = StaticEmbedding(
            raw.reshape(rows, width).astype(np.float16), data["tokenizer"], unknown=unknown
        )
    except InvalidInput as error:
        raise ValueError(str(error)) from None
    parts = {n: np.array(v, dtype=np.float64) for n, v in data["model"].items()}
    kind = next((k for k in HEADS.values() if set(k.__dataclass_fields__) == set(parts)), None)
    if kind is None or not all(np.isfinite(part).all() for part in parts.values()):
        raise ValueError("the model is none of those known, or not finite")
    outputs = len(task.classes) if len(task.classes) > 2 else 1
    inner = parts["hidden"].shape[1] if "hidden" in parts else width
    wanted = {"weights": (inner, outputs), "intercept": (outputs,), "hidden": (width, inner),
              "level": (inner,)}  # fmt: skip
    for name, part in parts.items():
        if part.shape != wanted[name]:
            raise ValueError(f"{name} is not of shape {wanted[name]}")
    return table, kind(**parts)

"""From a sentence encoder to a table of tokens: vocabulary, components, weights, training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, did_you_mean, whole_number
from limbeck.core.progress import Progress
from limbeck.language.static_embedding.margins import ask_margins, pair_scores
from limbeck.language.static_embedding.training import (
    LEFT_OUT,
    OBJECTIVES,
    TableData,
    train_table,
    units,
)
from limbeck.language.static_embedding.vocabulary import vocabulary_of
from limbeck.students.static_embedding.static_embedding import StaticEmbedding

__all__ = ["DistillEmbedding", "FoundEmbedding", "counted_weights"]


@dataclass(frozen=True, eq=False)
class FoundEmbedding:
    """What was found.

    Parameters
    ----------
    student : StaticEmbedding
        The trained table.
    untrained : StaticEmbedding
        The table before training: components and weights of one pass over the vocabulary.
    source : str
        Whose tokens these are.
    tokens_seen : int
        Tokens that the texts hold; the others keep the vector of the vocabulary pass.
    losses : mapping from str to float
        By penalty, on texts left out.
    """

    student: StaticEmbedding
    untrained: StaticEmbedding
    source: str
    tokens_seen: int
    losses: dict[str, float]


@dataclass(frozen=True)
class DistillEmbedding:
    """A table of tokens out of a sentence encoder.

    1. A pass over the vocabulary gives a vector for each token (model2vec).
    2. Principal components of the teacher's vectors of the texts, without centring: so cosines
       stay those of the teacher.
    3. Each token is weighted by ``a / (a + p)``, p its share among the tokens of the texts, counted
       (Arora, Liang and Ma 2017); not by its number, which says nothing in many tokenizers.
    4. The table is trained on the teacher's vectors of the texts.

    Parameters
    ----------
    width : int
        Numbers for each token, at most those of the teacher.
    smoothing : float
        The a of the weights.
    objective : {"cosine", "relations", "both", "margin", "none"}
        What training minimises: one less the cosine with the teacher's vector, differences of the
        cosines of pairs of texts, both, the MarginMSE of a cross-encoder, or nothing.
    cross_encoder : function, "hf:folder", or object with ``predict``, optional
        For ``objective="margin"``: from n texts and n others to n scores.
    triples : int
        How many margins it is asked about for each text; each costs two questions.
    dtype : {"float32", "float16"}
        Of the table.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    width: int = 256
    smoothing: float = 1e-3
    objective: str = "cosine"
    dtype: str = "float32"
    cross_encoder: Any = field(default=None, repr=False)
    triples: int = 2

    def __post_init__(self) -> None:
        whole_number("width", self.width, 1)
        number = isinstance(self.smoothing, int | float)
        if not (number and 0 < self.smoothing < float("inf")):
            raise InvalidInput(f"smoothing is {self.smoothing!r}.", "Give a number above 0.")
        if self.objective not in (*OBJECTIVES, "none"):
            raise InvalidInput(
                f"objective is {self.objective!r}.",
                did_you_mean(str(self.objective), [*OBJECTIVES, "none"]),
            )
        whole_number("triples", self.triples, 1)
        if (self.objective == "margin") != (self.cross_encoder is not None):
            given = "no cross_encoder" if self.cross_encoder is None else "a cross_encoder"
            raise InvalidInput(
                f"objective is {self.objective!r}, and {given} was given.",
                "Give objective='margin' and cross_encoder=..., from n texts and n others to n"
                " scores, or neither.",
            )
        if self.dtype not in ("float32", "float16"):
            raise InvalidInput(f"dtype is {self.dtype!r}.", "Give float32 or float16.")

    def distill(
        self,
        teacher: Teacher,
        texts: NDArray[np.object_],
        vectors: NDArray[np.float64],
        rng: np.random.Generator,
        tell: Progress,
    ) -> FoundEmbedding:
        """The table.

        Parameters
        ----------
        teacher : Teacher
            The encoder.
        texts : ndarray of shape (n,), object
            The texts to learn from.
        vectors : ndarray of shape (n, D)
            The teacher's vectors of them.
        rng : numpy.random.Generator
            Of the training.
        tell : callable
            Told of the stages.
        """
        known = vocabulary_of(teacher, texts, tell)
        if known.vectors.shape[1] != vectors.shape[1]:
            raise InvalidInput("Tokens and texts have vectors of different lengths.", "Give one.")
        tell("principal components", 0, 1)
        basis = components(vectors, known.vectors, self.width)
        bags = StaticEmbedding(
            np.zeros((len(known.vectors), 1), np.float32), known.tokenizer, unknown=known.unknown
        ).bags(texts)
        start = known.vectors @ basis * counted_weights(bags, self.smoothing)[:, None]
        start /= np.linalg.norm(start, axis=1).mean() or 1.0
        table = start
        losses: dict[str, float] = {}
        if self.objective != "none":
            own = units(vectors)
            margins = None
            if self.objective == "margin":
                tell("asking the cross-encoder", 0, 1)
                ask = pair_scores(self.cross_encoder)
                margins = ask_margins(ask, texts, own, self.triples, LEFT_OUT, rng)
            data = TableData(bags, own @ basis, own, margins)
            table, losses = train_table(data, start, self.objective, rng, tell)
        made = [
            StaticEmbedding(t.astype(self.dtype), known.tokenizer, basis, known.unknown)
            for t in (table, start)
        ]
        seen = len(np.unique(bags.indices))
        return FoundEmbedding(made[0], made[1], known.source, seen, losses)


def components(
    vectors: NDArray[np.float64], tokens: NDArray[np.float64], width: int
) -> NDArray[np.float64]:
    """The directions in which vectors of texts are longest, orthonormal, shape (D, d).

    Where there are fewer than four texts for each direction, those of tokens count too.

    Parameters
    ----------
    vectors : ndarray of shape (n, D)
        Of texts.
    tokens : ndarray of shape (V, D)
        Of tokens.
    width : int
        d, at most D.
    """
    used = units(vectors)
    if len(used) < 4 * width:
        used = np.vstack([used, units(tokens)])
    moments = used.T @ used
    values, found = np.linalg.eigh(moments)
    order = np.argsort(-values)[: min(width, len(values))]
    return np.asarray(found[:, order])


def counted_weights(bags: csr_array, smoothing: float) -> NDArray[np.float64]:
    """``a / (a + p)`` of each token, p its share among all tokens of the texts, shape (V,).

    Parameters
    ----------
    bags : sparse array of shape (n, V)
        The share of each token in each text.
    smoothing : float
        a.

    Examples
    --------
    >>> bags = csr_array(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]))
    >>> counted_weights(bags, 0.25).tolist()
    [0.25, 0.5, 1.0]
    """
    share = np.asarray(bags.sum(axis=0)).ravel()
    share = share / max(float(share.sum()), 1e-300)
    return np.asarray(smoothing / (smoothing + share))

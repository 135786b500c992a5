"""Distil a sentence encoder into a table of tokens, with a certificate and a control."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import check_share, interval, paired_interval
from limbeck.certificates.embeddings import certify_embedding, triples_of
from limbeck.certificates.wording import in_percent, versions
from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput, plural, whole_number
from limbeck.core.measured import Measured, signed
from limbeck.core.progress import shown
from limbeck.core.task import Task, TaskKind
from limbeck.data.labels import read_labels
from limbeck.data.text_files import texts_given
from limbeck.language.static_embedding.margins import pair_scores
from limbeck.language.static_embedding.method import DistillEmbedding
from limbeck.language.static_embedding.training import units
from limbeck.results.embedding import EmbeddingDistillation, EmbeddingModel
from limbeck.students.static_embedding.lsa import table_without_teacher
from limbeck.students.static_embedding.static_embedding import StaticEmbedding
from limbeck.teachers import as_teacher
from limbeck.teachers.closed import Closed

__all__ = ["embed"]

Vectors = NDArray[Any]
_FEWEST = 100


def embed(
    teacher: Any,
    texts: Any,
    y: Any = None,
    *,
    epsilon: float = 0.05,
    delta: float = 0.05,
    holdout: Any = 0.3,
    seed: int = 0,
    progress: bool | None = None,
    **settings: Any,
) -> EmbeddingDistillation:
    """Distil a sentence encoder into static embeddings; see ``limbeck.distill``.

    Parameters
    ----------
    teacher : "hf:folder", function or Teacher
        From texts to vectors.
    texts : list, array, Series, DataFrame or path
        Texts from the distribution on which the student will be used.
    y : array-like of shape (n,), optional
        Classes of the texts: a logistic regression on the vectors of each model is then shown.
    epsilon : float
        Wanted: the order of at most so many triples of texts differs.
    delta : float
        Probability that the certificate is wrong.
    holdout : float
        The share of texts set aside.
    seed : int
        Of split and training.
    progress : bool, optional
        A progress bar; by default on a terminal only.
    **settings
        Of :class:`limbeck.language.static_embedding.method.DistillEmbedding`.

    Returns
    -------
    EmbeddingDistillation
        Prints as a table.

    Raises
    ------
    InvalidInput
        If an argument cannot be used, or the teacher gives no vectors.
    """
    if isinstance(holdout, tuple):
        raise InvalidInput("holdout is a pair of rows and labels.", "Give a share, such as 0.3.")
    for name, share in (("epsilon", epsilon), ("delta", delta), ("holdout", holdout)):
        check_share(name, share)
    known = DistillEmbedding.__dataclass_fields__
    for name in settings:
        if name not in known:
            raise InvalidInput(
                f"Distilling into 'static_embedding' has no setting {name!r}.",
                f"Give {', '.join(known)}.",
            )
    method = DistillEmbedding(**settings)
    kept, labels, notes = _different(texts_given(texts), y)
    order = np.random.default_rng(whole_number("seed", seed)).permutation(len(kept))
    cut = round(holdout * len(kept))
    test, fit = np.sort(order[:cut]), np.sort(order[cut:])
    encoder: Teacher = _encoder(teacher, kept[:8])
    started = time.perf_counter()
    with shown(progress) as tell:
        tell("asking about texts", 0, 1)
        vectors, rate = _timed(lambda X: np.asarray(encoder.scores(X), dtype=np.float64), kept)
        if not np.isfinite(vectors).all():
            raise InvalidInput(f"{encoder.name} gave vectors that are not finite.", "Check it.")
        rng = np.random.default_rng(seed)
        found = method.distill(encoder, kept[fit], vectors[fit], rng, tell)
        tell("control", 0, 1)
        control = table_without_teacher(found.student, kept[fit], seed)
    judge = _Judge(kept, vectors, labels, fit, test, delta, seed, method.cross_encoder)
    models = [
        judge.teacher(encoder.name, rate),
        judge.line("student", "static", found.student),
        judge.line("control", "LSA, no teacher", control, lifted=False),
        judge.line("baseline", "not trained", found.untrained),
    ]
    certificate = certify_embedding(
        found.student.encode(kept[test]), vectors[test], found.student.fingerprint(),
        delta=delta, seed=seed, lifted=found.student.lifted(kept[test]),
    )  # fmt: skip
    reached = certificate["order"].bound <= epsilon
    notes += [
        f"The table is of {found.source}, of which {found.tokens_seen:,} occur in"
        f" {plural(len(fit), 'text')}; the others keep the vector of the vocabulary pass.",
        f"The order that was asked for, at most {epsilon:.0%} of triples different, is"
        f" {'reached' if reached else 'not reached'}.",
        *filter(None, (getattr(encoder, "note", ""), *getattr(encoder, "answer_notes", ()))),
    ]
    used = {
        "into": "static_embedding", "method": repr(method), "teacher": encoder.name,
        "epsilon": epsilon, "delta": delta, "seed": seed, "losses": found.losses,
        "seconds": round(time.perf_counter() - started, 3), "versions": versions("scipy"),
    }  # fmt: skip
    return EmbeddingDistillation(
        found.student, certificate, tuple(models), judge.verdict(found.student, control), used,
        tuple(notes), kept[test], vectors[test],
    )  # fmt: skip


def _different(texts: NDArray[Any], y: Any) -> tuple[NDArray[Any], Any, list[str]]:
    """Each text once, without empty ones, with its label."""
    labels = read_labels(y, len(texts)) if y is not None else None
    first: dict[str, int] = {}
    for i, text in enumerate(texts.tolist()):
        if text.strip():
            first.setdefault(text, i)
    at = np.array(list(first.values()), dtype=np.int64)
    notes = []
    if len(at) < len(texts):
        notes.append(f"{plural(len(texts) - len(at), 'empty or equal text')} left out.")
    if len(at) < _FEWEST:
        raise InvalidInput(
            f"There are {len(at):,} different texts.", f"Give {_FEWEST} or more, best thousands."
        )
    return texts[at], None if labels is None else labels[at], notes


class _Encode(Closed):
    """A function from texts to vectors, or what has a method ``encode`` of that kind."""

    access, score_kind, note = Access.SCORES | Access.QUERIES, ScoreKind.VALUE, ""

    def __init__(self, encode: Callable[[Any], Any], name: str, width: int) -> None:
        self._encode, self.name = encode, name
        self.task = Task.of("regression", width)

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Vectors of n texts, shape (n, D)."""
        return np.asarray(self._encode(list(X)), dtype=np.float64)

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(f"{self.name} is a function without {what}.", "Ask for vectors only.")


def _encoder(teacher: Any, example: NDArray[Any]) -> Teacher:
    """What was given as a teacher of vectors.

    Raises
    ------
    InvalidInput
        If it gives none.
    """
    encode = getattr(teacher, "encode", teacher)
    if callable(encode) and not isinstance(teacher, str | Teacher):
        found = np.asarray(encode(list(example)), dtype=np.float64)
        name = getattr(teacher, "__name__", type(teacher).__name__)
        if found.ndim != 2 or len(found) != len(example) or found.shape[1] < 2:
            raise InvalidInput(
                f"{name} gave an array of shape {found.shape} for {len(example)} texts.",
                "Give a function from n texts to vectors of shape (n, D).",
            )
        return _Encode(encode, name, found.shape[1])
    known: Teacher = as_teacher(teacher, None, example=example)
    task = known.task
    if task.kind is not TaskKind.REGRESSION or task.outputs < 2:
        raise InvalidInput(
            f"{known.name} answers with {task.kind} and no vectors.",
            'Give a sentence encoder, such as "hf:./all-MiniLM-L6-v2", or a function from texts to'
            " vectors.",
        )
    return known


def _timed(run: Callable[[Any], Vectors], texts: NDArray[Any]) -> tuple[Vectors, float]:
    """What a function gives, and how many texts it does in a second of this process."""
    before = time.process_time()
    found = run(texts)
    return found, len(texts) / max(time.process_time() - before, 1e-6)


class _Judge:
    """Compares models on the texts set aside."""

    def __init__(
        self, texts: NDArray[Any], vectors: Vectors, labels: Any, fit: Any, test: Any,
        delta: float, seed: int, cross_encoder: Any = None,
    ) -> None:  # fmt: skip
        self.texts, self.labels, self.fit, self.test = texts, labels, fit, test
        self.delta, self.theirs, self.all = delta, units(vectors[test]), vectors
        self.triples = triples_of(len(test), seed)
        self.margin = None if cross_encoder is None else self._margins(pair_scores(cross_encoder))
        self.pairs = np.random.default_rng(seed).permutation(len(test))

    def teacher(self, name: str, rate: float) -> EmbeddingModel:
        """The teacher's own line."""
        accuracy = self._accuracy(units(self.all[self.fit]), self.theirs)
        cross = self._cross(self.theirs)
        return EmbeddingModel("teacher", name, None, None, None, accuracy, rate, None, cross)

    def line(
        self, role: str, name: str, student: StaticEmbedding, lifted: bool = True
    ) -> EmbeddingModel:
        """A line of the table."""
        from scipy.stats import spearmanr

        own, rate = _timed(student.encode, self.texts[self.test])
        direction = None
        if lifted:
            raised = student.lifted(self.texts[self.test])
            direction = float(1 - (raised * self.theirs).sum(1).mean())
        wrong, n = int((~self._right(own)).sum()), len(self.triples)
        low, high = interval(wrong, n, self.delta)
        rank = spearmanr(
            (own * own[self.pairs]).sum(1), (self.theirs * self.theirs[self.pairs]).sum(1)
        ).statistic
        return EmbeddingModel(
            role, name, direction, Measured(1 - wrong / n, 1 - high, 1 - low), float(rank),
            self._accuracy(student.encode(self.texts[self.fit]), own), rate, student.bytes / 1e6,
            self._cross(own),
        )  # fmt: skip

    def verdict(self, student: StaticEmbedding, control: StaticEmbedding) -> str:
        """Whether distilling helped the order, on the same triples."""
        texts = self.texts[self.test]
        a, b = self._right(student.encode(texts)), self._right(control.encode(texts))
        low, high = paired_interval(int((~b & a).sum()), int((~a & b).sum()), len(a), self.delta)
        gain = float(a.mean() - b.mean())
        value, *ends = signed(gain, low, high)
        said = f"{value} ({in_percent(1 - self.delta)} interval {' to '.join(ends)})"
        against = "against a table of the same size from the same texts without the teacher."
        if low > 0:
            return f"Distilling helped the order of similarity: {said} {against}"
        word = "Distilling hurt" if high < 0 else "No evidence that distilling helped"
        return f"{word} the order of similarity: {said} {against}"

    def _margins(self, ask: Any) -> Vectors:
        """What the cross-encoder says of the triples."""
        a, b, c = (self.texts[self.test][part] for part in self.triples.T)
        return np.asarray(ask(a, b) - ask(a, c))

    def _cross(self, own: Vectors) -> Measured | None:
        """The share of triples in the cross-encoder's order; one without a margin is wrong."""
        if self.margin is None:
            return None
        a, b, c = self.triples.T
        nearer = ((own[b] - own[c]) * own[a]).sum(1)
        wrong, n = int((nearer * self.margin <= 0).sum()), len(self.triples)
        low, high = interval(wrong, n, self.delta)
        return Measured(1 - wrong / n, 1 - high, 1 - low)

    def _right(self, own: Vectors) -> NDArray[np.bool_]:
        a, b, c = self.triples.T
        nearer = (own[a] * own[b]).sum(1) > (own[a] * own[c]).sum(1)
        wanted = (self.theirs[a] * self.theirs[b]).sum(1) > (self.theirs[a] * self.theirs[c]).sum(1)
        return np.asarray(nearer == wanted)

    def _accuracy(self, fit: Vectors, test: Vectors) -> Measured | None:
        if self.labels is None:
            return None
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=10.0, max_iter=1000).fit(fit, self.labels[self.fit])
        right = int((model.predict(test) == self.labels[self.test]).sum())
        low, high = interval(len(test) - right, len(test), self.delta)
        return Measured(right / len(test), 1 - high, 1 - low)

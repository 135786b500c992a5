"""Choose few rows that teach most, beside as many random rows with the teacher's soft labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import limbeck
from limbeck.certificates.binomial import check_share
from limbeck.core.answers import answers, probabilities
from limbeck.core.columns import Features
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, did_you_mean, whole_number
from limbeck.core.progress import shown
from limbeck.core.texts import are_texts, as_texts
from limbeck.data.labels import encode_labels
from limbeck.evaluation.subset_comparison import WAYS, SubsetData, compare_subsets
from limbeck.results.selected import Selection
from limbeck.teachers import as_teacher
from limbeck.teachers.endpoints.paid_teacher import PaidTeacher

__all__ = ["select"]

_STUDENTS = ("kernel", "linear")
_ASK_ALL = ("gradients", "inducing_points")
_MOST_TEST = 2000
_WORD = r"[^\W_]+"
_TERMS = 100  # principal components of tf-idf weights

Vectors = NDArray[np.float64]


def select(
    teacher: Any,
    X: Any,
    y: Any = None,
    *,
    n: int,
    ways: Sequence[str] | None = None,
    student: str | None = None,
    encoder: Any = None,
    pool: int = 5000,
    holdout: float = 0.3,
    seeds: int = 5,
    delta: float = 0.05,
    seed: int = 0,
    progress: bool | None = None,
    **outputs: Any,
) -> Selection:
    """Choose n rows that stand for all, by several ways, and compare each with random rows.

    Many gains that are published for condensed sets come from soft labels, which random rows
    can have as well: so random rows with the teacher's soft labels are the control.

    Parameters
    ----------
    teacher : Teacher or model
        Of classes; see :func:`limbeck.as_teacher`.
    X : array-like of shape (n, d) or (n, ...), DataFrame, or n texts
        The rows.
    y : array-like of shape (n,), optional
        Labels: then as many rows of each class are chosen, by every way and by the control, and
        students are scored on them, too.
    n : int
        Rows to choose, in all.
    ways : sequence of str, optional
        Some of ``"k_means"``, ``"herding"``, ``"k_center"``, ``"gradients"`` and
        ``"inducing_points"``; by default all, of texts all but the last, which makes rows that are
        no texts, and of a service that is paid for the first three: the others ask about the pool.
    student : {"kernel", "linear"}, optional
        What learns from the rows: ridge regression with an RBF kernel, by default, or a softmax
        model, by default of texts.
    encoder : teacher, ``"hf:folder"`` or callable, optional
        From rows to vectors by which they are chosen and learned from. By default numbers are
        taken as they are, centred and scaled, and texts by principal components of tf-idf weights.
    pool : int
        Rows at most from which a seed chooses.
    holdout : float
        The share of rows that the students are tested on, at most 2,000 of them.
    seeds : int
        Repetitions, each with another pool.
    delta : float
        One less the level of the intervals; those of the gains hold together.
    seed : int
        Of the split, and of all draws.
    progress : bool, optional
        Show a progress bar; by default only on a terminal.
    **outputs
        Passed on to :func:`limbeck.as_teacher`.

    Returns
    -------
    Selection
        ``chosen()`` are the positions of the best way, of random rows where none is better;
        ``points`` the inducing points.

    Raises
    ------
    InvalidInput
        If an argument cannot be used, or there are too few rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = KNeighborsClassifier().fit(X, y)
    >>> found = limbeck.select(teacher, X, y, n=9, ways=["k_means"], seeds=2)
    >>> len(found.chosen("k_means"))
    9
    """
    n, seeds = whole_number("n", n, 2), whole_number("seeds", seeds, 1)
    pool = whole_number("pool", pool, n)
    check_share("delta", delta)
    check_share("holdout", holdout)
    texts = are_texts(X)
    _check_text_columns(X)
    rows: Any = as_texts(X) if texts else X
    made = as_teacher(teacher, y, **outputs)
    if not made.task.classifies or made.task.outputs < 2:
        raise InvalidInput(f"{made.name} predicts no classes.", "Give a teacher of classes.")
    chosen_ways = _ways(ways, texts, isinstance(made, PaidTeacher))
    student = student or ("linear" if texts else "kernel")
    if student not in _STUDENTS:
        raise InvalidInput(f"student is {student!r}.", did_you_mean(student, _STUDENTS))
    codes = None if y is None else encode_labels(y, made.task.classes)
    order = np.random.default_rng([seed, 3]).permutation(len(rows))
    cut = min(round(holdout * len(rows)), _MOST_TEST)
    test, rest = np.sort(order[:cut]), np.sort(order[cut:])
    if len(rest) < n or cut < 10:
        raise InvalidInput(
            f"Of {len(rows):,} rows {cut:,} are for the test and {len(rest):,} are left.",
            f"Give at least {max(n, 10) * 2} rows.",
        )
    vectors, note = _vectors(rows, encoder, texts, rest)
    told = answers(made.scores(_take(rows, test)), made.task)
    soft = _SoftAnswers(made, rows, rest)
    data = SubsetData(
        vectors[rest], vectors[test], soft, np.asarray(told, np.int64),
        None if codes is None else codes[test], None if codes is None else codes[rest],
        made.task.outputs,
    )  # fmt: skip
    with shown(progress) as tell:
        lines, found = compare_subsets(
            data, chosen_ways, n, student=student, pool=pool, seeds=seeds, delta=delta, seed=seed,
            tell=tell,
        )  # fmt: skip
    moved = found["inducing_points"].points if "inducing_points" in found else None
    return Selection(
        lines=lines,
        rows={way: rest[one.places] for way, one in found.items()},
        weights={way: one.weights for way, one in found.items()},
        points=None if moved is None else moved.points,
        point_targets=None if moved is None else moved.targets,
        test_rows=len(test),
        seeds=seeds,
        notes=tuple(filter(None, (note, soft.said(len(test)), getattr(made, "note", "")))),
        settings={
            "n": n, "ways": list(chosen_ways), "student": student, "pool": min(pool, len(rest)),
            "by_class": codes is not None, "delta": delta, "seed": seed,
            "limbeck": limbeck.__version__,
        },
    )  # fmt: skip


def _check_text_columns(X: Any) -> None:
    """Refuse a table in which a column holds texts, which would be read as categories."""
    for name in getattr(X, "columns", ()):
        values = X[name].dropna()
        words = [v for v in values if isinstance(v, str)]
        if len(words) == len(values) > 10 and len(set(words)) > len(words) / 2:
            raise InvalidInput(
                f"The column {name!r} holds {len(set(words)):,} different texts in"
                f" {len(words):,} rows.",
                f"Give the texts themselves, X[{name!r}] (--text {name}), or leave the column out.",
            )


class _SoftAnswers:
    """The teacher's probabilities of rows by position, each asked once."""

    def __init__(self, teacher: Teacher, rows: Any, rest: NDArray[np.int64]) -> None:
        self.teacher, self.rows, self.rest = teacher, rows, rest
        self.known = np.full((len(rest), teacher.task.outputs), np.nan)

    def __call__(self, places: NDArray[np.int64]) -> Vectors:
        new = np.unique(places[np.isnan(self.known[places, 0])])
        if len(new):
            scores = self.teacher.scores(_take(self.rows, self.rest[new]))
            self.known[new] = probabilities(scores, self.teacher.score_kind)
        return self.known[places]

    def said(self, tested: int) -> str:
        """How many rows the whole comparison asked about."""
        asked = int((~np.isnan(self.known[:, 0])).sum()) + tested
        return f"The comparison itself, with its seeds and test rows, asked about {asked:,} rows."


def _ways(ways: Sequence[str] | None, texts: bool, paid: bool) -> tuple[str, ...]:
    if ways is None:
        without = _ASK_ALL if paid else ("inducing_points",) if texts else ()
        return tuple(way for way in WAYS if way not in without)
    if isinstance(ways, str):
        ways = [ways]
    for way in ways:
        if way not in WAYS:
            raise InvalidInput(f"There is no way {way!r}.", did_you_mean(str(way), WAYS))
    if texts and "inducing_points" in ways:
        raise InvalidInput(
            "Inducing points of texts are no texts.", "Choose texts by the other ways."
        )
    return tuple(ways)


def _take(rows: Any, places: NDArray[np.int64]) -> Any:
    return rows.iloc[places] if hasattr(rows, "iloc") else np.asarray(rows)[places]


def _vectors(rows: Any, encoder: Any, texts: bool, rest: NDArray[np.int64]) -> tuple[Vectors, str]:
    """A vector of each row, centred and scaled by the rows that are not for the test."""
    note = ""
    if encoder is not None:
        found = _encoder(encoder)(rows)
    elif texts:
        found, note = (
            _of_texts(rows, rest),
            (f"No encoder was given: vectors are {_TERMS} principal components of tf-idf weights."),
        )
    elif np.ndim(rows) > 2:
        found = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    else:
        found = Features.of(rows).encode(rows)
    found = np.asarray(found, dtype=np.float64)
    if found.ndim != 2 or len(found) != len(rows) or not np.isfinite(found).all():
        raise InvalidInput(
            f"The vectors have shape {found.shape} or missing values.",
            "Give one vector of finite numbers for each row.",
        )
    found = found - found[rest].mean(axis=0)
    images = np.ndim(rows) > 2 or encoder is not None or texts
    spread = found[rest].std(axis=None if images else 0)
    return found / np.where(spread > 0, spread, 1.0), note


def _encoder(encoder: Any) -> Callable[[Any], Any]:
    if isinstance(encoder, Teacher | str):
        return as_teacher(encoder).scores
    if callable(encoder):
        return lambda rows: np.asarray(encoder(rows))
    raise InvalidInput(
        f"The encoder is a {type(encoder).__name__}.",
        'Give "hf:folder" of an encoder, or a function from rows to vectors.',
    )


def _of_texts(rows: NDArray[Any], rest: NDArray[np.int64]) -> Vectors:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    weights = TfidfVectorizer(sublinear_tf=True, token_pattern=_WORD).fit(rows[rest])
    table = weights.transform(rows)
    parts = max(1, min(_TERMS, table.shape[1] - 1))
    return np.asarray(TruncatedSVD(parts, random_state=0).fit(table[rest]).transform(table))

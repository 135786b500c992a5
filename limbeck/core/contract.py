"""The nouns of limbeck, and nothing else. Shapes: n rows, d columns, k outputs, m activations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, Flag, StrEnum, auto
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows
from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean
from limbeck.core.signatures import Signature, sign, signed_bytes

__all__ = [
    "Access",
    "Certificate",
    "GroupBound",
    "Label",
    "Method",
    "MethodResult",
    "Progress",
    "Sampler",
    "ScoreKind",
    "Status",
    "StatusCode",
    "Student",
    "Task",
    "TaskKind",
    "Teacher",
    "answers",
    "probabilities",
]

Label = str | int | float | bool


class Access(Flag):
    """What a teacher grants, and what a method needs.

    Examples
    --------
    >>> from limbeck import Access
    >>> needed = Access.QUERIES | Access.GRADIENTS
    >>> str(needed), Access.SCORES in needed
    ('queries, gradients', False)
    """

    SCORES = auto()
    """Scores for stored rows only."""
    QUERIES = auto()
    """Scores for any row."""
    ACTIVATIONS = auto()
    GRADIENTS = auto()
    WEIGHTS = auto()

    def __str__(self) -> str:
        return ", ".join(a.name.lower() for a in type(self) if a in self and a.name) or "nothing"


class ScoreKind(StrEnum):
    """What a teacher's numbers are, so that a temperature on labels is an error."""

    LOGIT = "logit"
    PROBABILITY = "probability"
    LABEL = "label"
    VALUE = "value"


class TaskKind(StrEnum):
    """What is predicted; k outputs answer a row, or each of the t tokens of a sequence."""

    CLASSIFICATION = "classification"
    """Scores (n, k), labels (n,), or (n, k) where they are distributions over classes."""
    MULTILABEL = "multilabel"
    """Scores (n, k), labels (n, k) of 0 and 1."""
    REGRESSION = "regression"
    """Values (n, k), labels (n, k); (n,) where k is 1."""
    TOKENS = "tokens"
    """Scores (n, t, k), labels (n, t)."""
    LANGUAGE = "language"
    """The same, where the output at a place predicts the next token."""


@dataclass(frozen=True)
class Task:
    """What is predicted, by how many outputs, and the names of the classes or the unit.

    Parameters
    ----------
    classes : tuple of labels
        The classes in the order of the score columns; empty for numbers, and where they have no
        names.
    unit : str
        The unit of the number, for regression.
    kind : TaskKind, optional
        By default classification where classes are named, and regression where not.
    outputs : int, optional
        k: classes, labels, numbers, or the vocabulary; by default the classes that are named, and
        one number.

    Raises
    ------
    InvalidInput
        If there is no such kind, or classes are named for numbers, or kind and outputs do not fit.

    Examples
    --------
    >>> from limbeck import Task
    >>> Task(("no", "yes")).classifies, Task(unit="kg").classifies
    (True, False)
    >>> Task.of("tokens", 9).sequential
    True
    """

    classes: tuple[Label, ...] = ()
    unit: str = ""
    kind: TaskKind = None  # type: ignore[assignment]  # found from the classes
    outputs: int = 0

    @classmethod
    def of(cls, kind: str, outputs: int) -> Self:
        """What networks answer: a kind and the number of outputs, without names of classes.

        Parameters
        ----------
        kind : {"classification", "multilabel", "regression", "tokens", "language"}
            What is predicted.
        outputs : int
            k: classes, labels, numbers, or the vocabulary.
        """
        return cls(kind=kind, outputs=outputs)  # type: ignore[arg-type]  # read by __post_init__

    def __post_init__(self) -> None:
        known = [str(kind) for kind in TaskKind]
        kind = self.kind or ("classification" if self.classes else "regression")
        if kind not in known:
            raise InvalidInput(f"The task is {kind!r}.", did_you_mean(str(kind), known))
        outputs = self.outputs or len(self.classes) or int(kind == "regression")
        if not outputs:
            raise InvalidInput(f"A task of {kind} has no outputs.", "Give classes, or outputs.")
        if self.classes and (kind == "regression" or len(self.classes) != outputs):
            raise InvalidInput(
                f"{len(self.classes)} classes were given for {kind} with {outputs} outputs.",
                "Name every output, or leave classes out.",
            )
        object.__setattr__(self, "kind", TaskKind(kind))
        object.__setattr__(self, "outputs", outputs)

    @property
    def classifies(self) -> bool:
        """Whether one of k classes is the answer, for every row or at every place that counts."""
        return self.kind not in (TaskKind.REGRESSION, TaskKind.MULTILABEL)

    @property
    def sequential(self) -> bool:
        """Whether there is an answer per token."""
        return self.kind in (TaskKind.TOKENS, TaskKind.LANGUAGE)

    @property
    def labels(self) -> NDArray[Any]:
        """The classes as an array of shape (k,), of their own dtype where they share one."""
        one_type = len({type(c) for c in self.classes}) == 1
        return np.array(list(self.classes), dtype=None if one_type else object)


@runtime_checkable
class Teacher(Protocol):
    """What a distiller may see of a model. Rows come in the user's own form."""

    @property
    def access(self) -> Access:
        """What it grants."""
        ...

    @property
    def task(self) -> Task:
        """What is predicted."""
        ...

    @property
    def score_kind(self) -> ScoreKind:
        """What the numbers of `scores` are."""
        ...

    @property
    def name(self) -> str:
        """The name for tables and reports."""
        ...

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k): a column per class, or one column for regression.

        Labels are given one-hot; binary logits as two columns (0, z).
        """
        ...

    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose activations may be read, in order of computation."""
        ...

    def activations(self, X: Any, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Activations by layer, each of shape (n, m), flattened over all but rows.

        Parameters
        ----------
        X : table of n rows
            Rows in the form the model takes.
        layers : sequence of str
            Names of the layers.
        """
        ...

    def gradient(self, X: Any, output: int) -> NDArray[np.float64]:
        """Gradient of one score with respect to the inputs, of shape (n, d).

        Parameters
        ----------
        X : table of n rows
            Rows in the form the model takes.
        output : int
            Position of the score.
        """
        ...


@runtime_checkable
class Student(Protocol):
    """A scikit-learn estimator that can say its size, print, draw and export itself."""

    @property
    def features_(self) -> Features:
        """The columns it was fitted on."""
        ...

    @property
    def task_(self) -> Task:
        """What it predicts."""
        ...

    @property
    def size(self) -> int:
        """Leaves of a tree, cells of a table, weights of a linear model."""
        ...

    @property
    def size_unit(self) -> str:
        """What ``size`` counts, in the plural: leaves, cells."""
        ...

    @property
    def numbers(self) -> int:
        """How many numbers a reader must hold to predict by hand, alike for all kinds."""
        ...

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from rows of shape (n, d) and labels of shape (n,).

        Parameters
        ----------
        X : table of n rows
            The rows, of shape (n, d).
        y : array-like of shape (n,)
            Labels, or values.
        sample_weight : array-like of shape (n,), optional
            How much each row counts.
        """
        ...

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,)."""
        ...

    def measured(self, values: NDArray[np.float64]) -> Self:
        """The student itself, with how much each column matters measured on rows (n, d)."""
        ...

    def notes(self, rows: Rows) -> tuple[str, ...]:
        """What a reader should know of the student on these training rows."""
        ...

    def text(self) -> str:
        """The student in words."""
        ...

    def rules(self) -> list[str]:
        """The student as IF ... THEN ... sentences; empty where it has none."""
        ...

    def drawing(self) -> str:
        """The student drawn in HTML, for the page of a report."""
        ...

    def caption(self) -> str:
        """How the drawing is read; may be empty."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""
        ...

    def save(self, path: str | Path) -> Path:
        """Write the student as JSON."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON of the student, in hexadecimal."""
        ...


class Sampler(Protocol):
    """Where fresh inputs come from."""

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw n new rows, near or from the distribution of ``rows``.

        Parameters
        ----------
        rows : Rows
            Observed rows.
        n : int
            Number of rows to draw.
        rng : numpy Generator
            All randomness comes from it.
        """
        ...

    def describe(self) -> str:
        """The distribution in words, for the certificate and the report."""
        ...


class StatusCode(Enum):
    """How a search ended; the value says what it means."""

    EXACT = "the student agrees with the teacher on every row and query the search saw"
    COMPLETE = "the search ran to its end"
    LIMIT = "the search stopped at its limit; the student is the best found so far"
    INTERRUPTED = "the search was interrupted; the student is the best found so far"
    HYPOTHESIS_FAILED = (
        "the hypothesis that the method rests on does not hold for this teacher;"
        " the student is the best found without it"
    )


@dataclass(frozen=True)
class Status:
    """A code, the sentence that explains it here, and what to do about it."""

    code: StatusCode
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def to_dict(self) -> dict[str, str]:
        """The code's name, and the whole sentence, ready for JSON."""
        return {"code": self.code.name.lower(), "message": str(self)}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, or there is no such code.
        """
        try:
            return cls(StatusCode[data["code"].upper()], str(data["message"]))
        except (KeyError, TypeError, AttributeError):
            raise FileRefused(f"{data!r} is no status.", "Save the result again.") from None


class Progress(Protocol):
    """Told how far the work is; may raise KeyboardInterrupt."""

    def __call__(self, stage: str, done: float, total: float) -> None: ...


@dataclass(frozen=True)
class MethodResult:
    """What a method returns: the student and how it was found.

    Parameters
    ----------
    student : Student
        The student of the chosen size.
    status : Status
        How the search ended.
    queries : int
        Rows beyond the user's own for which the teacher was asked.
    frontier : tuple of Student
        The best student of every size, smallest first (may be only the chosen one).
    trace : mapping
        Numbers of the search, ready for JSON: probes, seconds, layer scores, history.
    rivals : mapping from str to Student
        Baselines of one kind and the student's size, of what they were trained on; the best of
        them is the baseline that is shown. Empty where the method names its own or has none.
    steps : tuple of Student
        Of a way of several steps: all students, the last being ``student``; else empty.
    """

    student: Student
    status: Status
    queries: int = 0
    frontier: tuple[Student, ...] = ()
    trace: Mapping[str, Any] = field(default_factory=dict)
    rivals: Mapping[str, Student] = field(default_factory=dict)
    steps: tuple[Student, ...] = ()


class Method(Protocol):
    """A frozen dataclass of settings and one algorithm."""

    @property
    def needs(self) -> Access:
        """What the teacher must grant."""
        ...

    @property
    def name(self) -> str:
        """The name for tables and reports."""
        ...

    def distill(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator, progress: Progress
    ) -> MethodResult:
        """Distil the teacher into a student, from rows that no certificate will use.

        Parameters
        ----------
        teacher : Teacher
            Answers queries, as far as its ``access`` goes.
        rows : Rows
            Rows to learn from.
        rng : numpy Generator
            All randomness comes from it.
        progress : Progress
            Called with the stage, what is done, and the total.
        """
        ...

    def learn(self, rows: Rows, y: NDArray[Any], task: Task, rng: np.random.Generator) -> Student:
        """The control: the same student with the same limits, from labels, with no teacher.

        ``y`` holds class indices (int, shape (n,)) or values (float, shape (n,)).

        Parameters
        ----------
        rows : Rows
            The rows that :meth:`distill` learns from.
        y : ndarray of shape (n,)
            Class indices or values.
        task : Task
            What is predicted.
        rng : numpy Generator
            All randomness comes from it.
        """
        ...

    def baselines(
        self,
        teacher: Teacher,
        rows: Rows,
        answers: NDArray[Any],
        finding: MethodResult,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Mapping[str, Student]:
        """Plain students of the same size, taught by the same teacher, by their names.

        Parameters
        ----------
        teacher : Teacher
            Answers queries.
        rows : Rows
            The rows that :meth:`distill` learned from.
        answers : ndarray of shape (n,)
            The teacher's answers on them: class indices or values.
        finding : MethodResult
            What :meth:`distill` returned; its student sets the size.
        rng : numpy Generator
            All randomness comes from it.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        ...


@dataclass(frozen=True)
class GroupBound:
    """The bound for one group of rows, at the level shared over all groups."""

    group: str
    epsilon: float
    delta: float
    n: int
    mean_loss: float


@dataclass(frozen=True)
class Certificate:
    """With probability at least 1 - delta over the rows, the expected loss is at most epsilon.

    Parameters
    ----------
    epsilon : float
        The certified bound, in units of the loss.
    delta : float
        The probability, over the draw of the rows, that the statement is wrong.
    n : int
        Independent draws used: different rows, or cases.
    mean_loss : float
        Mean loss on them; that of a case is the mean over its rows.
    loss : str
        ``disagreement``, or the name of a bounded loss, or ``exceeds`` for tolerance bounds.
    bound : str
        The name of the bound, with its source.
    statement : str
        The certificate as one sentence.
    assumptions : tuple of str
        What must be true for the sentence to hold.
    asked : float or None
        The epsilon that was asked for; compare with ``reached``.
    tolerance : float or None
        For regression: the error that at least 1 - epsilon of inputs stay within.
    groups : tuple of GroupBound
        Simultaneous bounds by group.
    student, rows : str
        Fingerprints (SHA-256) of the student and of the rows with their answers; that of the rows
        depends neither on their order nor on digits that float32 does not keep.
    settings : mapping
        Everything else needed to recompute: loss range, candidates, copies, cases, versions.
    signature : Signature, optional
        Who vouches for it; see `sign`.

    Examples
    --------
    >>> import numpy as np
    >>> import limbeck
    >>> from limbeck.students import Tree
    >>> X = np.arange(40.0).reshape(-1, 1)
    >>> student = Tree(max_leaves=2).fit(X, X[:, 0] > 20)
    >>> certificate = limbeck.certify(student, X, X[:, 0] > 20, delta=0.05)
    >>> certificate.n, round(certificate.epsilon, 3)
    (40, 0.072)
    """

    epsilon: float
    delta: float
    n: int
    mean_loss: float
    loss: str
    bound: str
    statement: str
    assumptions: tuple[str, ...]
    student: str
    rows: str
    asked: float | None = None
    tolerance: float | None = None
    groups: tuple[GroupBound, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    signature: Signature | None = None

    @property
    def reached(self) -> bool:
        """Whether the epsilon that was asked for is certified (True where none was asked)."""
        return self.asked is None or self.epsilon <= self.asked

    def sign(self, key: Any, password: str | None = None) -> Certificate:
        """The same certificate, signed: the holder of the key vouches for it.

        Anyone can recompute the numbers; that the answers are the teacher's own and the rows are
        fresh is somebody's word. The signature says whose. It covers all fields; see
        `limbeck.core.signatures.signed_bytes`.

        Parameters
        ----------
        key : str, Path or Ed25519PrivateKey
            The PEM file of an Ed25519 private key, or one read with ``cryptography``.
        password : str, optional
            Of the file, if it is encrypted.

        Raises
        ------
        FileRefused
            If the file cannot be read, or holds no Ed25519 private key.
        InvalidInput
            If it is encrypted and the password is lacking or wrong.
        MissingExtra
            If the package ``cryptography`` is not installed.
        """
        return replace(self, signature=sign(signed_bytes(self), key, password))


Batches = Iterator[tuple[Any, ...]]
"""Fresh rows and the teacher's answers (and the cases of the rows), drawn one batch at a time."""


def answers(scores: NDArray[np.float64], task: Task) -> NDArray[np.int64] | NDArray[np.float64]:
    """The teacher's hard answers, of shape (n,).

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        What ``Teacher.scores`` returned.
    task : Task
        The teacher's task.

    Returns
    -------
    ndarray of shape (n,)
        Class indices (int64; the first of equal scores) or values (float64).
    """
    return scores.argmax(axis=1).astype(np.int64) if task.classifies else scores[:, 0]


def probabilities(
    scores: NDArray[np.float64], kind: ScoreKind, temperature: float = 1.0
) -> NDArray[np.float64]:
    """Class probabilities softmax(z / T), of shape (n, k), from scores.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        What ``Teacher.scores`` returned; for probabilities p, z = log p.
    kind : ScoreKind
        What they are. Labels are returned as they are.
    temperature : float
        T (Hinton, Vinyals, Dean 2015, equation 1).

    Raises
    ------
    InvalidInput
        If T is not positive, or a temperature is asked of labels, or probabilities of values.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise InvalidInput(f"The temperature is {temperature}.", "Give a positive number.")
    if kind is ScoreKind.VALUE:
        raise InvalidInput("The teacher predicts a number.", "Use its values themselves.")
    if kind is ScoreKind.LABEL and temperature != 1.0:
        raise InvalidInput(
            f"A temperature of {temperature:g} was asked of a teacher that gives labels only.",
            "Leave the temperature at 1, or use a teacher that gives logits or probabilities.",
        )
    if kind is ScoreKind.LABEL or (kind is ScoreKind.PROBABILITY and temperature == 1.0):
        return scores
    with np.errstate(divide="ignore"):  # log 0 = -inf, which the exponential takes back to 0
        z = (np.log(scores) if kind is ScoreKind.PROBABILITY else scores) / temperature
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))

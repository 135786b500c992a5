"""Learn the wavelet in which a network's signals and gradients are sparse, and a small model on it.

Adaptive wavelet distillation (Ha, Singh, Lanusse, Upadhyayula, Yu 2021). The attribution of a
wavelet coefficient is the transform of the network's gradient (TRIM; Singh, Ha, Lanusse, Böhm,
Liu, Yu 2020), so the gradients are asked for once, and the search for the wavelet never touches
the network again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import probabilities
from limbeck.core.columns import Rows
from limbeck.core.contract import Access, MethodResult, Sampler, Teacher
from limbeck.core.errors import InvalidInput, MissingExtra, did_you_mean
from limbeck.core.progress import Progress, quiet
from limbeck.core.registry import METHODS
from limbeck.core.task import Task
from limbeck.data.splits import split_folds
from limbeck.methods.base import BaseMethod
from limbeck.methods.budgets import check_queries
from limbeck.methods.scored_queries import ScoredQueries, ask_scores
from limbeck.methods.weights import weights
from limbeck.samplers.signals import SIGNALS
from limbeck.signal.bands import Decomposition
from limbeck.signal.filters import Boundary, check_boundary, check_levels, filter_of, usual_levels
from limbeck.students.wavelet.strongest import Keep
from limbeck.students.wavelet.wavelet import WaveletStudent

if TYPE_CHECKING:
    from limbeck.signal.wavelets.gradients import InputGradients
    from limbeck.signal.wavelets.path import PathPoint

__all__ = ["AdaptiveWavelets"]

Attribution = Literal["saliency", "input_x_gradient", "differences"]
Parametrization = Literal["angles", "penalty"]
Matrix = NDArray[np.float64]
_SCORED = 2000  # rows on which the points of a path are compared
_VARIANTS, _FEW = 2000, 500  # are asked about by default, for fewer rows than these
_FOLDS = 3  # in which samplers are tried


@METHODS.register("adaptive_wavelets")
@dataclass(frozen=True)
class AdaptiveWavelets(BaseMethod):
    """Find the wavelet for what a network reads of its signals, and fit a model in it.

    Parameters
    ----------
    wavelet : str or array-like of shape (N,)
        The orthogonal wavelet to start from and to compare with. The filter found has at most as
        many taps, fewer where they serve as well.
    levels : int, optional
        Levels of the transform; by default up to 4, the coarsest band with 4 points or more.
    boundary : {"periodic", "symmetric", "zero"}
        How signals go on beyond their ends. Any length works; with "periodic" a band of odd length
        is first lengthened by one point, as PyWavelets does.
    attribution : {"saliency", "input_x_gradient", "differences"}
        What TRIM measures of a coefficient: the gradient, the gradient times the coefficient, or
        the gradient by central differences of queries. Without access to gradients saliency is
        taken by differences.
    sparsity, trim : float or sequence of float
        Weights of the sparsity of the signals and of the attributions; see
        :mod:`limbeck.signal.wavelets.loss`. Of several pairs the student with the best
        cross-validated score is taken. Sparsity 0 looks at the network alone.
    starts : int
        Random starts of the search at each length of filter.
    parametrization : {"angles", "penalty"}
        "angles" keeps the filter orthogonal; "penalty" is the authors' form, for comparison.
    epochs : int
        Passes over the rows with "penalty".
    moments : int
        Vanishing moments of the filter.
    rows : int
        Rows at most whose gradients are asked for, drawn at random; the search sees these. So its
        memory does not grow with the number of signals.
    max_queries : int
        For differences: new rows at most.
    queries : int, optional
        Variants of the signals that the teacher is asked about, on which the student is fitted
        beside the rows; by default 2,000 for fewer than 500 rows where ``max_queries`` leaves as
        many, and none for more rows.
    sampler : str or Sampler
        Where variants come from: a sampler or its name, such as ``"signal_mix"``; with ``"auto"``
        that, ``"signal_variants"``, or none, whichever students agree best with on rows left out.
    query_weight : float
        Share of the whole weight that the variants carry together.
    largest, keep, model : optional
        See :class:`limbeck.students.wavelet.wavelet.WaveletStudent`.
    shape : tuple of int, optional
        The shape of one signal: (length,), (channels, length) or (channels, height, width); by
        default that of the rows.

    Raises
    ------
    InvalidInput
        If a setting cannot be used.
    """

    into: ClassVar[str] = "wavelet"
    effort: ClassVar[float] = 8.0
    form: ClassVar[str] = "signals, images"
    default: ClassVar[bool] = True
    signals: ClassVar[bool] = True
    name: ClassVar[str] = "wavelet"
    needs: ClassVar[Access] = Access.QUERIES  # gradients are used where the teacher grants them

    wavelet: str | Sequence[float] = "db5"
    levels: int | None = None
    boundary: Boundary = "periodic"
    attribution: Attribution = "saliency"
    sparsity: float | tuple[float, ...] = 1.0
    trim: float | tuple[float, ...] = (0.0, 0.3, 1.0, 3.0, 30.0)
    starts: int = 64
    parametrization: Parametrization = "angles"
    epochs: int = 20
    moments: int = 1
    rows: int = 4096
    max_queries: int = 100_000
    queries: int | None = None
    sampler: str | Sampler = "auto"
    query_weight: float = 0.5
    largest: int | None = None
    keep: Keep | None = None
    model: Literal["linear", "additive"] = "linear"
    shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_boundary(self.boundary)
        for name, allowed in (
            ("attribution", get_args(Attribution)),
            ("parametrization", get_args(Parametrization)),
        ):
            if getattr(self, name) not in allowed:
                said = str(getattr(self, name))
                raise InvalidInput(f"There is no {name} {said!r}.", did_you_mean(said, allowed))
        for name in ("starts", "epochs", "moments", "rows", "max_queries"):
            if not (isinstance(getattr(self, name), int) and getattr(self, name) >= 1):
                raise InvalidInput(f"{name} is {getattr(self, name)!r}.", "Give 1 or more.")
        check_queries(self.queries, self.sampler, self.query_weight)
        penalties = np.concatenate([np.ravel(self.sparsity), np.ravel(self.trim)]).astype(float)
        if not (np.isfinite(penalties).all() and (penalties >= 0).all() and penalties.any()):
            raise InvalidInput(
                f"sparsity is {self.sparsity} and trim is {self.trim}.",
                "Give numbers of 0 or more, one of them above 0.",
            )

    def distill(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator, progress: Progress
    ) -> MethodResult:
        """Ask for gradients, find the wavelet, and fit the student to the teacher's answers.

        Raises
        ------
        InvalidInput
            If signals hold NaN, are all zero or too short for the levels, or the shape does not
            fit the columns.
        MissingExtra
            If torch or PyWavelets is not installed.
        """
        _torch()
        from limbeck.signal.wavelets.gradients import ask
        from limbeck.signal.wavelets.status import status_of

        transform = self._transform(rows)
        scores, task = teacher.scores(rows.native()), teacher.task
        y = _targets(scores, teacher)
        several = len(task.classes) > 2
        winners = scores.argmax(axis=1) if several else np.full(len(rows), scores.shape[1] - 1)
        asked = ask(
            teacher, rows, winners, self.rows, self.max_queries,
            self.attribution == "differences", rng, progress,
        )  # fmt: skip
        chance = rng.spawn(1)[0]
        variants = self._variants(teacher, rows, y, transform, asked.queries, chance, progress)
        learned = _Learned.of(rows, y, variants, teacher, self.query_weight)
        points, interrupted = self._search(transform, rows, asked, rng, progress)
        chosen, path = self._chosen(points, transform, learned, task, progress)
        low = points[chosen].found.low if points else transform.low
        student = learned.fit(self._student(low, transform, task))
        responds = bool(asked.gradients.any())
        trace = {
            "start": {"wavelet": self._start_name, "low": transform.low.tolist()},
            "low": low.tolist(),
            "path": path,
            "chosen": chosen,
            "gradient_rows": len(asked.at),
            "queries": asked.queries,
            "variants": len(variants.rows),
            "sampler": variants.sampler,
            "samplers_tried": variants.trials,
        }
        if points:
            from limbeck.signal.transforms.importance import importance

            x, gradients = self._signals(transform, rows, asked)
            found = points[chosen].found
            trace |= {
                "importance": importance(
                    x, gradients, low, transform.levels, self.boundary,
                    self.attribution == "input_x_gradient",
                ),
                "loss": found.loss,
                "success": points[chosen].success,
                "starts": sum(p.found.starts for p in points),
                "reached": found.reached,
                "margin": found.margin if math.isfinite(found.margin) else None,
            }  # fmt: skip
        point = points[chosen] if points else None
        status = status_of(point, responds, interrupted, self._start_name)
        rivals: dict[str, WaveletStudent] = {}
        if len(variants.rows):  # the fixed wavelet learns from the same
            fixed = learned.fit(self._student(transform.low, transform, task))
            rivals[f"fixed {self._start_name} wavelets"] = fixed
        queries = asked.queries + variants.total
        return MethodResult(student, status, queries, (student,), trace, rivals)

    def learn(
        self, rows: Rows, y: NDArray[Any], task: Task, rng: np.random.Generator
    ) -> WaveletStudent:
        """The control: a wavelet in which the signals are sparse, no TRIM, fitted to labels."""
        _torch()
        from limbeck.signal.wavelets.gradients import InputGradients

        transform = self._transform(rows)
        at = np.sort(rng.permutation(len(rows))[: self.rows])
        nothing = InputGradients(at, np.zeros((len(at), len(rows.features))))
        points, _ = self._search(transform, rows, nothing, rng, quiet)
        low = points[-1].found.low if points else transform.low
        labels = task.labels[y] if task.classifies else y
        return self._student(low, transform, task).fit(rows, labels)

    def baselines(
        self,
        teacher: Teacher,
        rows: Rows,
        answers: NDArray[Any],
        finding: MethodResult,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> dict[str, WaveletStudent]:
        """The same student taught by the teacher on the fixed wavelet; see `BaseMethod`."""
        transform = self._transform(rows)
        y = _targets(teacher.scores(rows.native()), teacher)
        student = self._student(transform.low, transform, teacher.task).fit(rows, y)
        return {f"fixed {self._start_name} wavelets": student}

    def _variants(
        self,
        teacher: Teacher,
        rows: Rows,
        y: Matrix,
        transform: Decomposition,
        spent: int,
        rng: np.random.Generator,
        progress: Progress,
    ) -> ScoredQueries:
        """Variants of the signals with the teacher's scores, or none where they do not help."""
        n = self.queries
        if n is None:
            room = self.max_queries - spent
            n = _VARIANTS if len(rows) < _FEW and room >= _VARIANTS else 0
        fold, task = split_folds(rows.values, rng), teacher.task

        def agreement(asked: ScoredQueries) -> float:
            found = []
            for at in range(_FOLDS):
                held, near = fold == at, asked.touched(fold, at)
                if not held.any() or held.all():
                    continue
                far = np.flatnonzero(~near)
                part = replace(
                    asked, rows=asked.rows[far], scores=asked.scores[far],
                    sources=asked.sources[far],
                )  # fmt: skip
                learned = _Learned.of(
                    rows[np.flatnonzero(~held)], y[~held], part, teacher, self.query_weight,
                    np.flatnonzero(~held),
                )  # fmt: skip
                plain = self._student(transform.low, transform, task)
                plain.set_params(keep=self.keep or "place", largest=self.largest or 8)
                student = learned.fit(plain)
                found.append(_closeness(student, rows[np.flatnonzero(held)], y[held], y))
            return float(np.concatenate(found).mean()) if found else 0.0

        outputs = len(task.classes) or 1
        return ask_scores(
            teacher, rows, n, self.sampler, agreement, outputs, rng, progress, SIGNALS
        )

    @property
    def _start_name(self) -> str:
        return self.wavelet if isinstance(self.wavelet, str) else "given"

    def _transform(self, rows: Rows) -> Decomposition:
        """The transform by the wavelet of the start, once rows and settings are checked."""
        d = len(rows.features)
        shape = self.shape or rows.features.shape or (d,)
        if math.prod(shape) != d:
            raise InvalidInput(
                f"shape is {shape}, and the signals have {d} columns.",
                "Give the shape of one signal.",
            )
        gap = np.isnan(rows.values)
        if gap.any():
            row, column = np.argwhere(gap)[0]
            raise InvalidInput(
                f"{int(gap.any(axis=1).sum())} signals hold missing values (NaN); the first is"
                f" signal {int(row)}, at position {int(column)}.",
                "Fill the gaps, for example by interpolation, or drop such signals.",
            )
        levels = usual_levels(shape) if self.levels is None else self.levels
        check_levels(levels, shape)
        low = filter_of(self.wavelet)
        if self.moments > len(low) // 2:
            raise InvalidInput(
                f"moments is {self.moments} for a filter of {len(low)} taps.",
                f"Give at most {len(low) // 2}.",
            )
        return Decomposition(low, levels, self.boundary, shape)

    def _search(
        self,
        transform: Decomposition,
        rows: Rows,
        asked: InputGradients,
        rng: np.random.Generator,
        progress: Progress,
    ) -> tuple[list[PathPoint], bool]:
        """The points of the path, as far as they were reached, and whether it was interrupted."""
        from limbeck.signal.wavelets.learning import Learning

        learning = Learning(
            transform.levels, self.boundary, self.sparsity, self.trim,
            self.attribution == "input_x_gradient", self.starts, self.moments,
            self.epochs if self.parametrization == "penalty" else None,
        )  # fmt: skip
        signals = self._signals(transform, rows, asked)
        points = learning.run(*signals, transform.low, rng, progress)
        done: list[PathPoint] = []
        try:
            for point in points:
                done.append(point)
        except KeyboardInterrupt:
            return done, True
        return done, False

    def _signals(
        self, transform: Decomposition, rows: Rows, asked: InputGradients
    ) -> tuple[Matrix, Matrix]:
        """Signals and gradients as (m, C, L) or (m, C, H, W)."""
        shape = transform.shape if len(transform.shape) > 1 else (1, *transform.shape)
        return (
            rows.values[asked.at].reshape(-1, *shape),
            asked.gradients.reshape(-1, *shape),
        )

    def _student(self, low: Matrix, transform: Decomposition, task: Task) -> WaveletStudent:
        return WaveletStudent(
            low=low, levels=transform.levels, boundary=self.boundary, shape=transform.shape,
            largest=self.largest, keep=self.keep, model=self.model, task=task,
        )  # fmt: skip

    def _chosen(
        self,
        points: list[PathPoint],
        transform: Decomposition,
        learned: _Learned,
        task: Task,
        progress: Progress,
    ) -> tuple[int, list[dict[str, Any]]]:
        """The point whose linear student predicts best, cross-validated, and all for the trace."""
        linear = replace(self, model="linear")
        scores: list[float] = []
        try:
            for i, p in enumerate(points if len(points) > 1 else []):
                progress("students of the path", i, len(points))
                student = linear._student(p.found.low, transform, task)
                scores.append(max(t["score"] for t in learned.compare(student)))
        except KeyboardInterrupt:
            pass  # those that are scored are compared
        path = [
            {
                "sparsity": p.sparsity, "trim": p.trim, "loss": p.found.loss,
                "signals": p.signals, "attributions": p.attributions, "kept": p.kept,
                "taps": len(p.found.low), "success": p.success, "score": score,
            }
            for p, score in itertools.zip_longest(points, scores)
        ]  # fmt: skip
        return int(np.argmax(scores)) if scores else 0, path


@dataclass(frozen=True, eq=False)
class _Learned:
    """Rows and variants, what the teacher says of them, and how much each counts.

    ``groups`` keeps a row and its variants in one fold of cross-validation.
    """

    rows: Rows
    y: Matrix
    weight: Matrix
    groups: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        rows: Rows,
        y: Matrix,
        variants: ScoredQueries,
        teacher: Teacher,
        query_weight: float,
        numbers: NDArray[np.int64] | None = None,
    ) -> _Learned:
        own = np.arange(len(rows)) if numbers is None else numbers
        if not len(variants.rows):
            return cls(rows, y, np.ones(len(rows)), own)
        theirs = _targets(variants.scores, teacher)
        near = variants.sources[:, 0] if variants.sources.shape[1] else -1 - np.arange(len(theirs))
        return cls(
            Rows(rows.features, np.vstack([rows.values, variants.rows.values])),
            np.concatenate([y, theirs]),
            weights(len(rows), len(theirs), query_weight),
            np.concatenate([own, near]),
        )

    @property
    def _groups(self) -> NDArray[np.int64] | None:
        return None if len(np.unique(self.groups)) == len(self.groups) else self.groups

    def fit(self, student: WaveletStudent) -> WaveletStudent:
        return student.fit(self.rows, self.y, self.weight, self._groups)

    def compare(self, student: WaveletStudent) -> tuple[dict[str, Any], ...]:
        few = np.arange(min(len(self.rows), _SCORED))
        groups = None if self._groups is None else self._groups[few]
        return student.compare(self.rows[few], self.y[few], self.weight[few], groups)


def _closeness(student: WaveletStudent, rows: Rows, y: Matrix, all_y: Matrix) -> Matrix:
    """For each row the share of probability that student and teacher agree on; for values R²."""
    if student.task_.classifies:
        return np.asarray(np.minimum(student.predict_proba(rows), y).sum(axis=1))
    spread = max(float(all_y.var()), 1e-30)
    return np.asarray(1.0 - (student.predict(rows) - y) ** 2 / spread)


def _targets(scores: Matrix, teacher: Teacher) -> Matrix:
    """What the student is fitted to: values (n,), or probabilities (n, k)."""
    if not teacher.task.classifies:
        return scores[:, 0]
    return probabilities(scores, teacher.score_kind)


def _torch() -> None:
    try:
        import limbeck.signal.wavelets.loss  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtra(
            "Learning wavelets needs the package torch.", "pip install 'limbeck[wavelets]'."
        ) from None

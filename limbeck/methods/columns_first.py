"""The columns that matter, found by questions; then search and stitch over these columns alone.

Where a teacher depends on a few of many columns, pairs of rows and binary search find them with
some hundred questions, however many columns there are (:mod:`limbeck.methods.junta.pairs`), and a
search over a dozen columns takes a fraction of a second where one over a thousand takes a minute.
The plan is that of exact learners of decision trees by membership queries (Bshouty and
Haddad-Zaknoon 2019, of which the abstract was read): relevant columns first, a tree over them next.
The second step here is search and stitch, not theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows
from limbeck.core.contract import Access, MethodResult, Student, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight
from limbeck.data.directions import directions
from limbeck.data.splits import few_values
from limbeck.methods.answered_rows import AllSizes, AnsweredRows, answer_rows
from limbeck.methods.budgets import query_budget
from limbeck.methods.forbidden import forbidden_columns, hide
from limbeck.methods.junta.pairs import Relevant, relevant
from limbeck.methods.junta.questions import Questions
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.search_and_stitch.settings import SearchSettings
from limbeck.students.tree.tree import Tree
from limbeck.teachers.closed import Closed

__all__ = ["ColumnsFirst", "OnColumns"]

_TOLERANCE = 0.05  # for values: answers differ when farther apart than so many deviations


@METHODS.register("columns_first")
@dataclass(frozen=True)
class ColumnsFirst(SearchAndStitch):
    """Find by questions which columns matter, then a tree over them: for few of many columns.

    With probability 1 - delta all columns left out change together at most ``epsilon`` / 2 of the
    answers to rows whose other columns are those of another row. Where more than ``max_columns``
    matter, all columns are searched, as by `SearchAndStitch`. Activations are not used. With
    ``sampler="auto"`` and columns of at most ten values each queries are drawn column by column
    (``"marginals"``): among so few different rows the neighbours of a row are its equals.

    Parameters
    ----------
    max_leaves, epsilon, leaves, queries, sampler, query_weight, layers, guide, cost, depth
        As for `limbeck.methods.search_and_stitch.settings.SearchSettings`.
    max_probes, max_clauses, patience, probe_rows, max_rows : int
        As there.
    max_depth, min_samples_leaf, forbidden, monotone
        As there; columns that matter and are forbidden are found, and not used.
    delta : float
        Probability that the columns left out matter more than is said, in (0, 1).
    max_columns : int
        The most columns that the tree may ask about.

    Raises
    ------
    InvalidInput
        If a setting is out of range, or the sampler is an object, which would draw all columns.
    """

    name: ClassVar[str] = "columns first"
    effort: ClassVar[float] = 4.0
    guarantee: ClassVar[str] = "reads all columns that matter, if few do"
    default: ClassVar[bool] = False
    needs: ClassVar[Access] = Access.QUERIES

    delta: float = 0.05
    max_columns: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.delta < 1:
            raise InvalidInput(f"delta is {self.delta}.", "Give a number between 0 and 1.")
        if self.max_columns < 1:
            raise InvalidInput(f"max_columns is {self.max_columns}.", "Give 1 or more.")
        if not isinstance(self.sampler, str):
            raise InvalidInput(
                "The sampler is an object, which draws all columns.",
                'Name a sampler, such as sampler="munge", or use method="search_and_stitch".',
            )

    def distill(
        self,
        teacher: Teacher,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        sample_weight: NDArray[np.float64] | None = None,
        class_weight: ClassWeight = None,
    ) -> MethodResult:
        """Find the columns, then the tree; see the class.

        Parameters
        ----------
        teacher, rows, rng, progress
            As in `limbeck.core.contract.Method.distill`.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts in the tree; the pairs are of the rows as they come.
        class_weight : "balanced", mapping or None
            How much rows and queries count by the teacher's class.

        Raises
        ------
        AccessDenied
            If the teacher answers stored rows only.
        """
        if Access.QUERIES not in teacher.access:
            raise AccessDenied(
                f"{teacher.name} answers stored rows only.",
                'Use method="search_and_stitch", or give a teacher that can be asked.',
            )
        forbidden_columns(rows.features, self.forbidden)  # refuses unknown names before any work
        directions(rows.features, teacher.task, self.monotone)
        budget = query_budget(teacher, self.queries)
        questions = Questions(teacher, rows, _TOLERANCE)
        found = relevant(
            questions, self.max_columns, self.epsilon / 2, self.delta, budget, rng, progress
        )
        search = replace(self._search(), queries=max(budget - questions.queries, 0))
        columns = self._usable(found.columns, rows.features)
        if found.done:
            search = self._within(search, rows.features, columns)
            lent = OnColumns(teacher, rows, columns, np.random.default_rng(rng.integers(2**63)))
            if self.sampler == "auto" and few_values(lent.rows.values):
                search = replace(search, sampler="marginals")
            result = search.distill(lent, lent.rows, rng, progress, sample_weight, class_weight)
            result = _over_all(result, rows.features, columns)
        else:
            result = search.distill(teacher, rows, rng, progress, sample_weight, class_weight)
        trace = {**result.trace, **self._found(found, questions, rows.features)}
        return replace(result, queries=result.queries + questions.queries, trace=trace)

    def all_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress
    ) -> AllSizes:
        """Trees of all sizes over the columns that matter; see `BaseMethod.all_sizes`.

        Where more than half of the columns matter these would hardly differ from the trees of
        search and stitch, and there are none.

        Parameters
        ----------
        asked, rng, progress
            As there.
        """
        teacher, rows = asked.teacher, asked.rows
        budget = query_budget(teacher, self.queries)
        questions = Questions(teacher, rows, _TOLERANCE)
        most = min(self.max_columns, len(rows.features) // 2)
        if not most:
            return AllSizes({})
        found = relevant(questions, most, self.epsilon / 2, self.delta, budget, rng, progress)
        columns = self._usable(found.columns, rows.features)
        if not found.done:
            return AllSizes({}, questions.queries)
        lent = OnColumns(teacher, rows, columns, np.random.default_rng(rng.integers(2**63)))
        sampler = "marginals" if few_values(lent.rows.values) else "munge"
        n = len(asked.queries)
        part = answer_rows(lent, lent.rows, sampler, n, rng)
        search = self._within(self._search(), rows.features, columns)
        trees = search.all_sizes(part, rng, progress).students[""]
        lifted = [_lifted(cast(Tree, tree), rows.features, columns) for tree in trees]
        return AllSizes({"": lifted}, questions.queries + n)

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Tree:
        """The control: the columns that a greedy tree on the labels asks about, then the search.

        Parameters
        ----------
        rows : Rows
            Of n rows.
        y : ndarray of shape (n,)
            Class indices or values.
        task : Task
            What they are.
        rng : numpy.random.Generator
            The source of chance.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        labels = task.labels[y] if task.classifies else y
        seen = Rows(rows.features, hide(rows.features, rows.values, self.forbidden))
        greedy = Tree(max_leaves=self.max_columns + 1, task=task).fit(seen, labels, sample_weight)
        nodes = greedy.nodes_
        columns = self._usable(nodes.feature[~nodes.is_leaf].tolist(), rows.features)
        part = _part(rows, columns)
        search = self._within(self._search(), rows.features, columns)
        tree = search.learn(part, y, task, rng, sample_weight)
        return _lifted(tree, rows.features, columns)

    def _usable(self, columns: Iterable[int], features: Features) -> list[int]:
        """Columns that matter and are not forbidden, or one that is not forbidden."""
        hidden = forbidden_columns(features, self.forbidden)
        found = sorted({j for j in columns if not hidden[j]})
        return found or [int(np.flatnonzero(~hidden)[0])]

    def _within(
        self, search: SearchAndStitch, features: Features, columns: Sequence[int]
    ) -> SearchAndStitch:
        """A search over some columns: what it is asked of others means nothing there."""
        names = {str(features.columns[j].name) for j in columns}
        kept = {name: way for name, way in self.monotone.items() if str(name) in names}
        return replace(search, forbidden=(), monotone=kept)

    def _search(self) -> SearchAndStitch:
        """The search with the same settings."""
        known = {f.name for f in fields(SearchSettings)}
        return SearchAndStitch(**{name: getattr(self, name) for name in known})

    def _found(self, found: Relevant, questions: Questions, features: Features) -> dict[str, Any]:
        """What the trace says of the columns."""
        return {
            "columns": [features.names[j] for j in found.columns] if found.done else None,
            "columns_found": len(found.columns),
            "equal_pairs": found.pairs,
            "questions_for_columns": questions.queries,
            **({"noise": found.noise} if found.noise else {}),
        }


class OnColumns(Closed):
    """A teacher as a function of some columns: the others are those of a row of the data.

    Of the first row that holds the same values in these columns, or else of a random one; so the
    user's own rows are asked about as they are.

    Parameters
    ----------
    teacher : Teacher
        It answers queries.
    rows : Rows
        The user's own, of d columns.
    columns : sequence of int
        The columns that are shown.
    rng : numpy.random.Generator
        Draws the other columns.
    """

    access = Access.SCORES | Access.QUERIES

    def __init__(
        self, teacher: Teacher, rows: Rows, columns: Sequence[int], rng: np.random.Generator
    ) -> None:
        self.teacher, self.whole, self.columns, self.rng = teacher, rows, list(columns), rng
        self.rows = _part(rows, self.columns)
        self.task, self.name = teacher.task, teacher.name
        values = self.rows.values
        self._at = {values[i].tobytes(): i for i in reversed(range(len(values)))}

    @property
    def score_kind(self) -> Any:
        """That of the teacher."""
        return self.teacher.score_kind

    def scores(self, X: Any) -> NDArray[np.float64]:
        """The teacher's scores, shape (m, k).

        Parameters
        ----------
        X : table of m rows
            Of the columns that are shown.
        """
        shown = self.rows.features.encode(X)
        drawn = self.rng.integers(len(self.whole), size=len(shown))
        at = [self._at.get(row.tobytes(), i) for row, i in zip(shown, drawn, strict=True)]
        values = self.whole.values[at]
        values[:, self.columns] = shown
        return self.teacher.scores(Rows(self.whole.features, values).native())

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"{self.name} is asked as a function of {len(self.columns)} columns, without {what}.",
            'Use method="search_and_stitch" for what layers hold.',
        )


def _part(rows: Rows, columns: Sequence[int]) -> Rows:
    """The same rows with some of their columns."""
    every = rows.features
    dtypes = tuple(every.dtypes[j] for j in columns) if every.frame else every.dtypes
    shown = Features(tuple(every.columns[j] for j in columns), frame=every.frame, dtypes=dtypes)
    return Rows(shown, np.ascontiguousarray(rows.values[:, list(columns)]))


def _lifted(tree: Tree, features: Features, columns: Sequence[int]) -> Tree:
    """A tree over some columns as one over all of them."""
    feature = np.where(tree.nodes_.is_leaf, -1, np.array(columns)[tree.nodes_.feature])
    return Tree.from_nodes(replace(tree.nodes_, feature=feature), features, tree.task_)


def _over_all(result: MethodResult, features: Features, columns: Sequence[int]) -> MethodResult:
    """A result whose trees ask about all columns."""

    def lift(student: Student) -> Tree:
        return _lifted(cast(Tree, student), features, columns)

    return replace(
        result,
        student=lift(result.student),
        frontier=tuple(map(lift, result.frontier)),
        rivals={name: lift(student) for name, student in result.rivals.items()},
    )

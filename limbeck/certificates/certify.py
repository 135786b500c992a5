"""From a student and fresh rows to a certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import wording
from limbeck.certificates.binomial import check_share, smallest_n
from limbeck.certificates.draw_bounds import DrawBounds
from limbeck.certificates.evidence import Evidence, Predictor, count
from limbeck.certificates.issue import issue
from limbeck.certificates.losses import BoundedLoss, LossFunction, choose_loss
from limbeck.certificates.streamed import certify_batches
from limbeck.certificates.tolerance import tolerance_bound
from limbeck.certificates.until import Batches, certify_until
from limbeck.core.certificate import Certificate
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import BOUNDS
from limbeck.data.cases import read_column
from limbeck.data.duplicates import Rule
from limbeck.data.row_batches import is_batched

__all__ = ["certify", "certify_all"]

MIN_ROWS = 10
"""Below 10 rows even an errorless student is certified only for an error above 25% at 95%."""

_TOLERANCE_EPSILON = 0.05


def certify(
    student: Predictor,
    rows: Any = None,
    answers: Any = None,
    *,
    delta: float = 0.05,
    epsilon: float | None = None,
    loss: str | LossFunction | None = None,
    loss_range: tuple[float, float] | None = None,
    tolerance: float | None = None,
    bound: str = "betting",
    seen: NDArray[np.uint64] | None = None,
    groups: Any = None,
    cases: Any = None,
    duplicates: Rule = "auto",
    candidates: int = 1,
    until: float | None = None,
    draws: Batches | None = None,
    max_rows: int = 1_000_000,
) -> Certificate:
    """Certify how far a student is from its teacher, from rows that it has never met.

    Classes are compared by exact binomial bounds. For regression the default is a tolerance:
    the error that at least 1 - epsilon of inputs stay within. Other losses with a known range
    get a betting or an empirical-Bernstein bound for their mean.

    Rows that are copies of each other count once. With ``cases`` it is cases that are drawn, and
    the loss of a case is the mean over its rows.

    Parameters
    ----------
    student : Predictor
        Anything with ``predict``, ``features_``, ``task_`` and ``fingerprint()``.
    rows : DataFrame, array or Rows of shape (n, d)
        Fresh rows, drawn like the inputs that the student will meet. Omit with ``draws``. A table
        that does not fit into memory may be a pattern such as ``"rows/*.parquet"``, a folder, a
        pyarrow Dataset or a Dask data frame; see `limbeck.data.row_batches.row_batches`.
    answers : array-like of shape (n,)
        The teacher's labels, or its values for regression. Omit with ``draws``. Of a table that is
        read in batches the name of its column, or the teacher's function: ``model.predict``.
    delta : float
        Probability, over the draw of the rows, that the certificate is wrong; in (0, 1).
    epsilon : float, optional
        What is asked for. The certificate says whether it was reached; for a tolerance it is
        the share of inputs that may exceed it (0.05 unless told).
    loss : str or callable, optional
        ``disagreement`` (default for classes), ``tolerance`` (default for regression),
        ``absolute``, ``squared``, or ``loss(predicted, answers) -> (n,)``.
    loss_range : tuple of float, optional
        The range that the loss can never leave; needed for all but the first two.
    tolerance : float, optional
        A tolerance fixed beforehand, in units of the answer: the share of inputs that exceed it
        is bounded. Without it the tolerance is found.
    bound : str
        For losses that are not counts: ``betting``, ``empirical-bernstein``, or a bound that
        another package registers.
    seen : ndarray of uint64, optional
        Hashes of the rows that training saw (`row_hashes`, repeats kept), (m,), or with those of
        their cases as a second column (`limbeck.data.cases.case_hashes`). Rows that training saw
        are refused; see `limbeck.certificates.fingerprint.seen_among`.
    groups : array-like of shape (n,), optional
        A label for each row; of a table that is read in batches the name of their column. Each of
        g groups gets a bound at delta / g; they hold all at once with probability 1 - delta, and
        so does the overall bound, each of the two on its own. Where the tolerance is found from
        the rows, the group bounds use the inequality of Dvoretzky, Kiefer and Wolfowitz (Massart
        1990), which holds for every tolerance at once.
    cases : array-like of shape (n,) or str, optional
        The case that each row belongs to, such as a patient, or the name of its column: rows of
        a case may depend on each other, cases may not. Bounds are then those for bounded losses
        (``bound``); where the tolerance is found, one row of each case is drawn for it. With
        ``until`` a column name, or ``draws`` gives (rows, answers, cases), whole cases in a batch.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are. By default they are copies, which count once, where a value in a
        continuous column marks them, and draws of their own where not, as in discrete columns;
        see `limbeck.data.duplicates.find_duplicates`. ``drop`` takes all for copies, ``keep``
        none. With ``until`` copies are refused.
    candidates : int
        Students compared on these rows; each gets delta / candidates. See `certify_all`.
    until : float, optional
        Draw from ``draws`` only until the mean loss is certified to be at most this.
    draws : iterator of (rows, answers), optional
        Batches of fresh rows with the teacher's answers.
    max_rows : int
        With ``until``: stop here, with whatever bound was reached.

    Returns
    -------
    Certificate
        The numbers, the sentence, and what must be true for it.

    Raises
    ------
    InvalidInput
        If a number is outside its range, the rows are too few or were seen in training, or
        answers, groups and loss do not fit rows and student.

    Examples
    --------
    >>> import numpy as np
    >>> from limbeck import certify
    >>> from limbeck.students import Tree
    >>> X = np.arange(40.0).reshape(-1, 1)
    >>> student = Tree(max_leaves=2).fit(X, X[:, 0] > 20)
    >>> fresh = X + 0.25
    >>> round(certify(student, fresh, fresh[:, 0] > 20.5).epsilon, 3)
    0.072
    """
    check_share("delta", delta)
    if candidates < 1:
        raise InvalidInput(f"candidates is {candidates}.", "Give how many students, 1 or more.")
    chosen = choose_loss(loss, loss_range, tolerance, student.task_)
    if until is not None or draws is not None:
        if until is None or draws is None or rows is not None or answers is not None:
            raise InvalidInput(
                "until and draws go together, and instead of rows and answers.",
                "Give until=0.01 and draws=batches, or rows and answers.",
            )
        _check_beside_until(groups=groups, epsilon=epsilon)
        return certify_until(
            student, draws, chosen, until, delta, candidates=candidates, seen=seen, limit=max_rows,
            cases=cases, duplicates=duplicates,
        )  # fmt: skip
    if rows is None or answers is None:
        raise InvalidInput(
            "There are no rows or no answers.", "Give fresh rows and the teacher's answers to them."
        )
    of_means = BOUNDS.get(bound)
    _check_size(MIN_ROWS, epsilon, chosen, delta / candidates)  # before any work
    if is_batched(rows):
        return certify_batches(
            student, rows, answers, chosen, delta, epsilon=epsilon, candidates=candidates,
            seen=seen, duplicates=duplicates, bound=bound, least=MIN_ROWS,
            groups=groups, cases=cases,
        )  # fmt: skip
    if chosen.finds_tolerance and epsilon is None:
        epsilon = _TOLERANCE_EPSILON
    n, level = count(rows), delta / candidates
    _check_size(n, epsilon, chosen, level)
    labels = None if groups is None else _group_labels(groups, n)
    case_of = read_column(cases, rows, "cases")

    evidence = Evidence(student, chosen, seen, duplicates)
    evidence.record(rows, answers, n, case_of)
    draws_n = evidence.units.count
    _check_size(draws_n, epsilon, chosen, level, n, "cases" if evidence.has_cases else "rows")
    evidence.freshness()  # refuses before the student is asked
    losses, exact = evidence.measure(rows, answers), chosen.counts and not evidence.has_cases
    bounds = DrawBounds(evidence, losses, chosen, bound, exact)
    if epsilon is not None and chosen.finds_tolerance:
        tolerance, _ = tolerance_bound(bounds.losses(), epsilon, level)
        beyond = np.asarray(losses > tolerance, dtype=np.float64)
        bounds = replace(bounds, losses_of_rows=beyond)
    own, plan = bounds.losses(), None
    if epsilon is not None and chosen.finds_tolerance:
        value, name = epsilon, wording.ORDER_STATISTIC
    else:
        value = bounds.mean(own, level)
        name = wording.CLOPPER_PEARSON if exact else of_means.title
        if epsilon is not None and value > epsilon:
            plan = bounds.plan(own, epsilon, level)
    return issue(
        evidence, epsilon=value, delta=delta, n=len(own), mean=float(own.mean()), bound=name,
        asked=epsilon, tolerance=tolerance, candidates=candidates,
        groups=() if labels is None else bounds.groups(labels, level),
        plan=plan, settings={"bound": bound},
    )  # fmt: skip


def _check_beside_until(**given: Any) -> None:
    """Refuse what a certificate of drawn batches has no place for."""
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(
                f"{name} has no meaning with until.", "Leave it out, or give rows and answers."
            )


def certify_all(
    students: Sequence[Predictor], rows: Any, answers: Any, *, delta: float = 0.05, **settings: Any
) -> tuple[Certificate, ...]:
    """Certify several candidates on one holdout; all certificates hold at once.

    Each of c candidates gets delta / c (Bonferroni), so that the best may be chosen afterwards.

    Parameters
    ----------
    students : sequence of Predictor
        The candidates, c of them, all fixed before these rows were looked at.
    rows, answers, delta
        As for `certify`.
    **settings
        As for `certify`, but for ``candidates``, ``until`` and ``draws``.

    Returns
    -------
    tuple of Certificate
        One per candidate, in their order.

    Raises
    ------
    InvalidInput
        If there is no candidate, or as for `certify`.
    """
    if not students:
        raise InvalidInput("There is no student to certify.", "Give at least one.")
    c = len(students)
    return tuple(certify(s, rows, answers, delta=delta, candidates=c, **settings) for s in students)


def _group_labels(groups: Any, n: int) -> NDArray[Any]:
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InvalidInput(
            f"The groups have shape {labels.shape} for {n} rows.", "Give one label per row, (n,)."
        )
    return np.array([str(v) for v in labels])


def _check_size(
    n: int,
    epsilon: float | None,
    loss: BoundedLoss,
    level: float,
    given: int | None = None,
    what: str = "rows",
) -> None:
    if epsilon is not None and loss.counts:
        check_share("epsilon", epsilon)
    elif epsilon is not None and not loss.low < epsilon < loss.high:
        raise InvalidInput(
            f"epsilon is {epsilon}, outside the range of the loss ({loss.low}, {loss.high}).",
            "Ask for a mean loss within that range.",
        )
    if n < MIN_ROWS:
        goal = epsilon if epsilon is not None and loss.counts else 0.05
        there = f"There are {n} {what}, and"
        if given is not None and what == "rows":
            there = (
                f"There are {n} different rows of {given:,}, which are copies of each other, and"
            )
        raise InvalidInput(
            f"{there} fewer than {MIN_ROWS} certify next to nothing.",
            f"For an error of at most {goal:.6g} give {smallest_n(goal, level):,} fresh {what} or"
            " more.",
        )

"""Certificates that ask the teacher where the student is in doubt, and seldom elsewhere.

Row i is asked about with a probability p(x_i), never below a least one. The loss over this
probability, where the row was asked about, and 0 where not, has the mean of the loss itself; and
its variance is least for p in proportion to the root of the expected squared loss (Zrnic and
Candes 2024, arXiv 2403.03208, sections 2 and 3). It lies in [0, 1 / least], so that the bound for
bounded losses that holds at every row at once (`AnytimeBound`) holds for it, at any n.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import wording
from limbeck.certificates.active_sampling import doubts_of, probabilities
from limbeck.certificates.binomial import check_share
from limbeck.certificates.bounded import to_unit
from limbeck.certificates.evidence import Evidence, Predictor, count, take
from limbeck.certificates.issue import issue
from limbeck.certificates.losses import BoundedLoss, LossFunction, choose_loss
from limbeck.certificates.sequential import AnytimeBound
from limbeck.core.certificate import Certificate
from limbeck.core.errors import InvalidInput
from limbeck.data.duplicates import Rule

__all__ = ["ActiveCertificate", "certify_active", "recompute_active"]

_BLOCK = 50


@dataclass(frozen=True)
class ActiveCertificate:
    """A certificate, and what was asked for it.

    Parameters
    ----------
    certificate : Certificate
        Its ``n`` counts rows, its ``settings["active"]["asked"]`` questions.
    asked : ndarray of shape (n,), bool
        The rows that the teacher was asked about.
    answers : ndarray of shape (n,)
        Its answers; None where it was not asked. Keep them to verify the certificate.
    """

    certificate: Certificate
    asked: NDArray[np.bool_]
    answers: NDArray[Any]


def certify_active(
    student: Predictor,
    rows: Any,
    teacher: Callable[[Any], Any],
    *,
    until: float,
    delta: float = 0.05,
    share: float = 0.3,
    least: float = 0.2,
    doubt: Any = None,
    seed: int = 0,
    loss: str | LossFunction | None = None,
    loss_range: tuple[float, float] | None = None,
    tolerance: float | None = None,
    seen: NDArray[np.uint64] | None = None,
    duplicates: Rule = "auto",
    candidates: int = 1,
) -> ActiveCertificate:
    """Certify a student with few questions to its teacher, where many rows have no answer yet.

    Rows are gone through in their order. Each is asked about by chance, more often where the
    student is in doubt, until the mean loss is certified to be at most ``until`` or the rows
    end. The bound holds wherever one stops, and whatever the doubt is worth: doubt that says
    nothing costs questions, never the guarantee.

    Parameters
    ----------
    student : Predictor
        As for `certify`.
    rows : DataFrame, array or Rows of shape (n, d)
        Fresh rows, independent draws from the inputs that the student will meet. Copies of
        earlier rows are left out.
    teacher : callable
        Gives the answers (m,) to some of the rows, as ``teacher(rows[places])``.
    until : float
        The mean loss to certify, in units of the loss.
    delta : float
        Probability, over rows and chance, that the certificate is wrong; in (0, 1).
    share : float
        Questions a row on average that are aimed at; in (0, 1].
    least : float
        The least probability with which a row is asked about; in (0, share]. Small ones save
        questions where losses are rare among rows without doubt, and take more rows.
    doubt : array-like of shape (n,), optional
        How likely each row is to have a loss, 0 or more; only ratios count. By default 1 less the
        largest probability of the student's ``predict_proba``.
    seed : int
        Of the chance by which rows are asked about; choose it before.
    loss, loss_range, tolerance, seen, duplicates, candidates
        As for `certify`. A tolerance must be fixed.

    Returns
    -------
    ActiveCertificate
        The certificate, and the answers for `verify`.

    Raises
    ------
    InvalidInput
        If a number is out of range, there is no doubt to go by, or as for `certify`.

    Examples
    --------
    >>> import numpy as np
    >>> from limbeck.students import Tree
    >>> X = np.random.default_rng(0).random((4000, 2))
    >>> def teacher(rows):
    ...     return (rows.sum(axis=1) > 1).astype(int)
    >>> tree = Tree(max_leaves=16).fit(X[:1000], teacher(X[:1000]))
    >>> found = certify_active(tree, X[1000:], teacher, until=0.1)
    >>> found.certificate.reached
    True
    >>> found.certificate.n, found.certificate.settings["active"]["asked"]
    (417, 114)
    """
    chosen = choose_loss(loss, loss_range, tolerance, student.task_)

    def ask(places: NDArray[np.int64]) -> Any:
        return teacher(take(rows, places))

    return _certify(
        student, rows, ask, chosen, until=until, delta=delta, share=share, least=least,
        doubt=doubt, seed=seed, seen=seen, duplicates=duplicates, candidates=candidates,
    )  # fmt: skip


def recompute_active(
    stated: Certificate,
    student: Predictor,
    rows: Any,
    answers: Any,
    loss: BoundedLoss,
    doubt: Any,
    seen: NDArray[np.uint64] | None,
) -> Certificate:
    """The certificate that `certify_active` gives with stored answers.

    Parameters
    ----------
    stated : Certificate
        What is claimed, with its settings.
    student, rows : object
        As for `certify_active`, all rows in their order.
    answers : array-like of shape (n,)
        The answers; what stands where the teacher was not asked does not matter.
    loss : BoundedLoss
        The loss.
    doubt, seen : object
        As for `certify_active`.

    Raises
    ------
    InvalidInput
        If answers lack where the teacher was asked, or the doubt does.
    """
    active = stated.settings["active"]
    told = np.empty(len(answers), dtype=object)
    told[:] = list(answers)
    if len(told) != count(rows):
        raise InvalidInput(
            f"There are {len(told)} answers for {count(rows)} rows.",
            "Give all rows, and None where the teacher was not asked.",
        )
    if not active["own_doubt"] and doubt is None:
        raise InvalidInput(
            "Rows were chosen by a doubt that is not the student's own.", "Give it as doubt=..."
        )

    def ask(places: NDArray[np.int64]) -> Any:
        found = [v.item() if isinstance(v, np.generic) else v for v in told[places]]
        return None if any(v is None for v in found) else found

    return _certify(
        student, rows, ask, loss, until=active["until"], delta=stated.delta,
        share=active["share"], least=active["least"], seed=active["seed"], seen=seen,
        doubt=None if active["own_doubt"] else doubt,
        duplicates=stated.settings.get("duplicates", "auto"),
        candidates=stated.settings.get("candidates", 1),
    ).certificate  # fmt: skip


def _certify(
    student: Predictor,
    rows: Any,
    ask: Callable[[NDArray[np.int64]], Any],
    loss: BoundedLoss,
    *,
    until: float,
    delta: float,
    share: float,
    least: float,
    doubt: Any,
    seed: int,
    seen: NDArray[np.uint64] | None,
    duplicates: Rule,
    candidates: int,
) -> ActiveCertificate:
    _check(loss, until, delta, share, least, candidates)
    given = count(rows)
    doubts = doubts_of(student, rows, doubt)
    first = _fresh(student, rows, loss, seen, duplicates)
    chance = probabilities(doubts[first], share, least)
    picked = np.random.default_rng(seed).random(len(first)) < chance
    width = loss.high - loss.low
    anytime = AnytimeBound((until - loss.low) / width * least, delta / candidates)
    answers = np.full(given, None, dtype=object)
    evidence = Evidence(student, loss)
    for start in range(0, len(first), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(first)))
        asked = block[picked[block]]
        losses = np.zeros(len(block))
        if len(asked):
            told = ask(first[asked])
            if told is None:  # the answers that are stored end here
                break
            measured = evidence.measure(take(rows, first[asked]), told)
            losses[asked - start] = to_unit(measured, loss.low, loss.high)
            answers[first[asked]] = list(told)
        # of a loss in [0, 1]: over chance it lies in [0, 1 / least], and times least in [0, 1]
        if anytime.update(losses * (least / chance[block])):
            break
    n = anytime.n
    if not n:
        raise InvalidInput(
            "There is no answer to the first rows that the teacher is asked about.",
            "Give the answers that certify_active returned, and the rows in their order.",
        )
    filler = _filler(student)
    own = Evidence(student, loss, seen, duplicates)
    own.record(take(rows, first[:n]), [filler if a is None else a for a in answers[first[:n]]], n)
    bound = min(loss.high, loss.low + width * anytime.bound / least)
    certificate = issue(
        own,
        epsilon=min(bound, until) if anytime.certified else bound,
        delta=delta,
        n=n,
        mean=loss.low + width * anytime.mean / least,
        bound=wording.ACTIVE,
        asked=until,
        tolerance=loss.tolerance,
        candidates=candidates,
        settings={
            "copies": given - len(first),
            "active": {
                "until": until,
                "share": share,
                "least": least,
                "seed": seed,
                "asked": int(picked[:n].sum()),
                "own_doubt": doubt is None,
            },
        },
    )
    return ActiveCertificate(certificate, np.array([a is not None for a in answers]), answers)


def _check(
    loss: BoundedLoss, until: float, delta: float, share: float, least: float, candidates: int
) -> None:
    check_share("delta", delta)
    if not 0 < least <= share <= 1:
        raise InvalidInput(
            f"least is {least} and share is {share}.", "Give 0 < least <= share <= 1."
        )
    if candidates < 1:
        raise InvalidInput(
            f"candidates is {candidates}.", "Give the number of students, 1 or more."
        )
    loss.check_goal(until, "are chosen")


def _filler(student: Predictor) -> Any:
    """What stands in the fingerprint for an answer that was not asked for."""
    return student.task_.classes[0] if student.task_.classifies else 0.0


def _fresh(
    student: Predictor, rows: Any, loss: BoundedLoss, seen: NDArray[np.uint64] | None, rule: Rule
) -> NDArray[np.int64]:
    """The rows that copy no earlier one; refuses rows that training saw before any question."""
    n = count(rows)
    if n < 1:
        raise InvalidInput("There is no row.", "Give fresh rows.")
    evidence = Evidence(student, loss, seen, rule)
    evidence.record(rows, [_filler(student)] * n, n)
    evidence.freshness()
    first = evidence.duplicates.first
    return np.flatnonzero(first == np.arange(n))

"""Distil a teacher that gives texts several labels at once: a student for each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from limbeck.api.distill_table import TableSteps
from limbeck.api.prepare.table import Request
from limbeck.api.steps import run
from limbeck.certificates.binomial import check_share, upper_bound
from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Features
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, TeacherFailed, plural, whole_number
from limbeck.core.progress import shown
from limbeck.core.task import TaskKind
from limbeck.core.texts import are_texts, as_texts
from limbeck.methods.few_labels.method import FewLabels
from limbeck.methods.few_labels.several_labels import SeveralLabels, ask_for_labels
from limbeck.methods.text_tournament import DistillTexts
from limbeck.results.multilabel import MultilabelDistillation
from limbeck.selection.routes import method_for
from limbeck.teachers import as_teacher

__all__ = ["distill_labels_of_texts"]

_FEWEST = 40


def distill_labels_of_texts(
    teacher: Any,
    X: Any,
    y: Any = None,
    *,
    labels: Sequence[Any],
    epsilon: float = 0.05,
    delta: float = 0.05,
    holdout: Any = 0.3,
    score_kind: str | None = None,
    method: str | None = None,
    seed: int = 0,
    progress: bool | None = None,
    **settings: Any,
) -> MultilabelDistillation:
    """A student of texts for each label; see ``limbeck.distill(..., labels=[...])``.

    The teacher is asked about each different text once. Each label is distilled for itself, on the
    same texts, with its share of ``delta``; one more share is for the whole set of labels. With
    ``budget`` it is asked about so many texts only: a random sample first, then texts on which any
    label is in doubt, and a random quarter or more for the certificates.

    Parameters
    ----------
    teacher : "hf:folder", function or Teacher
        From n texts to scores of shape (n, k): probabilities from 0 to 1, or log-odds with
        ``score_kind="logit"``.
    X : list, array or Series of n texts
        The texts.
    y : array-like of shape (n, k), optional
        0 or 1 for each label. They train the controls.
    labels : sequence of k str
        What the labels are called, in the order of the columns.
    epsilon, delta : float
        The certificate that is wanted of each label, and the probability that any is wrong.
    holdout : float
        The share of texts set aside for it.
    score_kind : {"probability", "logit"}, optional
        What the numbers are; probabilities by default.
    method : str, optional
        The kind of student; the choice among kinds by default.
    seed : int
        Of the split and the students.
    progress : bool, optional
        A progress bar; by default on a terminal only.
    **settings
        Of the student, as for one label.

    Raises
    ------
    InvalidInput
        If texts, scores or labels cannot be used.
    """
    if isinstance(holdout, tuple):
        raise InvalidInput("holdout is a pair of texts and labels.", "Give a share, such as 0.3.")
    chosen = method_for("text_classifier", settings, method, epsilon=epsilon)
    if getattr(chosen, "ordered", False) is not False:
        raise InvalidInput(
            "ordered was given beside labels.", "Leave ordered out: each label is there or not."
        )
    names = [str(name) for name in labels]
    if len(set(names)) < len(names) or len(names) < 2:
        raise InvalidInput(
            f"labels is {list(labels)!r}.", "Name two labels or more, all different."
        )
    for what, share in (("epsilon", epsilon), ("delta", delta), ("holdout", holdout)):
        check_share(what, share)
    if not are_texts(X):
        raise InvalidInput("The rows are no texts.", "labels= is for texts; give a list of them.")
    texts = as_texts(X)
    known = None if y is None else _targets(y, len(texts), len(names))
    at = np.sort(np.unique(texts.astype(str), return_index=True)[1])  # each text once
    texts = texts[at]
    known = None if known is None else known[at]
    order = np.random.default_rng(whole_number("seed", seed)).permutation(len(texts))
    cut = round(holdout * len(texts))
    test, fit = np.sort(order[:cut]), np.sort(order[cut:])
    if min(len(test), len(fit)) < _FEWEST:
        raise InvalidInput(
            f"There are {plural(len(texts), 'different text')}.",
            f"Give so many that {_FEWEST} are on either side of the split.",
        )
    share = delta / (len(names) + 1)
    notes: tuple[str, ...] = ()
    if isinstance(chosen, FewLabels):
        few = _Few(chosen, epsilon, share, seed)
        texts, known, fit, test, soft, notes = few.asked(
            lambda X: _asked(teacher, as_texts(X), names, score_kind), texts, known, fit, test,
            names, progress,
        )  # fmt: skip
        chosen = few.plain
    else:
        with shown(progress) as tell:
            tell("asking the teacher", 0, 1)
            soft = _asked(teacher, texts, names, score_kind)
    parts, wrong = {}, np.zeros(len(test), dtype=bool)
    for j, name in enumerate(names):
        table = dict(zip(texts.tolist(), soft[:, j].tolist(), strict=True))
        one = as_teacher(
            _answers(table), None, example=texts[fit][:8], classes=(False, True),
            score_kind="probability",
        )  # fmt: skip
        told = None if known is None else known[:, j].astype(bool)
        aside = (texts[test], None if told is None else told[test])
        request = Request(
            one, texts[fit], None if told is None else told[fit], chosen, "text_classifier",
            epsilon, share, seed, aside, duplicates="keep",
        )  # fmt: skip
        parts[name] = run(TableSteps(request), progress)
        wrong |= parts[name].student.predict(texts[test]) != (soft[test, j] > 0.5)
    count = int(wrong.sum())
    bound = upper_bound(count, len(test), share)
    return MultilabelDistillation(parts, count, len(test), bound, delta, notes)


@dataclass(frozen=True)
class _Few:
    """The questions of a budget: a part to learn from, a part for the certificate."""

    method: FewLabels
    epsilon: float
    share: float
    seed: int

    @property
    def plain(self) -> DistillTexts:
        """The same students, of texts that have their answers."""
        own = (f.name for f in fields(DistillTexts))
        return DistillTexts(**{name: getattr(self.method, name) for name in own})

    def asked(
        self, ask: Any, texts: NDArray[Any], y: Any, fit: Any, test: Any, names: list[str],
        progress: bool | None,
    ) -> tuple[NDArray[Any], Any, Any, Any, NDArray[np.float64], tuple[str, ...]]:  # fmt: skip
        """The texts that were asked about, their labels, both sides, and the answers.

        Raises
        ------
        InvalidInput
            If the budget is too small for epsilon; said before any question.
        """
        clean = 1
        while upper_bound(0, clean, self.share) > self.epsilon:
            clean += 1
        budget, fewest = self.method.budget, clean + _FEWEST
        if budget < fewest:
            raise InvalidInput(
                f"The budget of {plural(budget, 'question')} is too small for"
                f" epsilon={self.epsilon:g}: {clean:,} are needed for the certificates where no"
                f" error is seen, and {_FEWEST} to learn from.",
                f"Give budget={fewest:,} or more, or a larger epsilon.",
            )
        for_certificate = min(max(budget // 4, clean), len(test))
        rng = np.random.default_rng(self.seed)
        test = np.sort(rng.permutation(test)[:for_certificate])
        rows = Features.of(texts[fit]).rows(texts[fit])
        teacher = SeveralLabels(ask, names, "the teacher")
        with shown(progress) as tell:
            most = budget - for_certificate
            found, note = ask_for_labels(self.method, teacher, rows, rng, most, tell)
            tell("certificate", 0, 1)
            told = teacher.scores(texts[test])
        fit = fit[found.rows]
        bill = (
            f"Bill: {plural(len(fit) + len(test), 'question')} of a budget of {budget:,}"
            f" ({len(fit):,} to learn from, {len(test):,} for the certificates)."
        )
        both = np.concatenate([fit, test])
        at = np.arange(len(both))
        return (
            texts[both], None if y is None else y[both], at[: len(fit)], at[len(fit) :],
            np.vstack([found.scores, told]), (note, bill),
        )  # fmt: skip


def _answers(known: dict[str, float]) -> Any:
    """What the teacher said of one label, by text."""

    def teacher(X: Any) -> NDArray[np.float64]:
        p = np.array([known[text] for text in X])
        return np.column_stack([1 - p, p])

    return teacher


def _asked(
    teacher: Any, texts: NDArray[Any], names: Sequence[str], score_kind: str | None
) -> NDArray[np.float64]:
    """The probability of each label, shape (n, k)."""
    if score_kind not in (None, "probability", "logit"):
        raise InvalidInput(f"score_kind is {score_kind!r}.", "Give 'probability' or 'logit'.")
    logits = score_kind == "logit"
    if isinstance(teacher, str | Teacher):
        made: Teacher = as_teacher(teacher, None, example=texts[:8])
        if made.task.kind is not TaskKind.MULTILABEL:
            raise InvalidInput(
                f"{made.name} answers with {made.task.kind}, and labels were given.",
                "Leave labels out, or give a teacher of several labels.",
            )
        said, name = made.scores(texts), made.name
        logits = made.score_kind is ScoreKind.LOGIT
    else:
        name = getattr(teacher, "__name__", type(teacher).__name__)
        ask = getattr(teacher, "predict_proba", teacher)
        try:
            said = np.asarray(ask(texts), dtype=np.float64)
        except Exception as error:  # whatever a user's function raises
            raise TeacherFailed(
                f"{name} raised {type(error).__name__}: {error}.", "Call it on the texts by itself."
            ) from error
    if said.shape != (len(texts), len(names)):
        raise InvalidInput(
            f"{name} gave an array of shape {said.shape} for {len(texts):,} texts and"
            f" {len(names)} labels.",
            "Give a column for each label.",
        )
    if not np.isfinite(said).all():
        raise InvalidInput(f"{name} gave numbers that are not finite.", "Check it.")
    if logits:
        return np.asarray(expit(said))
    if said.min() < 0 or said.max() > 1:
        raise InvalidInput(
            f"{name} gave numbers from {said.min():.3g} to {said.max():.3g}.",
            "Give probabilities from 0 to 1, or score_kind='logit'.",
        )
    return np.asarray(said)


def _targets(y: Any, n: int, k: int) -> NDArray[np.float64]:
    found = np.asarray(y, dtype=np.float64)
    if found.shape != (n, k):
        raise InvalidInput(
            f"y has the shape {found.shape} for {n:,} texts and {k} labels.",
            f"Give 0 or 1 for each: an array of shape ({n}, {k}).",
        )
    if not np.isin(found, (0, 1)).all():
        raise InvalidInput("y holds other numbers than 0 and 1.", "Multi-label targets are 0 or 1.")
    return found

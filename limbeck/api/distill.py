"""The one door: access, method, control, certificate."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import check_share
from limbeck.certificates.certify import certify
from limbeck.certificates.wording import versions
from limbeck.core.columns import Features, Rows
from limbeck.core.contract import Finding, Method, Progress, Student, Task, Teacher
from limbeck.core.contract import answers as hard_answers
from limbeck.core.errors import InvalidInput, plural, whole_number
from limbeck.core.progress import shown
from limbeck.data.cases import read_column
from limbeck.data.class_weights import ClassWeight, class_weights
from limbeck.data.duplicates import Rule
from limbeck.data.inputs import read_pair, some_rows
from limbeck.data.labels import positions, read_labels
from limbeck.data.precision import float32_note
from limbeck.data.unlabelled import (
    label_codes,
    refuse_unlabelled,
    unlabelled_note,
    with_none,
)
from limbeck.evaluation.baselines import Linear, told_constant
from limbeck.evaluation.by_class import never_predicted
from limbeck.evaluation.comparison import Comparison, Contender, compare, score
from limbeck.evaluation.holdout import set_apart
from limbeck.results.distillation import Distillation, check_saved_names
from limbeck.results.distillation_record import Holdout
from limbeck.selection.routes import method_for, refuse_without_access, resolved
from limbeck.students.targets import read_weight
from limbeck.students.tree.tree import Tree
from limbeck.teachers import as_teacher
from limbeck.teachers.order import check_order

if TYPE_CHECKING:
    from limbeck.results.network import NetworkDistillation

__all__ = ["distill"]


@overload
def distill(
    teacher: Any, X: Any = None, y: Any = None, *, into: str | Method = "tree", **settings: Any
) -> Distillation: ...
@overload
def distill(
    teacher: Any, X: Any = None, y: Any = None, *, into: Any, **settings: Any
) -> NetworkDistillation: ...


def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    data: Any = None,
    into: str | Method = "tree",
    epsilon: float = 0.05,
    delta: float = 0.05,
    holdout: float | tuple[Any, Any] = 0.3,
    groups: Any = None,
    cases: Any = None,
    duplicates: Rule = "auto",
    sample_weight: Any = None,
    class_weight: ClassWeight = None,
    classes: Any = None,
    regression: bool | None = None,
    unit: str = "",
    score_kind: str | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    names: Sequence[str] | None = None,
    output: Any = None,
    seed: int = 0,
    progress: bool | None = None,
    **settings: Any,
) -> Any:
    """Distil a teacher into a student, with a certificate and a control.

    Parameters
    ----------
    teacher : torch.nn.Module, scikit-learn estimator, callable or Teacher
        The model to distil.
    X : array-like or DataFrame of shape (n, d), or array-like of shape (n, ...)
        Rows from the distribution on which the student will be used, best not those that
        trained the teacher. A DataFrame gives names, categories and units. Signals (n, t, c) and
        images (n, c, h, w) reach the teacher in their own shape; the student names their numbers
        by position, ``x[3, 1]``. A pair ``(X, y)`` may be given instead of X and y.
    y : array-like of shape (n,), optional
        True labels or values. They train the control and score everybody; the student never
        sees them. Beside classes -1, -100, None and NaN mean that a row has no label.
    data : optional
        Another name for X, as examples of networks have it.
    into : {"tree", "junta", "wavelet"}, Method or network
        The student. For a torch module, a function that makes one, or a list of these, see
        :func:`limbeck.api.distill_network.compress`, which takes the rest of the arguments and
        returns a :class:`limbeck.results.network.NetworkDistillation`.
    epsilon, delta : float
        The certificate that is wanted: with probability 1 - delta the student differs from the
        teacher on at most a share epsilon of inputs.
    holdout : float or (X, y)
        The share of rows set aside for certificate and control, or rows of your own for it.
    groups : array-like of shape (n,) or str, optional
        A group for every row, or the name of a column: one more bound a group, all at once.
        ``"class"`` takes the teacher's class: a bound on how often the student differs where the
        teacher predicts each.
    cases : array-like of shape (n,) or str, optional
        The case that each row belongs to, such as a patient. Split, comparison and certificate
        then go by case; the loss of a case is the mean over its rows. A column that is named is
        taken out of X: neither teacher nor student sees it. With holdout rows of your own an
        array is of these, and a column must be in both.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are: by default copies where a value in a continuous column marks
        them, and draws of their own where not, as in discrete columns. All copies come to one
        side of the split, and count once in the certificate. ``drop`` takes all for copies,
        ``keep`` none; see :func:`limbeck.data.duplicates.find_duplicates`.
    sample_weight : array-like of shape (n,) or str, optional
        How much each row of X counts when student, control and baselines are made; a column that
        is named is taken out of X. Table and certificate count each holdout row once.
    class_weight : "balanced" or mapping, optional
        How much rows and queries count by class: the teacher's for the student, that of y for the
        control. ``"balanced"`` lets all classes weigh the same, so that rare ones are not lost.
    classes : sequence, optional
        The classes in the order of the teacher's outputs; from y by default.
    regression : bool, optional
        Whether the teacher predicts a number; found from teacher and y by default.
    unit : str
        The unit of a predicted number.
    score_kind : {"logit", "probability", "label", "value"}, optional
        What the teacher's outputs are; by default found from them, and said in ``notes``.
    preprocess : callable, optional
        From rows as they are in X to what the teacher takes, such as
        ``ColumnTransformer.transform``: the student then speaks of the columns of X.
    names : sequence of str, optional
        Names for the columns of an array.
    output : str or int, optional
        The name or position of the scores where a torch module returns several tensors;
        otherwise the only one that fits, which ``notes`` say.
    seed : int
        The same seed gives the same split and the same student.
    progress : bool, optional
        Show a progress bar; by default only on a terminal.
    **settings
        Settings of the method, such as ``max_leaves``, ``leaves``, ``queries``, ``layers`` for
        :class:`limbeck.methods.search_and_stitch.method.SearchAndStitch`, or those of
        :class:`limbeck.methods.adaptive_wavelets.AdaptiveWavelets`.

    Returns
    -------
    Distillation
        Prints as a table; see there.

    Raises
    ------
    InvalidInput
        If an argument or the data cannot be used.
    AccessDenied
        If the method needs more of the teacher than it grants.
    TeacherFailed
        If the teacher raises or returns no scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> forest = RandomForestClassifier(random_state=0).fit(X[::2], y[::2])
    >>> result = distill(forest, X[1::2], y[1::2], into="tree", max_leaves=4, queries=500)
    >>> result.student.size <= 4
    True
    """
    X = _given_rows(X, data)
    into = resolved(into)
    if _is_network(into):
        from limbeck.api.distill_network import compress

        refused = {
            "groups": groups, "regression": regression, "score_kind": score_kind,
            "preprocess": preprocess, "names": names, "sample_weight": sample_weight,
            "class_weight": class_weight,
        }  # fmt: skip
        for name, value in refused.items():
            if value is not None:
                raise InvalidInput(
                    f"{name} was given for a student that is a network.", f"Leave {name} out."
                )
        aside = {"test": holdout} if isinstance(holdout, tuple) else {"holdout": holdout}
        return compress(
            teacher, X, y, into=into, epsilon=epsilon, delta=delta, classes=classes, unit=unit,
            cases=cases, duplicates=duplicates, output=output, seed=seed, progress=progress,
            **aside, **settings,
        )  # fmt: skip
    started = time.perf_counter()
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    epsilon, delta = (float(f"{share:.12g}") for share in (epsilon, delta))  # 1 - 0.9 is 0.1
    seed = whole_number("seed", seed)
    if into == "tree" or getattr(into, "__name__", "") == "SearchAndStitch":
        settings.setdefault("epsilon", epsilon)
    method = method_for(into, settings)
    X, y = read_pair(X, y)
    if isinstance(holdout, tuple) and len(holdout) == 2:
        holdout = read_pair(*holdout)
    if isinstance(sample_weight, str):
        X, sample_weight = _without(X, sample_weight), read_column(sample_weight, X, "weights")
    weight = None if sample_weight is None else read_weight(sample_weight, len(X))
    by_class = isinstance(groups, str) and groups == "class"
    if by_class:
        groups = None
        _refuse_column_class(X)
    weighing = _weighing(method, sample_weight=weight, class_weight=class_weight)
    features = Features.of(X if not isinstance(cases, str) else _without(X, cases), names)
    check_saved_names(features.names, groups, cases)
    labels_given, y = y, read_labels(y, len(X), missing=True)
    apart = set_apart(
        X, y, groups, holdout, seed, features=features, cases=cases, duplicates=duplicates,
        weight=weight,
    )  # fmt: skip
    fit, test, fit_rows, test_rows = apart.fit, apart.test, apart.fit_rows, apart.test_rows
    said = {"classes": classes, "regression": regression, "unit": unit or None,
            "score_kind": score_kind, "preprocess": preprocess, "output": output}  # fmt: skip
    known = y is not None or classes is not None
    example = some_rows(fit.X, 256 if known else 2048)  # the outputs tell what they are
    given = {k: v for k, v in said.items() if v is not None}
    wrapped = as_teacher(teacher, labels_given, example=example, **given)
    refuse_without_access(method, wrapped)
    if regression is None and not wrapped.task.classifies:
        refuse_unlabelled(y)
    fit_y, test_y = label_codes(fit.y, test.y, wrapped.task)
    notes = [getattr(wrapped, "note", ""), unlabelled_note(fit_y, test_y, task=wrapped.task)]
    if fit_y is not None and wrapped.task.classifies:
        labelled = fit_y >= 0
        some = some_rows(fit.take(np.flatnonzero(labelled)).X, 1000)
        notes.append(check_order(wrapped, some, some_rows(fit_y[labelled], 1000)))
    streams = np.random.default_rng(seed).spawn(3)
    with shown(progress) as tell:
        if weight is not None:
            weighing["sample_weight"] = fit.weight
        finding = method.distill(wrapped, fit_rows, streams[0], tell, **weighing)
        tell("asking the teacher about the holdout rows", 0, 1)
        answers = hard_answers(wrapped.scores(features.in_order(test.X)), wrapped.task)
        labels = _named(answers, wrapped.task)
        by = np.array([str(c) for c in labels]) if wrapped.task.classifies else None
        if by_class and by is None:
            raise InvalidInput(
                "groups='class' was given for a teacher that predicts a number.",
                "Give groups of the rows, or leave groups out.",
            )
        tell("certificate", 0, 1)
        certificate = certify(
            finding.student,
            test_rows,
            labels,
            delta=delta,
            epsilon=epsilon,
            seen=apart.seen,
            groups=by if by_class else test.groups,
            cases=test.cases,
            duplicates=apart.duplicates,
        )
        once = apart.once
        test_y = None if test_y is None else test_y[once]
        comparison = _control(
            method, wrapped, finding, fit_rows, fit_y, test_rows[once], answers[once],
            test_y, None if test.cases is None else test.cases[once], delta, streams[1:], tell,
            fit.weight, class_weight,
        )  # fmt: skip
        notes.append(never_predicted(comparison.classes, len(once)))
    said_of_rows = _predicted(finding.student, fit_rows, wrapped.task)
    status = told_constant(
        finding.status, said_of_rows, answers, wrapped.task, epsilon, certificate.reached
    )
    if hasattr(finding.student, "rules"):
        notes.append(float32_note(fit_rows))
    return Distillation(
        student=finding.student,
        status=status,
        certificate=certificate,
        comparison=comparison,
        frontier=_frontier(
            finding.frontier, finding.trace, test_rows[once], answers[once], wrapped.task
        ),
        queries=finding.queries,
        rows_seen=len(fit_rows),
        trace={**finding.trace, **apart.facts},
        settings={
            "into": into if isinstance(into, str) else method.name,
            "method": repr(method),
            "teacher": wrapped.name,
            "epsilon": epsilon,
            "delta": delta,
            "seed": seed,
            "seconds": round(time.perf_counter() - started, 3),
            "versions": {
                "python": platform.python_version(),
                **versions("scikit-learn", "pandas"),
            },
        },
        holdout=Holdout(
            test_rows,
            labels,
            with_none(test.y),
            by if by_class else test.groups,
            apart.seen,
            test.cases,
        ),
        notes=tuple(n for n in notes if n),
    )


def _without(X: Any, column: str) -> Any:
    """A table without the column that names cases."""
    read_column(column, X, "cases")  # refuses what is not there
    return X.drop(columns=column)


def _given_rows(X: Any, data: Any) -> Any:
    """The rows, by one of their two names."""
    if X is None and data is None:
        raise InvalidInput("There are no rows.", "Give them as X, or as data.")
    if X is not None and data is not None:
        raise InvalidInput("Rows were given as X and as data.", "Give them once.")
    return data if X is None else X


def _refuse_column_class(X: Any) -> None:
    """Refuse groups="class" where a column is called so."""
    if "class" in list(getattr(X, "columns", ())):
        raise InvalidInput(
            "groups is 'class', which may be a column of X or the classes of the teacher.",
            "Give groups=X['class'] for the column; rename it for the teacher's classes.",
        )


def _weighing(method: Method, **given: Any) -> dict[str, Any]:
    """Weights that were given, or why the method cannot use them."""
    known = signature(method.distill).parameters
    for name, value in given.items():
        if value is not None and name not in known:
            raise InvalidInput(
                f"{name} was given, and the method {method.name!r} counts all rows alike.",
                f"Leave {name} out, or ask for into='tree' or into='junta'.",
            )
    return {name: value for name, value in given.items() if value is not None}


def _weights_by_class(
    class_weight: ClassWeight, task: Task, codes: NDArray[Any], weight: Any
) -> NDArray[np.float64] | None:
    """Weights of rows with those of their classes; None where all count alike."""
    if class_weight is None:
        return None if weight is None else np.asarray(weight)
    by_class = class_weights(class_weight, task, codes, weight)[codes]
    return np.asarray(by_class if weight is None else by_class * weight)


def _is_network(into: Any) -> bool:
    """Whether a student is a torch module, a function that makes one, or a list of these."""
    if isinstance(into, list | tuple):
        return True
    torch = sys.modules.get("torch")  # who has a module has imported torch
    if torch is not None and isinstance(into, torch.nn.Module):
        return True
    return callable(into) and not isinstance(into, str) and not hasattr(into, "distill")


def _control(
    method: Method,
    teacher: Teacher,
    finding: Finding,
    rows: Rows,
    y: NDArray[Any] | None,
    test: Rows,
    answers: NDArray[Any],
    test_y: NDArray[Any] | None,
    cases: NDArray[Any] | None,
    delta: float,
    streams: list[np.random.Generator],
    tell: Progress,
    weight: NDArray[np.float64] | None = None,
    class_weight: ClassWeight = None,
) -> Comparison:
    """Train the control and the baselines, and measure all on the holdout rows."""
    task, student = teacher.task, finding.student
    own = hard_answers(teacher.scores(rows.native()), task)
    taught = _weights_by_class(class_weight, task, own, weight)
    linear = Linear(rows.features, task).fit(rows.values, own, taught)
    if finding.rivals:
        rivals = dict(finding.rivals)
    elif hasattr(method, "rivals"):
        rivals = method.rivals(teacher, rows, streams[1])
    else:
        plain = Tree(max_leaves=max(student.size, 2), task=task)
        rivals = {"greedy tree": plain.fit(rows, _named(own, task), taught)}
    contenders = [
        Contender("teacher", teacher.name, str(getattr(teacher, "size", "")), answers),
        Contender("student", _kind(student), _size(student), _predicted(student, test, task)),
    ]
    if y is not None:
        tell("control", 0, 1)
        labelled = np.flatnonzero(y >= 0) if task.classifies else np.arange(len(y))
        known = None if weight is None else weight[labelled]
        learnt = _weights_by_class(class_weight, task, y[labelled], known)
        weighing: dict[str, Any] = {} if learnt is None else {"sample_weight": learnt}
        control = method.learn(rows[labelled], y[labelled], task, streams[0], **weighing)
        predicted = _predicted(control, test, task)
        contenders.append(Contender("control", _kind(control), _size(control), predicted))
    contenders += [
        Contender(
            "baseline", "linear model", plural(linear.size, "weight"), linear.predict(test.values)
        ),
        *(Contender("baseline", n, _size(r), _predicted(r, test, task)) for n, r in rivals.items()),
    ]
    compared = compare(contenders, answers, test_y, task, delta, cases)
    return compared.with_best_of(list(finding.rivals))


def _predicted(student: Any, rows: Rows, task: Task) -> NDArray[Any]:
    found = positions(np.asarray(student.predict(rows)), task)
    assert found is not None  # noqa: S101  (labels were given)
    return found


def _named(answers: NDArray[Any], task: Task) -> NDArray[Any]:
    return task.labels[answers] if task.classifies else answers


def _kind(student: Any) -> str:
    return type(student).__name__.lower().removesuffix("student")


def _size(student: Any) -> str:
    many = getattr(student, "size_in", "cells")
    return plural(student.size, "leaf" if many == "leaves" else many.removesuffix("s"), many)


def _frontier(
    students: tuple[Student, ...],
    trace: Any,
    rows: Rows,
    answers: NDArray[Any],
    task: Task,
) -> tuple[dict[str, float], ...]:
    costs = dict(map(tuple, trace.get("frontier", ())))
    return tuple(
        {
            "size": student.size,
            "cost": costs.get(student.size, float("nan")),
            "agreement": score(_predicted(student, rows, task), answers, task),
        }
        for student in students
    )

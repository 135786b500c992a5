"""Distil a teacher into any student: a readable one by the pipeline, or a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from limbeck.api.distill_labels import FewLabelsSteps
from limbeck.api.distill_table import TableSteps
from limbeck.api.prepare.table import Request
from limbeck.api.prepare.text_columns import naming_columns
from limbeck.api.settings import (
    AdditiveArguments,
    JuntaArguments,
    MOfNArguments,
    NetworkArguments,
    RuleListArguments,
    RulesArguments,
    ScorecardArguments,
    SumArguments,
    TextArguments,
    TreeArguments,
    WaveletArguments,
)
from limbeck.api.steps import run
from limbeck.certificates.binomial import check_share
from limbeck.core.contract import Method
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.images import are_image_paths, images_of
from limbeck.core.pieces import keeping
from limbeck.core.whole_folder import check_folder
from limbeck.data.class_weights import ClassWeight
from limbeck.data.duplicates import Rule
from limbeck.methods.composed import Composed
from limbeck.methods.few_labels.few_rows import FewRows
from limbeck.methods.few_labels.method import FewLabels
from limbeck.networks.pruning.pruned import Pruned
from limbeck.results.distillation import Distillation
from limbeck.results.generated_record import GeneratedRecord
from limbeck.selection.routes import (
    leads_to_hybrid,
    leads_to_network,
    method_for,
    reads_texts,
    resolved,
)
from limbeck.selection.via import by_way_of

if TYPE_CHECKING:
    from limbeck.results.network import NetworkDistillation

__all__ = ["distill"]

_ABOUT_WRITTEN = (
    "The rows were written by a model, and so were those of the certificate: it is about texts that"
    " this model writes. Give holdout=(texts, labels), or holdout=(texts, None), with texts of"
    " your own."
)


@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["tree"] = "tree",
    **settings: Unpack[TreeArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["junta"],
    **settings: Unpack[JuntaArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["sparse_sum", "linear"],
    **settings: Unpack[SumArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["scorecard"],
    **settings: Unpack[ScorecardArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["additive"],
    **settings: Unpack[AdditiveArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["rule_list"],
    **settings: Unpack[RuleListArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["rules"],
    **settings: Unpack[RulesArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["m_of_n"],
    **settings: Unpack[MOfNArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["wavelet"],
    **settings: Unpack[WaveletArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Literal["text_classifier"],
    **settings: Unpack[TextArguments],
) -> Distillation: ...
@overload
def distill(
    teacher: Any, X: Any = None, y: Any = None, *, into: str | Method, **settings: Any
) -> Distillation: ...
@overload
def distill(
    teacher: Any, X: Any = None, y: Any = None, *, into: Any, **settings: Unpack[NetworkArguments]
) -> NetworkDistillation: ...


def distill(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    data: Any = None,
    into: str | Method = "tree",
    method: str | None = None,
    via: Any = None,
    epsilon: float = 0.05,
    delta: float = 0.05,
    holdout: float | tuple[Any, Any] = 0.3,
    groups: Any = None,
    cases: Any = None,
    duplicates: Rule = "auto",
    unlabelled: Any = None,
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
    out: str | Path | None = None,
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
        by position, ``x[3, 1]``. A list, array or Series of n texts for
        ``into="text_classifier"``, or what :func:`limbeck.generate` returned; a table with texts
        is read there as one text a row. A dictionary of columns or a list of dictionaries is a
        table; pairs of texts are its columns ``text`` and ``text_pair``. Of the paths of image
        files the teacher gets the paths, the student the pixels. A pair ``(X, y)`` may be given
        instead of X and y.
    y : array-like of shape (n,), optional
        True labels or values. They train the control and score everybody; the student never
        sees them. Beside classes -1, -100, None and NaN mean that a row has no label.
    data : optional
        Another name for X, as examples of networks have it.
    into : str, Method or network
        The student: ``"tree"``, ``"junta"``, ``"wavelet"``, or another that `limbeck students`
        lists; ``limbeck.networks.Pruned(size=0.5)`` cuts a network out of the teacher;
        ``"static_embedding"`` makes a table of vectors of a sentence encoder, see
        :func:`limbeck.api.distill_embedding.embed`; ``"hf:folder"`` or an objective of
        `limbeck.language` trains a smaller language model, see
        :func:`limbeck.api.distill_language.distill_language`; and ``limbeck.networks.Hybrid(...)``
        turns attention into a recurrent state, see
        :func:`limbeck.api.distill_hybrid.hybrid_from`.
        ``"auto"`` takes the one that :func:`limbeck.tournament` recommends, with its settings
        ``seconds``, ``max_numbers`` and ``among`` (names of students). For a torch
        module, a function that makes one, or a list of these, see
        :func:`limbeck.api.distill_network.compress`, which takes the rest of the arguments and
        returns a :class:`limbeck.results.network.NetworkDistillation`.
    method : str, optional
        How, where several methods lead to the student, such as ``into="tree", method="greedy"``;
        `limbeck methods` lists them. By default the student's usual one.
    via : str, Method, Distillation, or sequence of these, optional
        Students on the way: each is distilled from the one before it, as ``into="rules",
        via="tree"`` distils the teacher into a tree and the tree into rules. ``"tree:greedy"``
        names its method, and a method object its settings; an earlier result may come first, whose
        student is taken as it is (with the same rows, seed and holdout, so that it saw no row of
        the certificate). `limbeck routes` lists the ways. The
        certificate compares with the teacher itself, ``result.chain`` adds up the steps, and each
        of the two takes half of ``delta``.
    epsilon, delta : float
        The certificate that is wanted: with probability 1 - delta the student differs from the
        teacher on at most a share epsilon of inputs.
    holdout : float or (X, y)
        The share of rows set aside for certificate and control, or rows of your own for it.
    groups : array-like of shape (n,) or str, optional
        A group for every row, or the name of a column: one more bound per group, all at once.
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
    unlabelled : as X, optional
        More rows, without labels: the teacher answers them and the student learns from them; the
        control learns from the labelled rows alone. Rows of the holdout among them are refused.
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
    out : str or Path, optional
        A folder where the result is saved. What is finished of the work is kept there on the way,
        in ``unfinished``: a run that was cut off goes on with it, when the same is asked again.
    progress : bool, optional
        Show a progress bar; by default only on a terminal.
    **settings
        ``budget`` is how many rows the teacher is asked about at most, those of the certificate
        included; the student learns from those that teach most (docs/paid_teachers.md). Else
        settings of the method, such as ``max_leaves``, ``leaves``, ``queries``, ``layers`` for
        :class:`limbeck.methods.search_and_stitch.method.SearchAndStitch`, or those of
        :class:`limbeck.methods.adaptive_wavelets.AdaptiveWavelets`. Into text_classifier
        ``labels``: the names of several labels that a text may have at once, see
        :func:`limbeck.api.distill_multilabel.distill_labels_of_texts`.

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
    if out is not None:
        check_folder(out)  # before any work; the first file makes it
    into_text = writes_text(into, settings, teacher)
    if not (into_text and X is None and data is None):  # recorded logits bring their own texts
        X = _given_rows(X, data)
    if into_text:
        _refuse_for_networks(
            y=y, method=method, via=via, groups=groups, cases=cases, regression=regression,
            score_kind=score_kind, preprocess=preprocess, names=names, sample_weight=sample_weight,
            class_weight=class_weight, classes=classes, output=output, unlabelled=unlabelled,
        )  # fmt: skip
        from limbeck.api.distill_language import distill_language

        aside = {"test": holdout[0]} if isinstance(holdout, tuple) else {"holdout": holdout}
        settings |= {} if out is None else {"out": out}
        return distill_language(
            teacher, X, into=into, epsilon=epsilon, delta=delta, seed=seed, progress=progress,
            **_steps_of(into, writes=True), **aside, **settings,
        )  # fmt: skip
    written = isinstance(X, GeneratedRecord)
    if written:
        X, y = _written_rows(X, y, holdout)
    into = resolved(into)
    outputs = {
        "classes": classes, "regression": regression, "unit": unit or None,
        "score_kind": score_kind, "preprocess": preprocess, "output": output,
    }  # fmt: skip
    if isinstance(into, str) and into == "static_embedding":
        from limbeck.api.distill_embedding import embed

        _refuse_for_embeddings(
            method=method, via=via, groups=groups, cases=cases, sample_weight=sample_weight,
            class_weight=class_weight, names=names, unlabelled=unlabelled,
            **{name: value for name, value in outputs.items() if name != "score_kind"},
        )  # fmt: skip
        made = embed(
            teacher, X, y, epsilon=epsilon, delta=delta, holdout=holdout, seed=seed,
            progress=progress, **{n: value for n, value in settings.items() if value is not None},
        )  # fmt: skip
        return _saved(made, out)
    if into == "text_classifier" and settings.get("labels") is not None:
        from limbeck.api.distill_multilabel import distill_labels_of_texts

        _refuse_for_labels(
            via=via, groups=groups, cases=cases, sample_weight=sample_weight,
            class_weight=class_weight, names=names, unlabelled=unlabelled, classes=classes,
            regression=regression, preprocess=preprocess, output=output,
        )  # fmt: skip
        labelled = distill_labels_of_texts(
            teacher, X, y, epsilon=epsilon, delta=delta, holdout=holdout, score_kind=score_kind,
            seed=seed, progress=progress, method=method, **settings,
        )  # fmt: skip
        return _saved(labelled, out)
    if leads_to_hybrid(into):
        from limbeck.api.distill_hybrid import hybrid_from

        _refuse_for_networks(
            y=y, method=method, via=via, groups=groups, cases=cases, sample_weight=sample_weight,
            class_weight=class_weight, names=names, **outputs,
        )  # fmt: skip
        turned = hybrid_from(
            teacher, X, into, settings, epsilon=epsilon, delta=delta, holdout=holdout, seed=seed,
            progress=progress,
        )  # fmt: skip
        return _saved(turned, out)
    if leads_to_network(into):
        from limbeck.api.distill_network import compress

        _refuse_for_networks(
            method=method, via=via, groups=groups, regression=regression, score_kind=score_kind,
            preprocess=preprocess, names=names, sample_weight=sample_weight,
            class_weight=class_weight,
        )  # fmt: skip
        X = images_of(X) if are_image_paths(X) else X
        aside = {"test": holdout} if isinstance(holdout, tuple) else {"holdout": holdout}
        settings |= {} if out is None else {"out": out}
        return compress(
            teacher, X, y, into=into, epsilon=epsilon, delta=delta, classes=classes, unit=unit,
            cases=cases, duplicates=duplicates, unlabelled=unlabelled, output=output, seed=seed,
            progress=progress, **_steps_of(into), **aside, **settings,
        )  # fmt: skip
    if isinstance(into, str) and into == "auto":
        from limbeck.api.tournament import recommended_student

        weights = {"sample_weight": sample_weight, "class_weight": class_weight, "method": method,
                   "via": via, "unlabelled": unlabelled}  # fmt: skip
        best = recommended_student(
            teacher, X, y, weights, settings, epsilon=epsilon, delta=delta, holdout=holdout,
            groups=groups, cases=cases, duplicates=duplicates, names=names, seed=seed,
            progress=progress, **outputs | {"unit": unit},
        )  # fmt: skip
        return _saved(best, out)
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    epsilon, delta = (float(f"{share:.12g}") for share in (epsilon, delta))  # 1 - 0.9 is 0.1
    few, settings = few_rows_settings(into, settings, via)
    chosen = method_for(into, settings, method, epsilon=epsilon)
    if few:
        chosen = FewRows(chosen, **few)
    if via is not None:
        chosen = by_way_of(via, chosen, epsilon=epsilon)
    seen = chosen.seen if isinstance(chosen, Composed) else None
    request = Request(
        teacher, X, y, chosen, into if isinstance(into, str) else chosen.name, epsilon, delta,
        whole_number("seed", seed), holdout, groups, cases, duplicates, sample_weight,
        class_weight, names, outputs, unlabelled=unlabelled, seen=seen,
    )  # fmt: skip
    steps = FewLabelsSteps if isinstance(chosen, FewLabels | FewRows) else TableSteps
    with keeping(out) as pieces, naming_columns(request):
        found = run(steps(request), progress)
        if written and not isinstance(holdout, tuple):
            found = replace(found, notes=(*found.notes, _ABOUT_WRITTEN))
        if out is not None and pieces is not None:
            found.save(out)
            pieces.remove()
    return found


def _saved(found: Any, out: str | Path | None) -> Any:
    """The result, written to the folder that was given, if one was."""
    if out is not None:
        found.save(out)
    return found


def _written_rows(found: GeneratedRecord, y: Any, holdout: Any) -> tuple[list[str], Any]:
    """Generated texts; beside labelled holdout rows with the classes they were written for."""
    labelled = isinstance(holdout, tuple) and len(holdout) == 2 and holdout[1] is not None
    if y is None and labelled and all(label is not None for label in found.labels):
        return found.texts, found.labels
    return found.texts, y


def _steps_of(into: Any, *, writes: bool = False) -> dict[str, Any]:
    """The steps of a student that is not given as a network, but made from its teacher."""
    if isinstance(into, Pruned) and writes:
        from limbeck.api.distill_pruned_language import PrunedLanguageSteps

        return {"steps": PrunedLanguageSteps}
    if isinstance(into, Pruned):
        from limbeck.api.distill_pruned import PrunedSteps

        return {"steps": PrunedSteps}
    return {}


def few_rows_settings(
    into: Any, settings: dict[str, Any], via: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of `FewRows`, and those of the student's method, where there is a budget.

    Students of texts have a method of their own for it.

    Parameters
    ----------
    into : Any
        The student.
    settings : dict
        Settings by name.
    via : Any
        Students on the way; refused beside a budget.

    Raises
    ------
    InvalidInput
        If students on the way were given as well.
    """
    if settings.get("budget") is None or reads_texts(into):
        return {}, settings
    if via is not None:
        raise InvalidInput(
            "budget was given with via, whose first student would answer all questions.",
            "Leave via out, or distil into that student with the budget first.",
        )
    own = {"budget", "batch", "patience", "labelling", "compare_random"}
    few = {n: v for n, v in settings.items() if n in own and v is not None}
    return few, {n: v for n, v in settings.items() if n not in own}


def writes_text(into: Any, settings: dict[str, Any], teacher: Any = None) -> bool:
    """Whether the student is a language model: a folder of transformers, or an objective on texts.

    Parameters
    ----------
    into : Any
        The student.
    settings : dict
        With the objective, where one is given.
    teacher : Any
        Of which a cut is made: with a folder of transformers, a tokenizer or a `LanguageModel`, it
        is one that writes text.
    """
    ours = "limbeck.language."
    if isinstance(into, Pruned):
        folder = isinstance(teacher, str) and (teacher.startswith("hf:") or Path(teacher).is_dir())
        return folder or "tokenizer" in settings or type(teacher).__module__.startswith(ours)
    if isinstance(into, str) and into.startswith("hf:"):
        return True
    objective = settings.get("objective")
    return type(objective).__module__.startswith(ours)


def _given_rows(X: Any, data: Any) -> Any:
    """The rows, by one of their two names."""
    if X is None and data is None:
        raise InvalidInput("There are no rows.", "Give them as X, or as data.")
    if X is not None and data is not None:
        raise InvalidInput("Rows were given as X and as data.", "Give them once.")
    return data if X is None else X


def _refuse_for_networks(**given: Any) -> None:
    """Refuse what a student that is a network cannot be distilled with."""
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(
                f"{name} was given for a student that is a network.", f"Leave {name} out."
            )


def _refuse_for_embeddings(**given: Any) -> None:
    """Refuse what static embeddings cannot be distilled with."""
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(f"{name} was given for static embeddings.", f"Leave {name} out.")


def _refuse_for_labels(**given: Any) -> None:
    """Refuse what texts with several labels cannot be distilled with."""
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(
                f"{name} was given beside labels, for texts with several labels.",
                f"Leave {name} out.",
            )

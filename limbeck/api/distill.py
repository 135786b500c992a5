"""Distil a teacher into any student: a readable one by the pipeline, or a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from limbeck.api.pipelines import Wanted, pipeline_for
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
from limbeck.core.contract import Method
from limbeck.core.whole_folder import check_folder
from limbeck.data.class_weights import ClassWeight
from limbeck.data.duplicates import Rule
from limbeck.results.distillation import Distillation

if TYPE_CHECKING:
    from limbeck.results.network import NetworkDistillation

__all__ = ["distill"]


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
        ``limbeck.networks.Quantized("int8")`` rounds its weights;
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
    asked = Wanted(
        teacher, X, y, data, into, method, via, epsilon, delta, holdout, groups, cases, duplicates,
        unlabelled, sample_weight, class_weight, classes, regression, unit, score_kind, preprocess,
        names, output, seed, out, progress, settings,
    )  # fmt: skip
    return pipeline_for(asked)(asked)

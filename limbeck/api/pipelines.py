"""Which pipeline makes a student, and which arguments of `limbeck.distill` it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from limbeck.api.distill_labels import FewLabelsSteps
from limbeck.api.distill_table import TableSteps
from limbeck.api.prepare.table import Request
from limbeck.api.prepare.text_columns import naming_columns
from limbeck.api.steps import run
from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.images import are_image_paths, images_of
from limbeck.core.pieces import keeping
from limbeck.methods.composed import Composed
from limbeck.methods.few_labels.few_rows import FewRows
from limbeck.methods.few_labels.method import FewLabels
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.quantization.quantized import Quantized
from limbeck.results.generated_record import GeneratedRecord
from limbeck.selection.routes import (
    leads_to_hybrid,
    leads_to_network,
    method_for,
    reads_texts,
    resolved,
)
from limbeck.selection.via import by_way_of

__all__ = ["Pipeline", "Wanted", "pipeline_for"]

_ABOUT_WRITTEN = (
    "The rows were written by a model, and so were those of the certificate: it is about texts that"
    " this model writes. Give holdout=(texts, labels), or holdout=(texts, None), with texts of"
    " your own."
)
_ALL = ("epsilon", "delta", "holdout", "seed", "progress")  # what every pipeline takes
_OUTPUTS = ("classes", "regression", "score_kind", "preprocess", "output")


@dataclass(frozen=True)
class Wanted:
    """What `limbeck.distill` was called with; `settings` are those of the method.

    The other fields are its arguments, with their defaults.
    """

    teacher: Any
    X: Any = None
    y: Any = None
    data: Any = None
    into: Any = "tree"
    method: str | None = None
    via: Any = None
    epsilon: float = 0.05
    delta: float = 0.05
    holdout: Any = 0.3
    groups: Any = None
    cases: Any = None
    duplicates: Any = "auto"
    unlabelled: Any = None
    sample_weight: Any = None
    class_weight: Any = None
    classes: Any = None
    regression: bool | None = None
    unit: str = ""
    score_kind: str | None = None
    preprocess: Any = None
    names: Any = None
    output: Any = None
    seed: int = 0
    out: str | Path | None = None
    progress: bool | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def only(self, student: str, *taken: str) -> dict[str, Any]:
        """The arguments that a pipeline takes beside teacher, rows, labels and settings, by name.

        Parameters
        ----------
        student : str
            What it makes, for the sentence of a refusal.
        *taken : str
            The arguments' names, beside those that every pipeline takes.

        Raises
        ------
        InvalidInput
            If another one was given.
        """
        own = {"teacher", "X", "data", "into", "out", "settings", *_ALL, *taken}
        for argument in fields(self):
            name, value = argument.name, getattr(self, argument.name)
            default = value is argument.default or (
                isinstance(value, str) and value == argument.default
            )
            if name not in own and not default:
                raise InvalidInput(f"{name} was given for {student}.", f"Leave {name} out.")
        return {name: getattr(self, name) for name in (*_ALL, *taken) if name != "y"}

    def with_rows(self) -> Wanted:
        """The same with its rows as X, by whichever of their two names they were given.

        Raises
        ------
        InvalidInput
            If there are none, or they were given twice.
        """
        if self.X is None and self.data is None:
            raise InvalidInput("There are no rows.", "Give them as X, or as data.")
        if self.X is not None and self.data is not None:
            raise InvalidInput("Rows were given as X and as data.", "Give them once.")
        return replace(self, X=self.data if self.X is None else self.X, data=None)


Pipeline = Callable[[Wanted], Any]


def pipeline_for(asked: Wanted) -> Pipeline:
    """The function that makes the student, by what it is.

    Parameters
    ----------
    asked : Wanted
        The arguments of `limbeck.distill`.

    Raises
    ------
    InvalidInput
        If ``into`` is no student.
    """
    if _writes_text(asked):
        return _language
    into = resolved(asked.into)
    if leads_to_hybrid(into):
        return _hybrid
    if leads_to_network(into):
        return _network
    if into == "text_classifier" and asked.settings.get("labels") is not None:
        return _labels_of_texts
    named: dict[Any, Pipeline] = {"static_embedding": _embedding, "auto": _recommended}
    return named.get(into, _table) if isinstance(into, str) else _table


def _language(asked: Wanted) -> Any:
    """A language model that learns from one, or is cut out of it."""
    from limbeck.api.distill_language import distill_language

    given = asked.only("a student that writes text")
    recorded = asked.X is None and asked.data is None  # recorded logits bring their own texts
    X = None if recorded else asked.with_rows().X
    return distill_language(
        asked.teacher, X, into=asked.into, **_steps_of(asked.into, writes=True),
        **_rows_aside(given, whole=False), **_folder(asked), **asked.settings,
    )  # fmt: skip


def _embedding(asked: Wanted) -> Any:
    """A table of vectors, of a sentence encoder."""
    from limbeck.api.distill_embedding import embed

    given = asked.only("static embeddings", "y")
    settings = {name: value for name, value in asked.settings.items() if value is not None}
    X, y, _ = _rows(asked)
    return _saved(embed(asked.teacher, X, y, **given, **settings), asked.out)


def _labels_of_texts(asked: Wanted) -> Any:
    """A classifier for each of several labels that a text may have at once."""
    from limbeck.api.distill_multilabel import distill_labels_of_texts

    given = asked.only("texts with several labels", "y", "score_kind", "method")
    X, y, _ = _rows(asked)
    made = distill_labels_of_texts(asked.teacher, X, y, **given, **asked.settings)
    return _saved(made, asked.out)


def _hybrid(asked: Wanted) -> Any:
    """A language model with a recurrent state in the place of attention."""
    from limbeck.api.distill_hybrid import hybrid_from

    given = asked.only("a student with a recurrent state")
    X = _rows(asked)[0]
    return hybrid_from(asked.teacher, X, asked.into, asked.settings, **given, **_folder(asked))


def _network(asked: Wanted) -> Any:
    """A smaller network, one that is given or one that is cut out of the teacher."""
    from limbeck.api.distill_network import compress

    given = asked.only(
        "a student that is a network", "y", "classes", "unit", "cases", "duplicates", "unlabelled",
        "output",
    )  # fmt: skip
    X, y, _ = _rows(asked)
    X = images_of(X) if are_image_paths(X) else X
    into = resolved(asked.into)
    return compress(
        asked.teacher, X, y, into=into, **_rows_aside(given, whole=True),
        **_steps_of(into), **_folder(asked), **asked.settings,
    )  # fmt: skip


def _recommended(asked: Wanted) -> Any:
    """The readable student that a tournament recommends."""
    from limbeck.api.tournament import recommended_student

    given = asked.only(
        "into='auto'", "y", "groups", "cases", "duplicates", "unlabelled", "names", "unit",
        *_OUTPUTS,
    )  # fmt: skip
    X, y, _ = _rows(asked)
    best = recommended_student(asked.teacher, X, y, asked.settings, **given)
    return _saved(best, asked.out)


def _table(asked: Wanted) -> Any:
    """A readable student of rows or texts."""
    X, y, written = _rows(asked)
    into = resolved(asked.into)
    check_share("epsilon", asked.epsilon)
    check_share("delta", asked.delta)
    epsilon, delta = (float(f"{share:.12g}") for share in (asked.epsilon, asked.delta))  # 1 - 0.9
    few, settings = _few_rows_settings(into, asked.settings, asked.via)
    chosen = method_for(into, settings, asked.method, epsilon=epsilon)
    if few:
        chosen = FewRows(chosen, **few)
    if asked.via is not None:
        chosen = by_way_of(asked.via, chosen, epsilon=epsilon)
    outputs = {name: getattr(asked, name) for name in _OUTPUTS} | {"unit": asked.unit or None}
    request = Request(
        asked.teacher, X, y, chosen, into if isinstance(into, str) else chosen.name, epsilon, delta,
        whole_number("seed", asked.seed), asked.holdout, asked.groups, asked.cases,
        asked.duplicates, asked.sample_weight, asked.class_weight, asked.names, outputs,
        unlabelled=asked.unlabelled, seen=chosen.seen if isinstance(chosen, Composed) else None,
    )  # fmt: skip
    steps = FewLabelsSteps if isinstance(chosen, FewLabels | FewRows) else TableSteps
    with keeping(asked.out) as pieces, naming_columns(request):
        found = run(steps(request), asked.progress)
        if written and not isinstance(asked.holdout, tuple):
            found = replace(found, notes=(*found.notes, _ABOUT_WRITTEN))
        if asked.out is not None and pieces is not None:
            found.save(asked.out)
            pieces.remove()
    return found


def _rows(asked: Wanted) -> tuple[Any, Any, bool]:
    """Rows and labels; whether a model wrote them.

    Generated texts come, beside labelled holdout rows, with the classes they were written for.
    """
    X, y = asked.with_rows().X, asked.y
    if not isinstance(X, GeneratedRecord):
        return X, y, False
    holdout = asked.holdout
    labelled = isinstance(holdout, tuple) and len(holdout) == 2 and holdout[1] is not None
    if y is None and labelled and all(label is not None for label in X.labels):
        y = X.labels
    return X.texts, y, True


def _rows_aside(given: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """The arguments, with holdout rows of one's own as ``test``, with or without their labels."""
    rest = {name: value for name, value in given.items() if name != "holdout"}
    holdout = given["holdout"]
    if not isinstance(holdout, tuple):
        return given
    return rest | {"test": holdout if whole else holdout[0]}


def _folder(asked: Wanted) -> dict[str, Any]:
    return {} if asked.out is None else {"out": asked.out}


def _saved(found: Any, out: str | Path | None) -> Any:
    """The result, written to the folder that was given, if one was."""
    if out is not None:
        found.save(out)
    return found


def _steps_of(into: Any, *, writes: bool = False) -> dict[str, Any]:
    """The steps of a student that is not given as a network, but made from its teacher."""
    if isinstance(into, Pruned) and writes:
        from limbeck.api.distill_pruned_language import PrunedLanguageSteps

        return {"steps": PrunedLanguageSteps}
    if isinstance(into, Pruned):
        from limbeck.api.distill_pruned import PrunedSteps

        return {"steps": PrunedSteps}
    if isinstance(into, Quantized) and writes:
        from limbeck.api.distill_quantized_language import QuantizedLanguageSteps

        return {"steps": QuantizedLanguageSteps}
    if isinstance(into, Quantized):
        from limbeck.api.distill_quantized import QuantizedSteps

        return {"steps": QuantizedSteps}
    return {}


def _few_rows_settings(
    into: Any, settings: Mapping[str, Any], via: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of `FewRows`, and those of the student's method, where there is a budget.

    Students of texts have a method of their own for it.
    """
    if settings.get("budget") is None or reads_texts(into):
        return {}, dict(settings)
    if via is not None:
        raise InvalidInput(
            "budget was given with via, whose first student would answer all questions.",
            "Leave via out, or distil into that student with the budget first.",
        )
    own = {"budget", "batch", "patience", "labelling", "compare_random"}
    few = {n: v for n, v in settings.items() if n in own and v is not None}
    return few, {n: v for n, v in settings.items() if n not in own}


def _writes_text(asked: Wanted) -> bool:
    """Whether the student is a language model: a folder of transformers, or an objective on texts.

    A module that writes text is one where a tokenizer is given, too. A cut is one where its
    teacher is: a folder of transformers, one with a tokenizer, or a `LanguageModel`.
    """
    ours = "limbeck.language."
    into, teacher = asked.into, asked.teacher
    if isinstance(into, Pruned | Quantized):
        folder = isinstance(teacher, str) and (teacher.startswith("hf:") or Path(teacher).is_dir())
        ours_too = type(teacher).__module__.startswith(ours)
        return folder or "tokenizer" in asked.settings or ours_too
    if isinstance(into, str) and into.startswith("hf:"):
        return True
    if type(into).__module__.startswith(ours):
        return True
    if hasattr(into, "generate") and "tokenizer" in asked.settings:
        return True
    return type(asked.settings.get("objective")).__module__.startswith(ours)

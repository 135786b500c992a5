"""Language models distilled by a file: into ``hf:folder``, or the teacher cut or rounded."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

from limbeck.api.load import read_named
from limbeck.core.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    from limbeck.results.language import LanguageDistillation

__all__ = ["LANGUAGE_SETTINGS", "objective_of", "run_language"]

_OBJECTIVES = ("TokenKD", "SequenceKD", "OnPolicy", "PolicyGradient", "MiniLLM", "CrossTokenizer")
LANGUAGE_SETTINGS = (
    "prompt_tokens", "chat", "max_new_tokens", "distinct_n", "judge_batch_size", "preflight",
    "lora", "judge",
)  # fmt: skip
"""Settings of a run file that only language models have."""


def run_language(data: Mapping[str, Any], progress: bool | None) -> LanguageDistillation:
    """Do what a run file says, whose names were checked.

    Parameters
    ----------
    data : mapping
        What the file holds: ``teacher`` and ``student`` as ``hf:folder``, or the teacher as a
        folder of `limbeck.language.record`, which needs no ``train``, or the student as a
        `limbeck.networks.Pruned` or `limbeck.networks.Quantized`, ``train`` and ``test`` as files
        of prompts, ``objective`` as a name or ``{name: OnPolicy, share: 0.5}``.
    progress : bool or None
        A progress bar.
    """
    from limbeck.api.distill_language import distill_language
    from limbeck.networks.pruning.pruned import Pruned
    from limbeck.networks.quantization.quantized import Quantized

    given = dict(data)
    teacher, student, train = (given.pop(name, None) for name in ("teacher", "student", "train"))
    if given.get("objective") is not None:
        given["objective"] = objective_of(given["objective"])
    if isinstance(given.get("metrics"), dict):
        given["metrics"] = {name: read_named(str(f)) for name, f in given["metrics"].items()}
    if isinstance(student, Pruned):
        from limbeck.api.distill_pruned_language import PrunedLanguageSteps

        given["steps"] = PrunedLanguageSteps
    if isinstance(student, Quantized):
        from limbeck.api.distill_quantized_language import QuantizedLanguageSteps

        given["steps"] = QuantizedLanguageSteps
    return distill_language(teacher, train, into=student, progress=progress, **given)


def objective_of(given: Any) -> Any:
    """An objective on texts from its name, or from a mapping of name and settings.

    Raises
    ------
    InvalidInput
        If there is no such objective or setting.
    """
    from limbeck import language

    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    settings = dict(given) if isinstance(given, dict) else {"name": given}
    name = str(settings.pop("name", None))
    if name not in _OBJECTIVES:
        raise InvalidInput(
            f"There is no objective {name!r} of language models.", did_you_mean(name, _OBJECTIVES)
        )
    make = getattr(language, name)
    for setting in settings:
        if setting not in signature(make).parameters:
            raise InvalidInput(
                f"{name} has no setting {setting!r}.",
                did_you_mean(setting, signature(make).parameters),
            )
    return make(**settings)

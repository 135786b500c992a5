"""`distill` into a language model with a recurrent state in the place of attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from limbeck.api.conversion_steps import ConversionSteps
from limbeck.api.prepare.conversion import ConversionRequest
from limbeck.api.steps import run
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.pieces import keeping
from limbeck.results.conversion import Conversion

__all__ = ["hybrid_from"]


def hybrid_from(
    teacher: Any,
    texts: Any,
    into: Any,
    settings: Mapping[str, Any],
    *,
    progress: bool | None = None,
    out: str | Path | None = None,
    **given: Any,
) -> Conversion:
    """Convert a model, and say whether distilling helped; see `limbeck.distill`.

    Parameters
    ----------
    teacher : str, path or PreTrainedModel
        ``hf:folder``, or a model that transformers loaded.
    texts : list of str
        The texts.
    into : Hybrid
        What stands in the place of attention.
    settings : mapping
        The rest of the fields of `ConversionRequest`.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    out : str or Path, optional
        A folder where the result is saved; a run that was cut off goes on there, in the middle
        of a stage.
    **given
        Fields of `ConversionRequest` that all verbs share.

    Raises
    ------
    InvalidInput
        If a setting is unknown, or something cannot be used; before any training.
    """
    known = [f.name for f in fields(ConversionRequest) if f.name != "out"]
    for name in settings:
        if name not in known:
            raise InvalidInput(f"There is no setting {name!r}.", did_you_mean(name, known))
    out = None if out is None else Path(out)
    request = ConversionRequest(teacher, texts, into, out=out, **given, **settings)
    with keeping(out) as pieces:
        found = run(ConversionSteps(request), progress)
        if out is not None and pieces is not None:
            found.save(out)
            pieces.remove()
    return found

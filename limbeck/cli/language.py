"""Language models from a shell: ``limbeck distill --teacher hf:big --into hf:small``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["distill_text"]


def distill_text(
    teacher: str, data: Path | None, into: str, out: Path, objective: str | None, **settings: Any
) -> Any:
    """Distil a folder of transformers into another one, and write the result.

    Parameters
    ----------
    teacher, into : str
        As ``hf:folder``.
    data : Path or None
        A .jsonl, .json, .parquet or .csv file of prompts; recorded logits bring their own.
    out : Path
        The folder of the run.
    objective : str or None
        The name of one of `limbeck.language`.
    **settings
        Of `limbeck.distill`; None values are left at their defaults.
    """
    from limbeck.api.distill import distill
    from limbeck.api.run_language import objective_of

    given = {name: value for name, value in settings.items() if value is not None}
    if objective is not None:
        given["objective"] = objective_of(objective)
    return distill(teacher, data, into=into, out=out, **given)

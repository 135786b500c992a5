"""Advice on a run file, before it is run: ``limbeck advise run.yaml``."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limbeck.api.run_file import arguments_of, read_run
from limbeck.core.errors import InvalidInput
from limbeck.networks.training.settings import Training

if TYPE_CHECKING:
    from limbeck.results.advice import Advice

__all__ = ["PILOT", "advised"]

PILOT = "advice"
"""The folder of the pilot, inside that of the run."""

_OF_ADVICE = ("budget", "larger")
_OF_RESULT = ("epsilon", "delta", "seeds", "control", "baseline", "timing", "calibrate", "test")
"""What concerns the run that is advised on, and not its pilot."""


def advised(
    path: str | Path, budget: float | str | None = None, progress: bool | None = None
) -> Advice:
    """A pilot of what a run file says; see :func:`limbeck.advise`.

    Rows are measured on the file's ``validation``, never on its ``test`` rows, which are kept for
    the run itself; without either a share of the training rows.

    Parameters
    ----------
    path : path
        A run file, which may also have ``budget`` and ``larger`` (``package.module:name``).
    budget : float or str, optional
        In place of the file's.
    progress : bool, optional
        A progress bar; by default only on a terminal.

    Raises
    ------
    LimbeckError
        As `read_run` and :func:`limbeck.advise`; also for a setting that no pilot has, such as
        ``cache``.
    """
    from limbeck.api.advise import advise

    data = read_run(path, _OF_ADVICE)
    if str(data["student"]).startswith("hf:"):
        raise InvalidInput(
            f"student is {data['student']!r}, which writes text.",
            "Advice is on networks with labels: see limbeck distill run.yaml for language models.",
        )
    rest = {k: v for k, v in data.items() if k not in ("budget", *_OF_RESULT)}
    larger = rest.pop("larger", None)
    teacher, train, y, given = arguments_of(rest)
    if isinstance(given.get("validation"), int | float):
        given["holdout"] = given.pop("validation")
    _refuse(given, Path(path).name)
    out = Path(str(given.pop("out"))) / PILOT
    time: Any = budget if budget is not None else data.get("budget")
    if time is not None:
        given["budget"] = time
    if larger is not None:
        given["larger"] = arguments_of(rest | {"student": larger})[3]["into"]
    return advise(teacher, train, y, out=out, progress=progress, **given)


def _refuse(given: dict[str, Any], name: str) -> None:
    """Refuse what a pilot does not have."""
    from limbeck.api.advise import advise

    known = {*signature(advise).parameters, *Training.__dataclass_fields__}
    for setting in given:
        if setting not in known:
            raise InvalidInput(
                f"{setting!r} in {name} is no setting of a pilot.",
                f"Leave {setting} out of a copy of the file for limbeck advise.",
            )

"""A search for settings as a file: ``limbeck tune run.yaml``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limbeck.api.named_parts import made, objective_of, of_torch
from limbeck.api.run_file import arguments_of, kept_run, read_run
from limbeck.core.errors import InvalidInput

if TYPE_CHECKING:
    from limbeck.results.tune import Tuning

__all__ = ["OF_SEARCH", "tuned"]

OF_SEARCH = ("over", "trials", "search", "eta", "n_jobs")
"""What a run file of a search names beside that of a run."""


def tuned(path: str | Path, progress: bool | None = None) -> Tuning:
    """Search for settings as a run file says: one of `run` with ``over``.

    Parameters
    ----------
    path : path
        A run file that also has ``over``, a mapping of settings to lists of choices or to
        ``{loguniform: [low, high]}`` (``uniform``, ``randint``), and may have ``trials``,
        ``search``, ``eta`` and ``n_jobs``; see :func:`limbeck.tune`.
    progress : bool, optional
        A progress bar; by default only on a terminal.

    Raises
    ------
    LimbeckError
        As :func:`read_run` and :func:`limbeck.tune`.
    """
    from limbeck.api.tune import tune

    data = read_run(path, OF_SEARCH)
    searched = {name: data[name] for name in OF_SEARCH if name in data}
    searched["over"] = _over(searched.get("over"))
    rest = {name: value for name, value in data.items() if name not in OF_SEARCH}
    teacher, train, y, given = arguments_of(rest)
    start = partial(tune, teacher, train, y, progress=progress, **searched, **given)
    return kept_run(Path(path), given, start)


def _over(given: Any) -> dict[str, Any]:
    """Choices and distributions by the names of settings."""
    if not isinstance(given, dict) or not given:
        raise InvalidInput(
            f"over is {given!r}: there is nothing to search over.",
            "Write settings and their choices, such as over: {lr: [0.001, 0.01]}.",
        )
    return {str(name): _choices(str(name), value) for name, value in given.items()}


def _choices(name: str, given: Any) -> Any:
    if name == "objective" and isinstance(given, list):
        return [objective_of(item) for item in given]
    if name == "filter" and isinstance(given, list):
        return [None if item is None else made(item, name) for item in given]
    if name in ("optimizer", "schedule") and isinstance(given, list):
        return [of_torch(item, name) for item in given]
    if not isinstance(given, dict):
        return given
    from scipy import stats

    kind, ends = next(iter(given.items()), ("", None))
    known = len(given) == 1 and kind in ("loguniform", "uniform", "randint")
    if not (known and isinstance(ends, list) and len(ends) == 2):
        raise InvalidInput(
            f"over of {name} is {given!r}.",
            "Write a list, or {loguniform: [low, high]}, uniform or randint.",
        )
    low, high = ends
    if not (isinstance(low, int | float) and isinstance(high, int | float) and low < high):
        raise InvalidInput(f"over of {name} is from {low!r} to {high!r}.", "Give two numbers.")
    if kind == "uniform":
        return stats.uniform(low, high - low)
    if kind == "loguniform" and low <= 0:
        raise InvalidInput(f"over of {name} begins at {low!r}.", "Begin above 0.")
    return getattr(stats, str(kind))(low, high)

"""A distillation of networks as a file: ``limbeck distill run.yaml``, ``limbeck resume run/``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from limbeck.api.load import read_named, read_teacher
from limbeck.api.named_parts import function_of, made, metrics_of, objective_of, of_torch
from limbeck.api.run_language import LANGUAGE_SETTINGS
from limbeck.core.arrays import read_arrays
from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean
from limbeck.core.whole_folder import open_folder
from limbeck.data.yaml_files import read_yaml
from limbeck.language.recorded import is_recorded
from limbeck.networks.training.processes import first

if TYPE_CHECKING:
    from limbeck.results.language import LanguageDistillation
    from limbeck.results.network import NetworkDistillation

__all__ = [
    "KEPT", "arguments_of", "kept_run", "read_run", "resume", "run",
]  # fmt: skip

T = TypeVar("T")

KEPT = "run.yaml"
"""The name of the run file that is kept in the run's folder, so that it can be resumed."""

_MODELS = ("teacher", "student")
_DATA = ("train", "validation", "test", "unlabelled")
_NEEDED = ("student", "train", "objective", "out")
_MOST_VALUES = 10_000


def read_run(path: str | Path, more: Sequence[str] = ()) -> dict[str, Any]:
    """Read a run file and check its names.

    Parameters
    ----------
    path : path
        YAML: ``teacher``, ``student`` (``package.module:name``; ``teacher_weights`` and
        ``student_weights`` name .safetensors files; ``student: {name: Pruned, size: 0.5}`` cuts it
        out of its teacher, ``{name: Quantized, weights: int8}`` rounds its weights), ``train``,
        ``validation``, ``test`` (the same, or .npz files with the arrays X and y, or .parquet or
        .arrow files, also as a pattern: ``rows/*.parquet``), ``objective`` (a list of losses, each
        with its ``weight`` and settings; not needed with ``recipe``), ``optimizer`` and
        ``schedule`` (a name, or a class of torch as a mapping, ``{name: StepLR, step_size: 10}``),
        ``filter``, ``callbacks`` (a list),
        ``metrics`` (a list of functions, or a mapping of names to them), ``tokenizers`` (names of
        the teacher's and the student's), ``out``, and settings of `limbeck.distill` and of
        `limbeck.networks.training.settings.Training`. Wherever a name is expected,
        ``package.module:name`` is your own class, function or object, and
        ``{name: package.module:name, setting: value}`` gives it settings.
    more : sequence of str
        Further names that are known.

    Returns
    -------
    dict
        As it was written.

    Raises
    ------
    FileRefused
        If the file is absent, no YAML, or no mapping.
    InvalidInput
        If a name is unknown or lacking.
    """
    try:
        data = read_yaml(Path(path).read_text(encoding="utf-8"))
        _check_plain(data)
    except OSError as error:
        raise FileRefused(
            f"{str(path)!r} cannot be read: {error.strerror}.", "Give a run file."
        ) from None
    except UnicodeDecodeError as error:
        raise FileRefused(f"{str(path)!r} is no YAML: {error}.", "Correct it.") from None
    except RecursionError:
        raise FileRefused(f"{str(path)!r} is nested too deeply.", "Correct it.") from None
    except ValueError as error:
        raise FileRefused(f"{str(path)!r} {error}.", "Correct it.") from None
    if not isinstance(data, dict):
        raise FileRefused(f"{str(path)!r} is not a YAML mapping.", "Write name: value lines.")
    known = [*_known(), *more]
    for name in data:
        if name not in known:
            raise InvalidInput(
                f"{name!r} in {Path(path).name} is no setting.", did_you_mean(name, known)
            )
    for name in _NEEDED:
        chosen = name == "objective" and data.get("recipe") is not None
        chosen |= name == "train" and is_recorded(data.get("teacher"))  # with texts of its own
        if data.get(name) is None and not chosen:
            raise InvalidInput(f"{Path(path).name} has no {name!r}.", f"Add a line {name}: ...")
    return data


def _check_plain(data: Any) -> None:
    """Refuse keys that are no text, numbers beyond 64 bits, and what grows out of aliases."""
    left, seen = [data], 0
    while left:
        value, seen = left.pop(), seen + 1
        if seen > _MOST_VALUES:
            raise ValueError(f"holds more than {_MOST_VALUES:,} values")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise ValueError(f"has the key {key!r}, and names of settings are text")
            left += value.values()
        elif isinstance(value, list | tuple | set):
            left += value
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError(f"holds {value}, which is beyond 64 bits")
        elif isinstance(value, str) and "\0" in value:
            raise ValueError(f"holds {value[:30]!r}, and text has no NUL")
        elif isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            raise ValueError(f"holds {value[:30]!r}, half a character")


def run(
    path: str | Path, progress: bool | None = None
) -> NetworkDistillation | LanguageDistillation:
    """Do what a run file says, and keep a copy of it in the run's folder.

    Parameters
    ----------
    path : path
        The run file, in YAML.
    progress : bool, optional
        A progress bar; by default only on a terminal.

    Raises
    ------
    LimbeckError
        As :func:`read_run` and :func:`limbeck.distill`.
    """
    return _run(Path(path), read_run(path), progress)


def resume(
    folder: str | Path, progress: bool | None = None
) -> NetworkDistillation | LanguageDistillation:
    """Go on with a run that was cut off; what is finished is not done again.

    Parameters
    ----------
    folder : path
        The folder of the run, with its run file.
    progress : bool, optional
        A progress bar; by default only on a terminal.

    Raises
    ------
    FileRefused
        If the folder holds no run file.
    """
    kept = Path(folder) / KEPT
    if not kept.is_file():
        raise FileRefused(
            f"{str(folder)!r} holds no {KEPT}.",
            "Give the folder of a run that `limbeck distill run.yaml` began; a run from Python goes"
            " on when limbeck.distill is called again with the same arguments.",
        )
    return _run(kept, read_run(kept) | {"out": str(folder)}, progress)


def _run(
    path: Path, data: Mapping[str, Any], progress: bool | None
) -> NetworkDistillation | LanguageDistillation:
    from limbeck.api.distill_network import compress

    made_of_it = _is_cut(data["student"]) or _is_rounding(data["student"])
    if made_of_it and str(data.get("teacher")).startswith("hf:"):
        data = {**data, "student": made(data["student"], "student")}
        writes = True
    else:
        writes = str(data["student"]).startswith("hf:")
    if writes:
        from limbeck.api.run_language import run_language

        return kept_run(path, data, partial(run_language, data, progress))
    teacher, train, y, given = arguments_of(data)
    if _is_cut(data["student"]):
        from limbeck.api.distill_pruned import PrunedSteps

        given["steps"] = PrunedSteps
    if _is_rounding(data["student"]):
        from limbeck.api.distill_quantized import QuantizedSteps

        given["steps"] = QuantizedSteps
    return kept_run(path, given, partial(compress, teacher, train, y, progress=progress, **given))


def kept_run(path: Path, given: Mapping[str, Any], start: Callable[[], T]) -> T:
    """Run, with a copy of the run file in the run's folder.

    Parameters
    ----------
    path : Path
        The run file.
    given : mapping
        The arguments, with the folder as ``out``.
    start : callable
        Runs.
    """
    from limbeck.networks.training.checkpoint import NAME

    kept = Path(given["out"]) / KEPT
    # A changed file must not take the place of the one that was begun with, but of one refused.
    if not any(kept.parent.rglob(NAME)):
        _keep(path, kept)
    result = start()
    _keep(path, kept)
    return result


def arguments_of(data: Mapping[str, Any]) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Teacher, rows, labels and settings as a verb takes them.

    Parameters
    ----------
    data : mapping
        What `read_run` read.
    """
    for name in LANGUAGE_SETTINGS:
        if name in data:
            raise InvalidInput(
                f"{name} is for a student that writes text.",
                f"Leave {name} out, or name hf:folder.",
            )
    given = {k: v for k, v in data.items() if not k.endswith("_weights") and k != "train"}
    for name in _MODELS:
        if name in given:
            given[name] = _model(given[name], data.get(f"{name}_weights"), name)
    for name in _DATA[1:]:
        if given.get(name) is not None and not isinstance(given[name], int | float):
            given[name] = _rows(given[name])
    if given.get("early_teacher") is not None:
        weights = data.get("early_teacher_weights")
        given["early_teacher"] = _model(given["early_teacher"], weights, "teacher")
    if given.get("assistants") is not None:
        names = _listed(given["assistants"])
        given["assistants"] = [_model(name, None, "student") for name in names]
    if isinstance(given.get("tokenizers"), list):
        given["tokenizers"] = [_tokenizer(name) for name in given["tokenizers"]]
    if given.get("objective") is not None:
        given["objective"] = objective_of(given["objective"])
    for name in ("optimizer", "schedule"):
        if name in given:
            given[name] = of_torch(given[name], name)
    for name in ("filter", "mode"):
        if given.get(name) is not None:
            given[name] = made(given[name], name)
    if given.get("callbacks") is not None:
        given["callbacks"] = [made(one, "callbacks") for one in _listed(given["callbacks"])]
    if given.get("metrics") is not None:
        given["metrics"] = metrics_of(given["metrics"])
    if isinstance(given.get("cache"), dict):
        given["cache"] = made({"name": "TeacherCache", **given["cache"]}, "cache")
    if given.pop("balanced", False):
        if given.get("objective") is None:
            raise InvalidInput("balanced is true without an objective.", "Give an objective.")
        given["objective"] = dataclasses.replace(given["objective"], balanced=True)
    train, y = _split(_rows(data["train"]))
    given["into"] = given.pop("student")
    return given.pop("teacher", None), train, y, given


def _keep(path: Path, kept: Path) -> None:
    """Copy the run file into the run's folder."""
    if first() and path.resolve() != kept.resolve():
        open_folder(kept.parent)
        write_bytes(path.read_bytes(), kept)


def _known() -> list[str]:
    from limbeck.api.distill_network import compress
    from limbeck.networks.training.settings import Training

    ours = [
        *_MODELS,
        *LANGUAGE_SETTINGS,
        "teacher_weights",
        "student_weights",
        "early_teacher_weights",
        *_DATA,
        "balanced",
    ]
    hidden = {"data", "y", "into", "progress", "steps", "training"}
    named = [n for n in signature(compress).parameters if n not in hidden]
    return list(dict.fromkeys([*ours, *named, *(f.name for f in dataclasses.fields(Training))]))


def _is_cut(student: Any) -> bool:
    """Whether the student is cut out of its teacher: ``{name: Pruned, size: 0.5}``."""
    return isinstance(student, dict) and student.get("name") == "Pruned"


def _is_rounding(student: Any) -> bool:
    """Whether the student is its rounded teacher: ``{name: Quantized, weights: int8}``."""
    return isinstance(student, dict) and student.get("name") == "Quantized"


def _model(name: Any, weights: Any, role: str) -> Any:
    if isinstance(name, list):
        if weights is not None:
            raise InvalidInput(
                f"{role}_weights was given for {len(name)} of them.",
                "Let the functions that make them load their weights.",
            )
        return [_model(n, None, role) for n in name]
    if isinstance(name, dict):  # a function or class with settings
        if weights is not None:
            raise InvalidInput(
                f"{role}_weights was given, and {role} has settings.",
                "Let the function that makes it load the weights.",
            )
        if role == "student" and (_is_cut(name) or _is_rounding(name)):
            return made(name, role)
        make = function_of(name, role)[1]
        return make if role == "student" else make()
    found = read_named(str(name))
    if role == "student" and weights is None and callable(found) and not _is_module(found):
        return found  # made anew for every seed
    return read_teacher(str(name), None if weights is None else Path(weights))


def _is_module(found: Any) -> bool:
    return hasattr(found, "named_modules") and not isinstance(found, type)


def _rows(name: Any) -> Any:
    """Samples: an .npz file with X and y, Parquet or Arrow files, or an object in a module.

    A function of the module is called.
    """
    text = str(name)
    if text.endswith(".npz"):
        file = read_arrays(text, ("X",), optional=("y",))
        return file["X"], file.get("y")
    if text.endswith((".parquet", ".pq", ".arrow")):
        return text
    found = read_named(text)
    return found() if callable(found) and not hasattr(found, "__getitem__") else found


def _tokenizer(name: Any) -> Any:
    """A tokenizer in a module, or what a function there returns."""
    found = read_named(str(name))
    return found() if callable(found) and not hasattr(found, "get_vocab") else found


def _split(rows: Any) -> tuple[Any, Any]:
    if isinstance(rows, tuple) and len(rows) == 2:
        return rows
    return rows, None


def _listed(given: Any) -> list[Any]:
    """A list, or one thing as a list of one."""
    return given if isinstance(given, list) else [given]

"""What lies on disk: what limbeck wrote, tables, teachers, and hashes of rows."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.fingerprint import read_seen_hashes
from limbeck.core.arrays import read_array, read_arrays
from limbeck.core.errors import FileRefused, InvalidInput, LimbeckError, did_you_mean
from limbeck.core.strict_json import parse_json
from limbeck.core.whole_folder import settle
from limbeck.data.formulas import with_formulas
from limbeck.data.row_batches import row_batches
from limbeck.data.tables import read_table

__all__ = ["load", "read_named", "read_rows", "read_seen", "read_table", "read_teacher"]


_RESULTS = {
    "limbeck-result": ("limbeck.results.distillation", "Distillation"),
    "limbeck-network-result": ("limbeck.results.network", "NetworkDistillation"),
    "limbeck-language-result": ("limbeck.results.language", "LanguageDistillation"),
    "limbeck-tuning": ("limbeck.results.tune", "Tuning"),
    "limbeck-tournament": ("limbeck.results.tournament", "Tournament"),
    "limbeck-generated": ("limbeck.results.generated", "GeneratedSet"),
    "limbeck-conversion": ("limbeck.results.conversion", "Conversion"),
    "limbeck-selection": ("limbeck.results.selected", "Selection"),
    "limbeck-audit": ("limbeck.results.audit", "Audit"),
    "limbeck-embedding-result": ("limbeck.results.embedding", "EmbeddingDistillation"),
    "limbeck-multilabel": ("limbeck.results.multilabel", "MultilabelDistillation"),
    "limbeck-advice": ("limbeck.results.advice", "Advice"),
    "limbeck-ablation": ("limbeck.results.ablation", "Ablation"),
    "limbeck-removals": ("limbeck.results.removals", "Removals"),
    "limbeck-attribution": ("limbeck.results.attribution", "Attribution"),
}


def load(path: str | Path) -> Any:
    """Read what limbeck wrote: the folder of a result, or the file of a student.

    Parameters
    ----------
    path : str or Path
        A folder that ``save`` or the shell wrote; or a student's file, ``student.json`` or
        ``student.onnx``; or the folder of a static embedding alone.

    Returns
    -------
    Result or Student
        What the verb returned: a Distillation, Tournament, Audit, Ablation, Attribution, ... It
        prints as it did, with its student, certificate and comparison. The student of a network
        is its ONNX file. Rows are there as far as they were written.

    Raises
    ------
    FileRefused
        If nothing of limbeck is there, or it is malformed or newer than this limbeck.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from limbeck import distill
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(random_state=0).fit(X[::2], y[::2])
    >>> result = distill(forest, X[1::2], y[1::2], max_leaves=4, queries=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(result.save(folder))
    >>> str(again) == str(result)
    True
    """
    path = Path(path)
    if not path.is_dir():
        from limbeck.students.files import load as load_student

        return load_student(path)
    settle(path)
    for name in ("tuning.json", "result.json", "audit.json"):
        if (path / name).exists():
            module, kind = _RESULTS[_format(path / name)]
            return _whole(getattr(importlib.import_module(module), kind), path)
    if (path / "modules.json").exists():
        from limbeck.students.static_embedding.static_embedding import StaticEmbedding

        return StaticEmbedding.load(path)
    students = [n for n in ("student.json", "student.onnx") if (path / n).exists()]
    raise FileRefused(
        f"The folder {str(path)!r} holds no result.json and no audit.json.",
        f"Load {str(path / students[0])!r} for the student alone."
        if students
        else "Give a folder that limbeck wrote.",
    )


def _whole(kind: Any, path: Path) -> Any:
    """A result that was read, and prints: its files hold what results of this kind hold."""
    try:
        found = kind.load(path)
        str(found)
    except LimbeckError:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise FileRefused(
            f"The result in {str(path)!r} is malformed: {type(error).__name__}: {error}.",
            "Save the result again.",
        ) from error
    return found


def _format(path: Path) -> str:
    try:
        found = parse_json(path.read_bytes())["format"]
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str) or found not in _RESULTS:
        raise FileRefused(f"{str(path)!r} is no result of limbeck.", "Save the result again.")
    return found


def read_rows(path: Path) -> Any:
    """Rows of a table, or the array ``rows`` of an .npz file beside an ``answers`` array.

    Returns
    -------
    DataFrame or RowBatches
        Batches for a folder, a pattern such as ``rows/*.parquet`` and Arrow files. For an .npz file
        with the columns ``x0, x1, ...`` and ``teacher_label``, and ``case`` where rows have cases.
    """
    if path.is_dir() or "*" in path.name or path.suffix in (".arrow", ".feather"):
        return row_batches(path)
    if path.suffix != ".npz":
        frame = read_table(path)
        return with_formulas(frame) if path.name == "holdout.csv" else frame
    import pandas as pd

    found = read_arrays(path, ("rows", "answers", "names"), optional=("cases",))
    rows, names = found["rows"], [str(name) for name in found["names"].reshape(-1)]
    more = {"case": found["cases"]} if "cases" in found else {}
    columns = {"teacher_label": found["answers"], **more}
    if rows.ndim != 2 or rows.shape[1] != len(names) or len(set(names)) < len(names):
        raise FileRefused(
            f"{str(path)!r} has rows of shape {rows.shape} and {len(names)} names of columns.",
            "Give a file that limbeck wrote.",
        )
    for name, column in columns.items():
        if column.shape != rows.shape[:1]:
            raise FileRefused(
                f"{str(path)!r} has {len(rows):,} rows, and {name} of shape {column.shape}.",
                "Give a file that limbeck wrote.",
            )
    return pd.DataFrame(rows, columns=names).assign(**columns)


def read_teacher(name: str, weights: Path | None) -> Any:
    """What ``--teacher`` names: a file as it is, else the object at ``package.module:name``.

    A function or class at that place is called to make the model.

    Parameters
    ----------
    name : str
        A file such as ``model.onnx``, a prefix such as ``hf:folder``, or, as in uvicorn, a module,
        a colon, and what to take from it; the current folder is searched too.
    weights : path or None
        A .safetensors file, loaded into a torch module.

    Raises
    ------
    InvalidInput
        If there is no such module or name.
    FileRefused
        If the weights do not fit.
    """
    from limbeck.teachers.files import is_named

    if is_named(name):
        if weights is not None:
            raise InvalidInput(
                f"Weights were given beside {name!r}, which is no module.", "Leave --weights out."
            )
        return name
    model = read_named(name)
    attribute = name.rpartition(":")[2]
    is_model = hasattr(model, "named_modules") or hasattr(model, "predict")
    if isinstance(model, type) and not _takes_nothing(model):
        raise InvalidInput(
            f"The class {attribute} needs arguments to make a model.",
            "Name a model, or a function that makes one without arguments.",
        )
    if isinstance(model, type) or (callable(model) and not is_model and _takes_nothing(model)):
        model = model()
    if weights is not None:
        _load_weights(model, weights)
    return model


def read_named(name: str) -> Any:
    """The object at ``package.module:name``; the current folder is searched too.

    Raises
    ------
    InvalidInput
        If there is no such module or name.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise InvalidInput(
            f"{name!r} is not of the form package.module:name.",
            "Write package.module:name, such as my_package.models:teacher.",
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and not f"{module_name}.".startswith(f"{error.name}."):
            raise  # the user's module is there; what it imports is not
        raise InvalidInput(
            f"There is no module {module_name!r}.", "Run this from its folder, or install it."
        ) from None
    if not hasattr(module, attribute):
        raise InvalidInput(
            f"{module_name} has no {attribute!r}.",
            did_you_mean(attribute, (n for n in dir(module) if not n.startswith("_"))),
        )
    return getattr(module, attribute)


def read_seen(path: Path | None, student: Path) -> NDArray[np.uint64] | None:
    """Hashes of the rows that training saw; by default from the file beside the student.

    Parameters
    ----------
    path : Path or None
        A .npy file of shape (m,), or (m, 2) with hashes of cases beside those of rows.
    student : Path
        The student's file.

    Raises
    ------
    FileRefused
        If the file holds no hashes: of another dtype than uint64, or of another shape.
    """
    if path is None:
        path = student.parent / "seen.npy"
        if not path.is_file():
            return None
    try:
        return read_seen_hashes(read_array(path))
    except InvalidInput as error:
        raise FileRefused(f"{str(path)!r}: {error.problem}", "Leave --seen out.") from None


def _takes_nothing(function: Any) -> bool:
    import inspect

    parameters = inspect.signature(function).parameters.values()
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(p.default is not p.empty or p.kind in optional for p in parameters)


def _load_weights(model: Any, path: Path) -> None:
    if not hasattr(model, "load_state_dict"):
        raise InvalidInput(
            f"Weights were given for a {type(model).__name__}.", "Leave --weights out."
        )
    if path.suffix != ".safetensors":
        raise FileRefused(
            f"{path.name!r} is not a .safetensors file, and pickles are never loaded.",
            "Convert it with safetensors.torch.save_file(module.state_dict(), ...).",
        )
    from limbeck.teachers.safetensors_file import load_weights

    load_weights(model, path)

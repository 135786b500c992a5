"""A scikit-learn model in a .skops file as a teacher; a type that skops does not know is refused.

skops writes what an estimator holds as data and names the type of each part, so that no code of the
file's own is run where all of these are known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from limbeck.core.contract import Teacher
from limbeck.core.errors import FileRefused, MissingExtra
from limbeck.core.registry import TEACHERS
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.files import path_of

__all__ = ["SkopsFile", "read_skops"]


@TEACHERS.register("skops")
class SkopsFile:
    """A fitted scikit-learn model in a .skops file, for `SklearnTeacher`."""

    entry = TeacherEntry(
        "a scikit-learn model saved by skops",
        'limbeck.distill("model.skops", X)',
        extra="skops",
        files=(".skops",),
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is the path of a .skops file."""
        path = path_of(model)
        return path is not None and path.suffix.lower() == ".skops"

    @classmethod
    def from_object(
        cls,
        path: str | Path,
        *,
        trusted: Sequence[str] = (),
        method: Any = None,
        unit: str = "",
        preprocess: Callable[[Any], Any] | None = None,
        name: str | None = None,
    ) -> Teacher:
        """The teacher of the estimator in a file.

        Parameters
        ----------
        path : str or Path
            The .skops file.
        trusted : sequence of str
            Types beyond those that skops knows which may be made, such as ``package.module.Type``.
        method, unit, preprocess, name
            As of `limbeck.teachers.sklearn.SklearnTeacher`.
        """
        from limbeck.teachers.sklearn import SklearnTeacher

        estimator = read_skops(Path(path), trusted)
        return SklearnTeacher(
            estimator, method=method, unit=unit, preprocess=preprocess,
            name=name or Path(path).name,
        )  # fmt: skip


def read_skops(path: Path, trusted: Sequence[str] = ()) -> Any:
    """The estimator in a .skops file.

    Parameters
    ----------
    path : Path
        The file.
    trusted : sequence of str
        Types that may be made beside those that skops knows.

    Raises
    ------
    FileRefused
        If it holds other types, which are named, or cannot be read.
    MissingExtra
        If skops is not installed.
    """
    try:
        import skops.io as skops
    except ImportError:
        raise MissingExtra(
            "Reading a .skops file needs skops.", "pip install 'limbeck[skops]'."
        ) from None
    try:
        unknown = skops.get_untrusted_types(file=path)
    except Exception as error:
        raise _unreadable(path, error) from None
    refused = [name for name in unknown if name not in trusted]
    if refused:
        raise FileRefused(
            f"{path.name!r} holds types that are not known to be safe: {', '.join(refused)}.",
            f"Where you trust them: limbeck.as_teacher({str(path)!r}, trusted={refused!r}).",
        )
    try:
        return skops.load(path, trusted=unknown)
    except Exception as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> FileRefused:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return FileRefused(
        f"{path.name!r} cannot be read by skops, as when it is cut off: {first}",
        "Write it again with skops.io.dump.",
    )

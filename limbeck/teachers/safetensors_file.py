"""Weights in a .safetensors file, with the torch module that they belong to, as a teacher."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Label
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.files import path_of
from limbeck.teachers.reading import FirstOutputs

__all__ = ["SafetensorsFile", "load_weights"]


@TEACHERS.register("safetensors")
class SafetensorsFile:
    """Weights for a module that is given beside them; see `limbeck.teachers.torch.TorchTeacher`."""

    entry = TeacherEntry(
        "safetensors weights, with their torch module",
        'limbeck.distill(limbeck.as_teacher("net.safetensors", module=net, classes=3), X)',
        Access.SCORES | Access.QUERIES | Access.ACTIVATIONS | Access.GRADIENTS | Access.WEIGHTS,
        extra="torch",
        files=(".safetensors",),
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is the path of a .safetensors file."""
        path = path_of(model)
        return path is not None and path.suffix.lower() == ".safetensors"

    @classmethod
    def first_outputs(
        cls, path: Any, example: Any, options: dict[str, Any], k: int
    ) -> FirstOutputs | None:
        """Outputs for some rows; see `limbeck.teachers.reading.read_outputs`.

        Parameters
        ----------
        path : str or Path
            The file.
        example : rows or None
            The rows.
        options : dict
            Those of `from_object`.
        k : int
            The number of classes, or 0.
        """
        if example is None:
            return None
        from dataclasses import replace

        from limbeck.teachers.torch import TorchTeacher

        module = _filled(path, options.pop("module", None))
        options.setdefault("name", Path(path).name)
        found = TorchTeacher.first_outputs(module, example, options, k)
        return None if found is None else replace(found, opened=module)

    @classmethod
    def from_object(
        cls,
        path: Any,
        *,
        module: Any = None,
        classes: Sequence[Label] | int | None = None,
        unit: str = "",
        score_kind: ScoreKind | str | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        batch_size: int = 4096,
        device: Any = None,
        name: str | None = None,
        regression: bool = False,
        output: str | int | None = None,
    ) -> Teacher:
        """The teacher of a module with the weights of a file.

        Parameters
        ----------
        path : str, Path or torch.nn.Module
            The file; or the module, where its weights are loaded.
        module : torch.nn.Module
            Of the same architecture; it is copied and not changed.
        classes, unit, score_kind, preprocess, batch_size, device, name, regression, output
            As of `limbeck.teachers.torch.TorchTeacher`.
        """
        from limbeck.teachers.torch import TorchTeacher

        own = None if path_of(path) is None else Path(path).name
        filled = path if own is None else _filled(path, module)
        return TorchTeacher(
            filled, classes=classes, unit=unit, score_kind=score_kind, preprocess=preprocess,
            batch_size=batch_size, device=device, name=name or own, regression=regression,
            output=output,
        )  # fmt: skip


def load_weights(module: Any, path: Path) -> None:
    """Load the weights of a .safetensors file into a module.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place.
    path : Path
        The file.

    Raises
    ------
    FileRefused
        If the file is unreadable, or holds other weights than the module has.
    """
    try:
        from safetensors.torch import load_file
    except ImportError:
        raise MissingExtra(
            "Reading a .safetensors file needs torch and safetensors.",
            "pip install 'limbeck[torch]'.",
        ) from None
    try:
        module.load_state_dict(load_file(path))
    except Exception as error:
        first = str(error).splitlines()[0]
        raise FileRefused(
            f"{path.name!r} does not fit the module: {first}", "Check both."
        ) from error


def _filled(path: Any, module: Any) -> Any:
    """A copy of the module with the weights of the file."""
    if not hasattr(module, "load_state_dict"):
        given = "none was given" if module is None else f"a {type(module).__name__} was given"
        raise InvalidInput(
            f"{str(path)!r} holds weights and not their module, and {given}.",
            f"Give it: limbeck.as_teacher({str(path)!r}, module=net); in the shell --teacher"
            " package.module:net --weights FILE.",
        )
    filled = copy.deepcopy(module)
    load_weights(filled, Path(path))
    return filled

"""The declaration of transformers folders as teachers, which is read without torch."""

from __future__ import annotations

from importlib.util import find_spec
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from limbeck.core.contract import Access
from limbeck.core.errors import MissingExtra
from limbeck.core.registry import TEACHERS
from limbeck.teachers.entry import TeacherEntry

__all__ = ["HuggingFaceFolder"]


@TEACHERS.register("huggingface")
class HuggingFaceFolder:
    """A transformers folder; see `limbeck.teachers.huggingface.teacher.HuggingFaceTeacher`."""

    entry = TeacherEntry(
        "a local folder of transformers: classifiers of texts, tokens and images, sentence"
        " encoders, sequence-to-sequence and causal models",
        'limbeck.distill("hf:./my-classifier", texts, into="text_classifier")',
        Access.SCORES | Access.QUERIES | Access.ACTIVATIONS,
        extra="huggingface",
        files=("hf:",),
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is ``hf:folder``, or a folder with a config.json."""
        if isinstance(model, str) and model.startswith("hf:"):
            return True
        named = isinstance(model, str | PathLike)
        return named and (Path(fspath(model)) / "config.json").is_file()

    @classmethod
    def load(cls) -> type[Any]:
        """The teacher's class.

        Raises
        ------
        MissingExtra
            If torch or transformers are not installed.
        """
        for package in ("torch", "transformers", "safetensors"):
            if find_spec(package) is None:
                raise MissingExtra(
                    f"Folders of transformers need {package}.",
                    "pip install 'limbeck[huggingface]'",
                )
        from limbeck.teachers.huggingface.teacher import HuggingFaceTeacher

        return HuggingFaceTeacher

"""A causal language model with its tokenizer, and the part of two vocabularies that is shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from torch import nn

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.modules.outputs import OutputReader, read_by
from limbeck.modules.quantized_tensors import is_quantized
from limbeck.teachers.huggingface.folder import read_folder
from limbeck.teachers.huggingface.loading import load_model
from limbeck.teachers.huggingface.skeleton import untrained_model

__all__ = ["LanguageModel", "is_folder", "read_model", "share_vocabulary", "tokens_of"]

_ROUNDED = "quantized"


@dataclass(frozen=True, eq=False, repr=False)
class LanguageModel:
    """A causal language model and its tokenizer.

    Parameters
    ----------
    module : nn.Module
        Of transformers, with a head over the vocabulary.
    tokenizer : object
        As transformers makes them.
    name : str
        What it is called in tables.
    card : str
        A model card that is saved with it.
    """

    module: Any
    tokenizer: Any
    name: str
    card: str = ""

    def save_pretrained(self, folder: str | PathLike[str]) -> Path:
        """Write weights (safetensors), configuration, tokenizer and model card.

        Parameters
        ----------
        folder : path
            Made if it does not exist; transformers opens it. Of a model with rounded weights
            `read_model` does: ``quantized/`` holds its whole numbers and scales.

        Raises
        ------
        FileRefused
            If the folder cannot be written.
        """
        from safetensors import SafetensorError

        place = Path(fspath(folder))
        try:
            with _quiet():
                if _is_rounded(self.module):
                    self._save_whole_numbers(place)
                else:
                    self.module.save_pretrained(place)
            self.tokenizer.save_pretrained(place)
        except (OSError, SafetensorError) as error:
            told = getattr(error, "strerror", None) or str(error).rpartition("error: ")[2]
            raise FileRefused(
                f"{str(place)!r} cannot be written: {told}.",
                "Free some space, or choose another folder.",
            ) from None
        if self.card:
            write_bytes(self.card.encode(), place / "README.md")
        return place

    def _save_whole_numbers(self, place: Path) -> None:
        from limbeck.export.networks import write_student

        (place / _ROUNDED).mkdir(parents=True, exist_ok=True)
        self.module.config.save_pretrained(place)
        self.module.generation_config.save_pretrained(place)
        write_student(self.module, place / _ROUNDED)

    @property
    def parameters(self) -> int:
        """Weights, those that are used twice counted once."""
        return sum(p.numel() for p in self.module.parameters())

    def __repr__(self) -> str:
        return f"LanguageModel({self.name}, {self.parameters:,} parameters)"

    @property
    def outputs(self) -> int:
        """Rows of the head: the vocabulary, with what was only filled up."""
        head = self.module.get_output_embeddings()
        return int(head.weight.shape[0])

    @property
    def context(self) -> int | None:
        """Tokens at most; None where the configuration does not say."""
        config = self.module.config
        found = getattr(config, "max_position_embeddings", None) or getattr(
            config, "n_positions", None
        )
        return None if found is None else int(found)

    @property
    def ends(self) -> tuple[int, ...]:
        """The tokens that end a text: of the tokenizer and of the generation configuration."""
        configured = getattr(getattr(self.module, "generation_config", None), "eos_token_id", None)
        several = configured if isinstance(configured, list | tuple) else [configured]
        found = {self.tokenizer.eos_token_id, *several} - {None}
        return tuple(sorted(int(token) for token in found))

    @property
    def pad(self) -> int:
        """The token that fills up batches; it is masked, so any will do."""
        own = self.tokenizer.pad_token_id
        return int(own) if own is not None else (self.ends or (0,))[0]


def is_folder(given: Any) -> bool:
    """Whether it names a folder of transformers: ``hf:folder``, or one with a config.json."""
    if isinstance(given, str) and given.startswith("hf:"):
        return True
    named = isinstance(given, str | PathLike)
    return named and (Path(fspath(given)) / "config.json").is_file()


def read_model(
    given: Any, role: str, tokenizer: Any = None, device: str | None = None
) -> LanguageModel:
    """A teacher or a student from what was given.

    Parameters
    ----------
    given : str, path, nn.Module or LanguageModel
        ``hf:folder``, or a causal model of transformers.
    role : str
        What it is called in messages.
    tokenizer : object, optional
        Of a module; a folder brings its own.
    device : str, optional
        Where a folder is loaded to; by default a GPU where there is one.

    Raises
    ------
    InvalidInput
        If it is no causal language model, or a module comes without a tokenizer.
    FileRefused
        If the folder cannot be read.
    """
    if isinstance(given, LanguageModel):
        return given
    if isinstance(given, nn.Module):
        if not _generates(given):
            raise InvalidInput(
                f"The {role} is a {type(given).__name__}, which writes no text.",
                "Give a causal model of transformers, or hf:folder.",
            )
        if tokenizer is None:
            raise InvalidInput(
                f"The {role} is a module without a tokenizer.", "Give tokenizer=, or hf:folder."
            )
        return LanguageModel(given, tokenizer, type(given).__name__)
    if not is_folder(given):
        raise InvalidInput(
            f"The {role} is {given!r}.", "Give hf:folder, or a causal model of transformers."
        )
    rounded = _read_rounded(given, device)
    if rounded is not None:
        return rounded
    folder = read_folder(given, "text-generation")
    if folder.config.get("is_encoder_decoder") is True:
        raise InvalidInput(
            f"The {role} {fspath(given)!r} is an encoder with a decoder.",
            "Give a causal language model such as Llama, Qwen or GPT-2.",
        )
    loaded = load_model(folder, device)
    return LanguageModel(loaded.module, loaded.reader, folder.path.resolve().name)


def _is_rounded(module: nn.Module) -> bool:
    return any(is_quantized(p) for p in module.parameters())


def _read_rounded(given: Any, device: str | None) -> LanguageModel | None:
    """A model with rounded weights, as ``save_pretrained`` writes it; None for other folders."""
    folder = Path(fspath(given).removeprefix("hf:"))
    if not (folder / _ROUNDED).is_dir():
        return None
    from limbeck.networks.quantization.loading import load_quantized

    module, tokenizer = untrained_model(folder)
    module = load_quantized(module, folder / _ROUNDED).to(device or "cpu")
    return LanguageModel(module, tokenizer, folder.resolve().name)


def _generates(module: Any) -> bool:
    """Whether a module writes text, and has a head over a vocabulary."""
    return hasattr(module, "generate") and module.get_output_embeddings() is not None


def share_vocabulary(teacher: LanguageModel, student: LanguageModel) -> tuple[int, str]:
    """Let both predict the same tokens; returns their number and a note, empty where nothing to do.

    Ids are compared, not sizes: Qwen2.5-7B has 152,064 outputs and Qwen2.5-0.5B 151,936, of which
    151,665 are tokens. Where the sizes of the heads differ both are cut to the tokens that exist,
    and their probabilities add up to 1 over these.

    Parameters
    ----------
    teacher, student : LanguageModel
        Marked so that what is beyond enters no loss and no score.

    Raises
    ------
    InvalidInput
        If the tokenizers number tokens differently, or a head is smaller than the vocabulary.
    """
    ours, theirs = _ids(student.tokenizer), _ids(teacher.tokenizer)
    if ours != theirs:
        token = next(t for t in sorted({*ours, *theirs}) if ours.get(t) != theirs.get(t))
        raise InvalidInput(
            f"The tokenizers of teacher and student differ: {token!r} is"
            f" {_id(theirs, token)} for the teacher and {_id(ours, token)} for the student.",
            "Give objective=limbeck.language.CrossTokenizer(), or a student with the teacher's"
            " tokenizer.",
        )
    real = tokens_of(student.tokenizer)
    for model, role in ((teacher, "teacher"), (student, "student")):
        if model.outputs < real:
            raise InvalidInput(
                f"The {role} has {model.outputs:,} outputs for {real:,} tokens.",
                "Resize its embeddings: model.resize_token_embeddings(len(tokenizer)).",
            )
    if teacher.outputs == student.outputs:
        return teacher.outputs, ""
    for model in (teacher, student):
        read_by(model.module, OutputReader(first=real))
    return real, (
        f"The teacher has {teacher.outputs:,} outputs and the student {student.outputs:,}; both"
        f" are cut to the {real:,} tokens of their tokenizer, and renormalised."
    )


def tokens_of(tokenizer: Any) -> int:
    """How many outputs stand for tokens; those beyond were only filled up.

    Parameters
    ----------
    tokenizer : object
        As transformers makes them.
    """
    return max(_ids(tokenizer).values()) + 1


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar of transformers."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _ids(tokenizer: Any) -> Mapping[str, int]:
    found: Mapping[str, int] = tokenizer.get_vocab()
    return found


def _id(ids: Mapping[str, int], token: str) -> str:
    return f"id {ids[token]}" if token in ids else "no token"

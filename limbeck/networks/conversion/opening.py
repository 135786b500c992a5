"""The model that is to be converted, from a folder or as transformers loaded it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbeck.core.errors import InvalidInput
from limbeck.networks.conversion.attention import attention_layers, decoder_layers

__all__ = ["OpenedModel", "open_model"]


@dataclass(frozen=True, eq=False)
class OpenedModel:
    """A causal language model and its tokenizer.

    Parameters
    ----------
    model : PreTrainedModel
        In float32 and evaluation mode.
    tokenizer : PreTrainedTokenizer
        Its tokenizer.
    name : str
        What tables call it.
    notes : tuple of str
        What was guessed.
    """

    model: Any
    tokenizer: Any
    name: str
    notes: tuple[str, ...] = ()

    @property
    def layers(self) -> int:
        """Blocks of the model."""
        return len(decoder_layers(self.model))

    @property
    def vocabulary(self) -> int:
        """Tokens that it knows."""
        return int(self.model.config.vocab_size)

    @property
    def end(self) -> int | None:
        """The token that ends a text."""
        found = getattr(self.tokenizer, "eos_token_id", None)
        return int(found) if isinstance(found, int) else None


def open_model(teacher: Any, tokenizer: Any = None, device: str | None = None) -> OpenedModel:
    """Open a folder of transformers, or take a model that is open.

    Parameters
    ----------
    teacher : str, path or PreTrainedModel
        ``hf:folder``, or the model; it is not changed.
    tokenizer : PreTrainedTokenizer, optional
        That of the model, where no folder is given.
    device : str, optional
        Where a folder is opened; by default on a GPU where there is one.

    Raises
    ------
    InvalidInput
        If it is no causal language model of transformers, or there is no tokenizer.
    FileRefused
        If the folder cannot be opened safely.
    """
    if isinstance(teacher, str | Path):
        from limbeck.teachers.huggingface.folder import read_folder
        from limbeck.teachers.huggingface.loading import load_model

        folder = read_folder(teacher)
        if folder.pipeline != "text-generation":
            raise InvalidInput(
                f"{str(folder.path)!r} holds a model for {folder.pipeline}: it has no causal mask.",
                "Give a causal language model such as Llama, Qwen or GPT-2; for encoders see"
                " limbeck.networks.recurrent_encoder.",
            )
        loaded = load_model(folder, device)
        attention_layers(loaded.module)
        return OpenedModel(loaded.module, loaded.reader, folder.path.name)
    attention_layers(teacher)
    if tokenizer is None:
        raise InvalidInput(
            f"{type(teacher).__name__} was given without a tokenizer.",
            "Give tokenizer=, or 'hf:folder', which holds both.",
        )
    return OpenedModel(teacher.eval(), tokenizer, type(teacher).__name__)

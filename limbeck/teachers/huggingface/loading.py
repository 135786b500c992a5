"""A checked folder as a module and what reads its inputs: no network, no pickles, no code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from limbeck.core.errors import FileRefused
from limbeck.teachers.huggingface.folder import Folder, Pipeline

__all__ = ["LoadedModel", "load_model"]

_CLASSES: dict[Pipeline, str] = {
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "image-classification": "AutoModelForImageClassification",
    "feature-extraction": "AutoModel",
    "text2text-generation": "AutoModelForSeq2SeqLM",
    "text-generation": "AutoModelForCausalLM",
}


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A module in evaluation mode, with its tokenizer or image processor.

    Parameters
    ----------
    module : nn.Module
        The model, in float32.
    reader : object
        Its tokenizer, or its image processor.
    """

    module: Any
    reader: Any


def load_model(folder: Folder, device: str | None) -> LoadedModel:
    """Load weights from safetensors or GGUF, in float32.

    Parameters
    ----------
    folder : Folder
        A folder that was checked.
    device : str or None
        Where it runs; by default on a GPU where there is one.

    Raises
    ------
    FileRefused
        If transformers cannot read it, or weights are lacking, which would be random.
    """
    import transformers
    from transformers.utils import logging

    images = folder.pipeline == "image-classification"
    given: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if folder.gguf is not None:
        given["gguf_file"] = folder.gguf
    bar, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        reader = (
            transformers.AutoImageProcessor.from_pretrained(folder.path, **given)
            if images
            else transformers.AutoTokenizer.from_pretrained(folder.path, **given)
        )
        kind = getattr(transformers, _CLASSES[folder.pipeline])
        module, info = kind.from_pretrained(
            folder.path, use_safetensors=True, dtype=torch.float32, output_loading_info=True,
            **given,
        )  # fmt: skip
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise FileRefused(
            f"transformers cannot load {str(folder.path)!r}: {type(error).__name__}: {first}",
            "Check that the folder holds model, config and tokenizer or processor, as"
            " save_pretrained writes them.",
        ) from error
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
    _check_lacking(folder, info)
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return LoadedModel(module.eval().to(place), reader)


def _check_lacking(folder: Folder, info: dict[str, Any]) -> None:
    lacking = sorted(map(str, info.get("missing_keys", ())))
    if folder.pipeline == "feature-extraction":  # the vector of a text does not use it
        lacking = [key for key in lacking if not key.startswith("pooler.")]
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise FileRefused(
            f"The weights of {str(folder.path)!r} lack {lacking[0]!r}{more},"
            f" which would be random.",
            f"It was not trained for {folder.pipeline}: give another folder or pipeline=.",
        )

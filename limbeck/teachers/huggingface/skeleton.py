"""A folder's language model without its weights, which lie there in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused
from limbeck.teachers.huggingface.folder import check_code

__all__ = ["untrained_model"]


def untrained_model(folder: Path) -> tuple[Any, Any]:
    """The untrained causal model in float32 and the tokenizer, or None, of a folder.

    Parameters
    ----------
    folder : Path
        With ``config.json``.

    Raises
    ------
    FileRefused
        If it asks for code of its own, or cannot be read.
    """
    import transformers

    check_code(folder)
    given: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **given)
        model = transformers.AutoModelForCausalLM.from_config(config)
        if (folder / "generation_config.json").is_file():
            found = transformers.GenerationConfig.from_pretrained(folder, local_files_only=True)
            model.generation_config = found
        tokenizer = None
        if (folder / "tokenizer_config.json").is_file():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **given)
    except Exception as error:  # tokenizers raise what has no class of its own
        first = (str(error).splitlines() or [""])[0]
        raise FileRefused(f"{str(folder)!r} cannot be read: {first}", "Save it again.") from None
    return model.float(), tokenizer

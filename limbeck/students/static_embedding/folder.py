"""A static embedding on disk, in the format of model2vec, which sentence-transformers reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused, MissingExtra
from limbeck.core.strict_json import parse_json, write_json

__all__ = ["read_folder", "write_folder"]

_WEIGHTS, _TOKENIZER, _CONFIG = "model.safetensors", "tokenizer.json", "config.json"
_MODULES = (("StaticEmbedding", "."), ("Normalize", "1_Normalize"))
_KEYS = {"embeddings", "basis"}


def write_folder(
    folder: Path,
    table: NDArray[Any],
    tokenizer: str,
    basis: NDArray[Any] | None,
    unknown: int | None,
    fingerprint: str,
) -> Path:
    """Write ``model.safetensors``, ``tokenizer.json``, ``config.json`` and ``modules.json``.

    The tensors are ``embeddings``, as model2vec calls it, and ``basis`` where there is one.

    Parameters
    ----------
    folder : Path
        Made if it does not exist; files of the same names are replaced, each at once.
    table, tokenizer, basis, unknown
        As for `limbeck.students.static_embedding.static_embedding.StaticEmbedding`.
    fingerprint : str
        The student's.
    """
    numpy_format = _safetensors()
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {"embeddings": np.ascontiguousarray(table)}
    if basis is not None:
        tensors["basis"] = np.ascontiguousarray(basis)
    write_bytes(numpy_format.save(tensors), folder / _WEIGHTS)
    write_bytes(tokenizer.encode(), folder / _TOKENIZER)
    config = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "normalize": True,
        "max_length": None,
        "hidden_dim": int(table.shape[1]),
        "embedding_dtype": table.dtype.name,
        "limbeck_unknown": unknown,
        "limbeck_fingerprint": fingerprint,
    }
    write_json(config, folder / _CONFIG)
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(_MODULES)
    ]
    write_bytes(json.dumps(modules, indent=1, allow_nan=False).encode(), folder / "modules.json")
    (folder / _MODULES[1][1]).mkdir(exist_ok=True)
    return folder


def read_folder(folder: Path) -> tuple[Any, str, Any, int | None]:
    """Table, tokenizer, basis and number of the unknown token.

    Parameters
    ----------
    folder : Path
        As `write_folder` or model2vec wrote it, without quantised vocabularies.

    Raises
    ------
    FileRefused
        If it cannot be read, or was changed.
    """
    numpy_format = _safetensors()
    for name in (_WEIGHTS, _TOKENIZER, _CONFIG):
        if not (folder / name).is_file():
            raise FileRefused(f"{str(folder)!r} holds no {name}.", "Give the folder of a table.")
    try:
        config = parse_json((folder / _CONFIG).read_bytes())
        tensors = numpy_format.load((folder / _WEIGHTS).read_bytes())
        text = (folder / _TOKENIZER).read_text(encoding="utf-8")
    except Exception as error:
        raise FileRefused(f"{str(folder)!r} cannot be read: {error}.", "Write it anew.") from error
    if "embeddings" not in tensors or set(tensors) - _KEYS:
        raise FileRefused(
            f"{_WEIGHTS} of {str(folder)!r} holds {', '.join(sorted(tensors))}.",
            "Give a table without a quantised vocabulary.",
        )
    if not isinstance(config, dict) or not config.get("normalize", False):
        raise FileRefused(
            f"The vectors of {str(folder)!r} are not of length 1.", "Save it with normalize=True."
        )
    unknown = config.get("limbeck_unknown")
    return tensors["embeddings"], text, tensors.get("basis"), unknown


def _safetensors() -> Any:
    try:
        from safetensors import numpy as numpy_format
    except ImportError:
        raise MissingExtra(
            "Static embeddings need the package safetensors.", "pip install 'limbeck[embeddings]'"
        ) from None
    return numpy_format

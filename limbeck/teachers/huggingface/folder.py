"""What a transformers folder holds, and what of it is refused unread: pickles and code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from os import fspath
from pathlib import Path
from typing import Any, Literal, get_args

from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean

__all__ = ["Folder", "Pipeline", "SentencePooling", "check_code", "read_folder"]

Pipeline = Literal[
    "text-classification", "token-classification", "image-classification", "feature-extraction",
    "text2text-generation", "text-generation",
]  # fmt: skip
"""What is asked of the model, as pipelines of transformers are called."""

_ENDINGS: dict[str, Pipeline] = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForImageClassification": "image-classification",
    "ForConditionalGeneration": "text2text-generation",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "Model": "feature-extraction",
    "ForMaskedLM": "feature-extraction",
}
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
_CONFIGS = (
    "config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json",
)  # fmt: skip
_POOLING = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


@dataclass(frozen=True)
class SentencePooling:
    """How the vectors of tokens become one vector of a text.

    Parameters
    ----------
    mode : {"mean", "cls"}
        Their mean, or the first.
    normalize : bool
        Whether its length is made 1.
    max_length : int or None
        Tokens at most, where the folder says so.
    note : str
        What was guessed; empty where the folder says it.
    """

    mode: str = "mean"
    normalize: bool = False
    max_length: int | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Folder:
    """A folder that may be loaded.

    Parameters
    ----------
    path : Path
        Where it lies.
    config : dict
        Its config.json; empty where a GGUF file holds the configuration.
    pipeline : str
        What is asked of the model.
    gguf : str or None
        The name of the GGUF file that holds the weights.
    pooling : SentencePooling
        For sentence encoders.
    """

    path: Path
    config: dict[str, Any]
    pipeline: Pipeline
    gguf: str | None
    pooling: SentencePooling


def read_folder(given: Any, pipeline: str | None = None) -> Folder:
    """Check a folder before anything of it is loaded.

    Parameters
    ----------
    given : str or path
        ``hf:folder``, or the folder.
    pipeline : str, optional
        What is asked of the model; by default what the architecture in config.json is for.

    Raises
    ------
    FileRefused
        If there is no such folder, its weights are pickled or lacking, or it needs code of its own.
    InvalidInput
        If nothing is known of its architecture, or there is no such pipeline.
    """
    path = Path(fspath(given).removeprefix("hf:") if isinstance(given, str) else fspath(given))
    if not path.is_dir():
        raise FileRefused(
            f"There is no folder {str(path)!r}.",
            "Models are read from local folders only: `hf download OWNER/NAME --local-dir FOLDER`"
            " fetches one.",
        )
    check_code(path)
    gguf = _weights(path)
    config = _json(path / "config.json") if (path / "config.json").is_file() else {}
    if not config and gguf is None:
        raise FileRefused(f"{str(path)!r} has no config.json.", "Give a folder of save_pretrained.")
    chosen = _pipeline(path, config, pipeline, gguf)
    pooling = _pooling(path) if chosen == "feature-extraction" else SentencePooling()
    return Folder(path, config, chosen, gguf, pooling)


def check_code(path: Path) -> None:
    """Refuse a folder that names code of its own, or holds an adapter alone.

    Raises
    ------
    FileRefused
        Names the file.
    """
    for name in _CONFIGS:
        if (path / name).is_file() and "auto_map" in _json(path / name):
            raise FileRefused(
                f"{name} of {str(path)!r} names code of its own (auto_map), which is never run.",
                "Give a model whose architecture transformers itself knows; or load it yourself"
                " and give limbeck the module or a function.",
            )
    if (path / "adapter_config.json").is_file():
        raise FileRefused(
            f"{str(path)!r} holds an adapter, and no whole model.",
            "Merge it once: model.merge_and_unload().save_pretrained(folder).",
        )


def _weights(path: Path) -> str | None:
    """The GGUF file, or None where there are safetensors; refuses everything else by name."""
    names = sorted(f.name for f in path.iterdir() if f.is_file())
    if any(name.endswith(".safetensors") for name in names):
        index = path / "model.safetensors.index.json"
        if index.is_file():
            parts = set(_json(index).get("weight_map", {}).values())
            lacking = sorted(p for p in parts if "/" in str(p) or not (path / str(p)).is_file())
            if lacking:
                raise FileRefused(
                    f"{str(path)!r} lacks {lacking[0]!r}, which its index names.",
                    "Fetch the whole folder.",
                )
        return None
    packed = [name for name in names if name.lower().endswith(".gguf")]
    if len(packed) > 1:
        raise FileRefused(
            f"{str(path)!r} holds {len(packed)} GGUF files.", "Leave one of them in the folder."
        )
    if packed:
        return packed[0]
    pickled = [name for name in names if name.endswith(_PICKLED)]
    if pickled:
        raise FileRefused(
            f"The weights {pickled[0]!r} of {str(path)!r} are pickled, or not of safetensors, and"
            " are never loaded.",
            "Where you trust them, convert them once:"
            " AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True),"
            " with the class of your model; then remove the old file.",
        )
    raise FileRefused(
        f"{str(path)!r} holds no .safetensors file.", "Give a folder of save_pretrained."
    )


def _pipeline(
    path: Path, config: dict[str, Any], pipeline: str | None, gguf: str | None
) -> Pipeline:
    known = get_args(Pipeline)
    if pipeline is not None and pipeline not in known:
        raise InvalidInput(f"There is no pipeline {pipeline!r}.", did_you_mean(pipeline, known))
    for name in known:
        if name == pipeline:
            return name  # type: ignore[no-any-return]
    if (path / "modules.json").is_file():
        return "feature-extraction"
    architecture = str((config.get("architectures") or [""])[0])
    for ending, found in _ENDINGS.items():
        if architecture.endswith(ending):
            return found
    if gguf is not None:
        return "text-generation"
    raise InvalidInput(
        f"The architecture of {str(path)!r} is {architecture or 'not named'!r}.",
        f"Say what it does: pipeline= one of {', '.join(known)}.",
    )


def _pooling(path: Path) -> SentencePooling:
    """What sentence-transformers wrote beside the model; the mean of tokens where nothing is."""
    if not (path / "modules.json").is_file():
        return SentencePooling(note="The vector of a text is the mean of those of its tokens.")
    mode, normalize = "mean", False
    modules = _json(path / "modules.json")
    for module in modules:
        kind, place = str(module.get("type", "")), str(module.get("path", ""))
        name = kind.rpartition(".")[2]
        if name not in ("Transformer", "Pooling", "Normalize") or ".." in Path(place).parts:
            raise FileRefused(
                f"modules.json names {kind!r}, which limbeck does not know.",
                "Load it with sentence-transformers, and give limbeck its encode function.",
            )
        if name == "Pooling":
            given = _json(path / place / "config.json")
            modes = [given["pooling_mode"]] if isinstance(given.get("pooling_mode"), str) else [
                m for m, on in given.items() if m.startswith("pooling_mode_") and on
            ]  # fmt: skip
            if len(modes) != 1 or _POOLING.get(modes[0], modes[0]) not in ("mean", "cls"):
                raise FileRefused(
                    f"The pooling of {str(path)!r} is {modes}.", "Give one of mean or cls tokens."
                )
            mode = _POOLING.get(modes[0], modes[0])
        normalize = normalize or name == "Normalize"
    told = path / "sentence_bert_config.json"
    longest = _json(told).get("max_seq_length") if told.is_file() else None
    return SentencePooling(mode, normalize, longest if isinstance(longest, int) else None)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FileRefused(f"{str(path)!r} cannot be read: {error}.", "Write it anew.") from None

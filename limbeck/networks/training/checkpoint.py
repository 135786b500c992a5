"""A training that was interrupted goes on as if it had not been.

One file, replaced as a whole: tensors as safetensors, everything else as JSON in its header. So a
kill at any moment leaves the older checkpoint or the newer one, never parts of two; and nothing in
it is code. The header holds checksums: of the header, and of the tensors by blocks of 64 KiB, so
that a byte that changed since is refused rather than trained on.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.task import Task
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.cache.cache_file import CacheFile
from limbeck.networks.cache.checksums import BLOCK, block_sums
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.settings import Training

if TYPE_CHECKING:
    from limbeck.networks.cache.teacher_cache import TeacherCache

__all__ = [
    "NAME",
    "cloned",
    "random_state",
    "read",
    "restore_random",
    "same",
    "settings_of",
    "write",
]

NAME = "checkpoint.safetensors"
FORMAT = 2
"""2: with checksums."""
_TENSOR, _NUMBER = "tensor:", "number:"  # a number is NaN or infinite, which JSON lacks
_OF_HEADER = "0" * 8  # stands for the checksum of the header, in it
_HELD = b'"header":"' + _OF_HEADER.encode()


def write(folder: Path, state: Mapping[str, Any]) -> Path:
    """Write a state of nested dicts and lists of tensors, numbers and text.

    Parameters
    ----------
    folder : Path
        Where the file is written.
    state : mapping
        What `read` gives back.

    Raises
    ------
    FileRefused
        If it cannot be written; the older checkpoint stays.
    InvalidInput
        If something in it is none of these.
    """
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    plain = _taken_apart(state, "", tensors)
    held = _alone(tensors)
    blocks = math.ceil(sum(t.nbytes for t in held.values()) / BLOCK)
    header = {
        "limbeck": json.dumps({"format": FORMAT, "state": plain}, allow_nan=False),
        "header": _OF_HEADER,
        "blocks": "0" * (8 * blocks),
    }
    return write_bytes(_summed(save(held, header)), folder / NAME)


def read(folder: Path) -> dict[str, Any] | None:
    """The state in a folder, with tensors on the CPU; None where there is none.

    Raises
    ------
    FileRefused
        If the file is damaged (names the block), or of another format.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / NAME
    if not path.exists():
        return None
    try:
        _check(path)
        with safe_open(str(path), "pt") as file:
            header = json.loads(file.metadata()["limbeck"])
            # Copies lie as torch lays them: sums over others may be rounded otherwise.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if header["format"] > FORMAT:
            raise FileRefused(
                f"{str(path)!r} has format {header['format']}.", "Install a newer limbeck."
            )
        state: dict[str, Any] = _put_together(header["state"], tensors)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, FileRefused):
            raise
        raise FileRefused(
            f"{str(path)!r} is not a checkpoint: {error}.", "Remove it to start anew."
        ) from None
    return state


def _summed(content: bytes) -> bytearray:
    """The same file with its checksums in place of the zeros that stand for them."""
    out = bytearray(content)
    end = 8 + int.from_bytes(out[:8], "little")
    sums = "".join(f"{s:08x}" for s in block_sums(memoryview(out)[end:]).tolist())
    place = out.index(b'"blocks":"', 0, end) + len(b'"blocks":"')
    out[place : place + len(sums)] = sums.encode()
    place = out.index(_HELD, 0, end) + len(_HELD) - 8
    out[place : place + 8] = f"{zlib.crc32(memoryview(out)[:end]):08x}".encode()
    return out


def _check(path: Path) -> None:
    """Refuse a file of which a byte is not the one that was written."""
    remedy = "Remove it to start anew."
    with path.open("rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        short = length > path.stat().st_size  # a header that does not end is not read
        header = bytearray(b"" if short else file.read(length))
        place = header.find(_HELD[:-8]) + len(_HELD) - 8
        if place < len(_HELD) - 8:
            raise FileRefused(
                f"{str(path)!r} is not a checkpoint of this limbeck, or is damaged: there are no"
                " checksums in it.",
                remedy,
            )
        told = bytes(header[place : place + 8])
        header[place : place + 8] = b"0" * 8
        if told != f"{zlib.crc32(header, zlib.crc32(start)):08x}".encode():
            raise FileRefused(f"{str(path)!r} is damaged: its header is not as written.", remedy)
        sums = json.loads(header)["__metadata__"]["blocks"]
        for block in range(len(sums) // 8 + 1):  # behind the last there is nothing
            found = f"{zlib.crc32(some):08x}" if (some := file.read(BLOCK)) else ""
            if found != sums[8 * block : 8 * block + 8]:
                raise FileRefused(
                    f"{str(path)!r} is damaged: block {block} of its tensors (64 KiB from byte"
                    f" {8 + len(header) + block * BLOCK:,}) is not as written.",
                    remedy,
                )


def same(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on with other settings.

    Parameters
    ----------
    before, now : mapping
        Settings by name, those of the checkpoint and those of this call.
    folder : Path
        Where the checkpoint is.

    Raises
    ------
    InvalidInput
        Names each setting that differs, with both values.
    """
    changed = [k for k in {**before, **now} if before.get(k) != now.get(k)]
    if changed:
        shown = "; ".join(f"{k} was {before.get(k)!r} and is {now.get(k)!r}" for k in changed)
        raise InvalidInput(
            f"The training in {str(folder)!r} was started with other settings: {shown}.",
            "Give these again to go on, or another folder to start anew.",
        )


def _taken_apart(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """What JSON holds of a value; tensors go to a table and leave their name."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach()
        return _TENSOR + path
    if isinstance(value, Mapping):
        return {"keys": [[k, _taken_apart(v, f"{path}/{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_taken_apart(v, f"{path}/{i}", tensors) for i, v in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return f"{_NUMBER}{value}"
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and not value.startswith((_TENSOR, _NUMBER)):
        return value
    raise InvalidInput(
        f"{path} is a {type(value).__name__}, which a checkpoint cannot hold.",
        "Use an optimizer whose state is made of tensors and numbers.",
    )


def _put_together(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, dict):
        return {k: _put_together(v, tensors) for k, v in value["keys"]}
    if isinstance(value, list):
        return [_put_together(v, tensors) for v in value]
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensors[value.removeprefix(_TENSOR)]
    if isinstance(value, str) and value.startswith(_NUMBER):
        return float(value.removeprefix(_NUMBER))
    return value


def _alone(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors on the CPU, none of which shares memory with another (tied weights)."""
    seen: set[int] = set()
    out = {}
    for name, tensor in tensors.items():
        one = tensor.cpu().contiguous()
        if one.untyped_storage().nbytes() != one.nbytes or one.data_ptr() in seen:
            one = one.clone()
        seen.add(one.data_ptr())
        out[name] = one
    return out


def cloned(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of a state dict that later updates do not change."""
    return {k: torch.clone(v.detach()) for k, v in state.items()}


_FREE = (  # settings that change no result
    "log_every", "checkpoint_every", "device", "num_workers", "callbacks", "metrics",
)  # fmt: skip


def settings_of(
    training: Training,
    objective: Objective,
    task: Task,
    samples: Samples,
    teacher: nn.Module | TeacherCache | None,
    filter: Filter | None,  # noqa: A002
    validation: Samples | None,
    views: int | None,
    seed: int,
    augment_seed: int,
    modules: Sequence[nn.Module],
) -> dict[str, Any]:
    """Everything that the result depends on, as numbers and text.

    Parameters
    ----------
    training : Training
        Settings of the loop; those that change no result are left out.
    objective : Objective
        The weighted losses.
    task : Task
        What is predicted.
    samples : Samples
        What is trained on.
    teacher : nn.Module, TeacherCache or None
        What is learned from.
    filter : Filter or None
        Which samples use the teacher's signal.
    validation : Samples or None
        Rows set aside.
    views : int or None
        How many augmented views of a sample there are.
    seed, augment_seed : int
        Of the order of samples, and of their views.
    modules : sequence of nn.Module
        The students.
    """
    out: dict[str, Any] = {
        f.name: _told(getattr(training, f.name)) for f in fields(training) if f.name not in _FREE
    }
    drawn = samples.random  # otherwise neither views nor their seed change anything
    parts = [f"{_told(p.weight)} * {_told(p.term)}" for p in objective.parts]
    return out | {
        "objective": " + ".join(parts) + (" balanced" if objective.balanced else ""),
        "task": f"{task.kind} of {task.outputs}",
        "seed": seed,
        "views": views if drawn else None,
        "augment_seed": augment_seed if drawn else None,
        "filter": _told(filter),
        "samples": samples.fingerprint(),
        "drop_last": samples.drop_last,
        "validation": None if validation is None else validation.fingerprint(),
        "teacher": _taught_by(teacher),
        "student": [fingerprint(m) for m in modules],
    }


def _taught_by(teacher: nn.Module | TeacherCache | None) -> str | None:
    if isinstance(teacher, nn.Module):
        return fingerprint(teacher)
    if teacher is None:
        return None
    file = CacheFile.open(teacher.folder)
    assert file is not None  # noqa: S101  (checked before)
    return f"stored outputs {sorted((k, str(v)) for k, v in file.head.items())}"


def _told(value: Any) -> Any:
    """A setting as text that is the same in the next process: no addresses."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def random_state(generator: torch.Generator) -> dict[str, Tensor]:
    """The states of torch's random numbers, and of a generator on the device that trains."""
    out = {"torch": torch.get_rng_state(), "generator": generator.get_state()}
    if generator.device.type == "cuda":
        out["cuda"] = torch.cuda.get_rng_state(generator.device)
    return out


def restore_random(state: Mapping[str, Tensor], generator: torch.Generator) -> None:
    """Go on from states that `random_state` gave.

    Parameters
    ----------
    state : mapping
        The states.
    generator : torch.Generator
        Set to its own.
    """
    torch.set_rng_state(state["torch"])
    generator.set_state(state["generator"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], generator.device)

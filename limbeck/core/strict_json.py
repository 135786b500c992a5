"""Records as strict JSON, which knows neither NaN nor infinity, and back again."""

from __future__ import annotations

import hashlib
import json
import math
import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused
from limbeck.core.whole_folder import settle

__all__ = ["as_typed", "parse_json", "plain", "read_json", "record", "strict_json", "write_json"]

T = TypeVar("T")
_DIGITS = 20  # of a whole number of 64 bits, with its sign
_CHECKSUM = "checksum"


def plain(value: Any) -> Any:
    """Dataclasses, containers, arrays and numpy numbers as JSON knows them.

    Numbers that are not finite become None, and what JSON does not know becomes text.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)


def strict_json(value: Any, indent: int | None = 1) -> str:
    """JSON of what :func:`plain` makes of a value, which every parser reads.

    Parameters
    ----------
    value : object
        What is written.
    indent : int or None
        Blanks per level; None writes one line.
    """
    return json.dumps(plain(value), indent=indent, allow_nan=False, ensure_ascii=False)


def write_json(value: Any, path: Path) -> Path:
    """Write strict JSON, all of it or nothing.

    An object that names its format and version, as `read_json` wants it, gets a checksum: what is
    lost or changed in it afterwards is noticed. Whoever changes it on purpose can write another.

    Parameters
    ----------
    value : object
        What is written.
    path : Path
        The file; one that exists is replaced.

    Raises
    ------
    FileRefused
        If the file cannot be written.
    """
    held = plain(value)
    if isinstance(held, dict) and {"format", "version"} <= held.keys():
        held[_CHECKSUM] = _checksum(held)
    return write_bytes(
        json.dumps(held, indent=1, allow_nan=False, ensure_ascii=False).encode(), path
    )


def _checksum(held: Mapping[str, Any]) -> str:
    """Of what an object holds, however it is spaced and ordered."""
    own = {name: value for name, value in held.items() if name != _CHECKSUM}
    text = json.dumps(own, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def parse_json(text: str | bytes) -> Any:
    """Read JSON that every parser reads alike, and that fits into numbers of 64 bits.

    Parameters
    ----------
    text : str or bytes
        Bytes are read as UTF-8.

    Raises
    ------
    ValueError
        If the text is no JSON, or names a key twice (some readers take the first, others the
        last), holds NaN, infinity or a number beyond 64 bits, half a character (a lone
        surrogate), or is nested too deeply. The message completes "the file ...".

    Examples
    --------
    >>> parse_json('{"n": 3}')
    {'n': 3}
    >>> parse_json('{"n": 3, "n": 4}')
    Traceback (most recent call last):
    ...
    ValueError: names 'n' twice
    """
    try:
        found = json.loads(
            text if isinstance(text, str) else text.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
        )
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("holds half a character") from None
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON ({error})") from None
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"names {twice!r} twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"holds {text}, which JSON does not know")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"holds {text[:30]}, which is beyond 64 bits")
    return value


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"holds {text[:30]}..., which is beyond 64 bits")
    return int(text)


def read_json(path: Path, kind: str, newest: int, oldest: int = 1) -> dict[str, Any]:
    """Read a JSON object that names its format and version.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        The format that is expected.
    newest : int
        The newest version of it that can be read.
    oldest : int
        The oldest one.

    Raises
    ------
    FileRefused
        If the file cannot be read, is no JSON, of another format, newer or too old, or is not as
        it was written: its checksum, which files of earlier versions lack, is another.
    """
    settle(path.parent)
    try:
        data = parse_json(path.read_bytes())
    except OSError as error:
        raise FileRefused(
            f"{str(path)!r} cannot be read: {error.strerror}.", "Check the path."
        ) from None
    except ValueError as error:
        raise FileRefused(f"{str(path)!r} {error}.", "Save the result again.") from None
    if not isinstance(data, dict) or data.get("format") != kind:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise FileRefused(
            f"{str(path)!r} has the format {found!r}, not {kind!r}.",
            "Give a folder that limbeck wrote.",
        )
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not oldest <= version <= newest:
        if isinstance(version, int) and 1 <= version < oldest:
            raise FileRefused(
                f"{str(path)!r} has version {version}, and this limbeck reads {oldest} and later.",
                "Make the result again and save it.",
            )
        raise FileRefused(
            f"{str(path)!r} has version {version!r}, and this limbeck reads up to {newest}.",
            "Upgrade limbeck: pip install --upgrade limbeck.",
        )
    noted = data.pop(_CHECKSUM, None)
    if noted is not None and noted != _checksum(data):
        raise FileRefused(
            f"{str(path)!r} is not as it was written: its checksum is not that of its content.",
            "Take it from a copy, or save the result again.",
        )
    return data


def record(kind: type[T], data: Any, **given: Any) -> T:
    """A dataclass from what :func:`plain` made of one, by its type hints.

    Fields that are lacking take their defaults. None becomes NaN where a number must be.

    Parameters
    ----------
    kind : type
        The dataclass; its fields are numbers, text, dataclasses, arrays, tuples, mappings and
        unions with None.
    data : mapping
        What was read from JSON.
    **given
        Fields that are taken as they are, whatever the data say.

    Raises
    ------
    FileRefused
        If a field is lacking or of another kind.
    """
    try:
        return as_typed(kind, data, **given)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FileRefused(
            f"The record of a {kind.__name__} is malformed: {error}.", "Save the result again."
        ) from None


def as_typed(kind: type[T], data: Any, **given: Any) -> T:
    """As `record`, for readers that say themselves which file is malformed.

    Parameters
    ----------
    kind : type
        The dataclass.
    data : mapping
        What was read from JSON.
    **given
        Fields that are taken as they are.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, OverflowError
        If a field is lacking or of another kind.
    """
    found: T = _made(kind, data, given)
    return found


def _made(hint: Any, data: Any, given: Mapping[str, Any] = types.MappingProxyType({})) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        names = [f.name for f in fields(hint) if f.name in data and f.name not in given]
        return hint(**{name: _made(hints[name], data[name]) for name in names}, **given)
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if data is None and type(None) in args:
            return None
        return _made(next(a for a in args if a is not type(None)), data)
    if origin is tuple:
        if len(args) == 2 and args[1] is ...:
            return tuple(_made(args[0], v) for v in data)
        return tuple(_made(a, v) for a, v in zip(args, data, strict=True))
    if origin is list:
        return [_made(args[0], v) for v in data]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {k: _made(args[1], v) for k, v in data.items()}
    if origin is np.ndarray:
        return np.array(_numbers(data), dtype=get_args(args[1])[0])
    if hint is float and (isinstance(data, bool) or not isinstance(data, int | float | None)):
        raise TypeError(f"{data!r} is no number")
    if hint is float:
        return math.nan if data is None else data
    if hint in (int, str, bool) and type(data) is not hint:
        raise TypeError(f"{data!r} is no {hint.__name__}")
    if origin is Literal and data not in args:
        raise ValueError(f"{data!r} is none of {args}")
    return data


def _numbers(data: Any) -> Any:
    """Nested lists with NaN for None."""
    if isinstance(data, list):
        return [_numbers(v) for v in data]
    return math.nan if data is None else data

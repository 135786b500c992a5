"""A certificate as a JSON file: numbers, and the sentences that follow from them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any

from limbeck.certificates.issue import in_words
from limbeck.core.atomic_io import write_bytes
from limbeck.core.certificate import Certificate, GroupBound
from limbeck.core.errors import FileRefused
from limbeck.core.signatures import KIND, SCHEMA, Signature
from limbeck.core.strict_json import as_typed, parse_json
from limbeck.core.whole_folder import settle

__all__ = ["load", "read_stored", "save"]


def save(certificate: Certificate, path: str | Path) -> Path:
    """Write a certificate as JSON, all of it or nothing.

    Parameters
    ----------
    certificate : Certificate
        What to write.
    path : str or Path
        Where; an older file is replaced in one step.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    FileRefused
        If the folder does not exist or cannot be written.
    """
    fields_ = asdict(certificate)
    signature = fields_.pop("signature")
    record = {"kind": KIND, "schema": SCHEMA, "certificate": fields_}
    if signature is not None:
        record["signature"] = signature
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return write_bytes(text.encode(), path)


def load(path: str | Path) -> Certificate:
    """Read a certificate that `save` wrote. Reading does not verify; see `verify`.

    The statement and the assumptions are made anew from the numbers of the file: what stands
    there as text is for readers of the file, and is not trusted.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Certificate
        What the file states.

    Raises
    ------
    FileRefused
        If the file cannot be read, is of another kind or schema, or incomplete.
    """
    stored = read_stored(path)
    try:
        return in_words(stored)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileRefused(
            f"{path} is not a complete certificate ({error}).",
            "Ask for the file again, or certify anew.",
        ) from error


def read_stored(path: str | Path) -> Certificate:
    """A certificate with its sentences as they stand in the file, to compare them.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    FileRefused
        As for `load`.
    """
    settle(Path(path).parent)
    try:
        record = parse_json(Path(path).read_bytes())
    except OSError as error:
        raise FileRefused(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error
    except ValueError as error:
        raise FileRefused(f"{path} {error}.", "Ask for the certificate file again.") from error
    if not isinstance(record, dict) or record.get("kind") != KIND:
        kind = record.get("kind") if isinstance(record, dict) else type(record).__name__
        raise FileRefused(
            f"{path} is of kind {kind!r}, not {KIND!r}.", "Give a file that certify has written."
        )
    schema = record.get("schema")
    if type(schema) is not int or schema < SCHEMA:
        raise FileRefused(
            f"{path} has schema {schema!r}, and this limbeck reads {SCHEMA}.",
            "Ask for the file again, or certify anew.",
        )
    if schema > SCHEMA:
        raise FileRefused(
            f"{path} has schema {schema}, and this limbeck reads up to {SCHEMA}.",
            "Upgrade limbeck (pip install -U limbeck).",
        )
    try:
        _check_names(record, ("kind", "schema", "certificate"), ("signature",))
        return _certificate(record["certificate"], record.get("signature"))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileRefused(
            f"{path} is not a complete certificate ({error}).",
            "Ask for the file again, or certify anew.",
        ) from error


_NUMBER = (int, float)
_SETTINGS: dict[str, tuple[type, ...]] = {  # what recomputing needs, of which kind
    "active": (dict,),
    "bound": (str,),
    "candidates": (int,),
    "cases": (bool,),
    "coincidences": (int,),
    "copies": (int,),
    "drawn": _NUMBER,
    "duplicates": (str,),
    "finds_tolerance": (bool,),
    "level": _NUMBER,
    "loss_range": (list, tuple),
    "max_rows": _NUMBER,
    "merged": (int,),
    "ordered_rows": (str,),
    "own_loss": (bool,),
    "plan": (dict,),
    "rows": (int,),
    "seen": (dict,),
    "unit": (str,),
    "until": _NUMBER,
    "versions": (dict,),
}
_OPTIONAL = {"max_rows", "ordered_rows", "plan", "seen", "until", "drawn"}


def _certificate(data: Any, signature: Any) -> Certificate:
    needed, optional = _names_of(Certificate)
    optional.remove("signature")  # it stands beside what it signs
    _check_names(data, needed, optional)
    for group in data.get("groups", ()):
        _check_names(group, *_names_of(GroupBound))
    found = as_typed(Certificate, data)
    if not 0 < found.delta < 1 or found.n < 0 or not math.isfinite(found.epsilon + found.mean_loss):
        raise ValueError(f"delta {found.delta}, n {found.n} and epsilon {found.epsilon} fit none")
    for name, value in found.settings.items():
        kinds = _SETTINGS.get(name)
        missing = value is None and name in _OPTIONAL
        if kinds and not missing and (type(value) not in kinds):
            raise TypeError(f"{name} is {value!r}")
    return found if signature is None else replace(found, signature=_signature(signature))


def _signature(data: Any) -> Signature:
    _check_names(data, ("public_key", "value", "algorithm"))
    found = as_typed(Signature, data)
    for text, length in ((found.public_key, 64), (found.value, 128)):
        if len(text) != length or set(text) - set("0123456789abcdef"):
            raise ValueError(f"a signature or key of {length} hexadecimal digits is malformed")
    return found


def _check_names(data: Any, needed: Sequence[str], optional: Sequence[str] = ()) -> None:
    """Refuse what nobody would check, and what is lacking."""
    if not isinstance(data, dict):
        raise TypeError(f"{data!r} is no mapping")
    strange = sorted(data.keys() - {*needed, *optional})
    if strange:
        raise ValueError(f"{strange[0]!r} is no field of it")
    for name in needed:
        if name not in data:
            raise KeyError(name)


def _names_of(kind: type[Any]) -> tuple[list[str], list[str]]:
    """The fields that must be there, and those that may."""
    needed: list[str] = []
    optional: list[str] = []
    for f in fields(kind):
        has_default = f.default is not MISSING or f.default_factory is not MISSING
        (optional if has_default else needed).append(f.name)
    return needed, optional

"""A certificate as a JSON file: numbers, and the sentences that follow from them."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from limbeck.certificates.issue import in_words
from limbeck.core.atomic_io import write_bytes
from limbeck.core.contract import Certificate, GroupBound
from limbeck.core.errors import FileRefused

__all__ = ["load", "read_stored", "save"]

KIND = "limbeck certificate"
SCHEMA = 2


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
    record = {"kind": KIND, "schema": SCHEMA, "certificate": asdict(certificate)}
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
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileRefused(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error
    except ValueError as error:
        raise FileRefused(
            f"{path} is not JSON ({error}).", "Ask for the certificate file again."
        ) from error
    if not isinstance(record, dict) or record.get("kind") != KIND:
        kind = record.get("kind") if isinstance(record, dict) else type(record).__name__
        raise FileRefused(
            f"{path} is of kind {kind!r}, not {KIND!r}.", "Give a file that certify has written."
        )
    schema = record.get("schema")
    if not isinstance(schema, int) or schema < SCHEMA:
        raise FileRefused(
            f"{path} has schema {schema!r}, and this limbeck reads {SCHEMA}.",
            "Ask for the file again, or certify anew.",
        )
    if schema > SCHEMA:
        raise FileRefused(
            f"{path} has schema {schema}, and this limbeck reads up to {SCHEMA}.",
            "Upgrade limbeck (pip install -U limbeck).",
        )
    return _certificate(record.get("certificate"), path)


_SETTINGS = {"candidates", "max_rows", "until", "drawn"}  # numbers that recomputing needs
_NUMBERS = {"epsilon", "delta", "mean_loss", "asked", "tolerance"}


def _certificate(record: Any, path: str | Path) -> Certificate:
    try:
        values = {}
        for f in fields(Certificate):
            if f.name in record:
                values[f.name] = record[f.name]
            elif f.default is MISSING and f.default_factory is MISSING:
                raise KeyError(f.name)
        for name in _NUMBERS & values.keys():
            if values[name] is not None:
                values[name] = float(values[name])
        values["n"] = int(values["n"])
        values["assumptions"] = tuple(map(str, values["assumptions"]))
        values["groups"] = tuple(GroupBound(**g) for g in values.get("groups", ()))
        settings = values.get("settings", {})
        for name in _SETTINGS & settings.keys():
            float(settings[name])
        return Certificate(**values)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileRefused(
            f"{path} is not a complete certificate ({error}).",
            "Ask for the file again, or certify anew.",
        ) from error

"""A service described by a YAML file, as the shell takes it: ``--teacher chat.yaml``."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean
from limbeck.data.yaml_files import read_yaml
from limbeck.teachers.endpoints.spending import Price
from limbeck.teachers.files import path_of

__all__ = ["mapping_of", "settings_of"]

_SECRETS = ("api_key", "key", "token", "password", "secret")


def mapping_of(model: Any) -> dict[str, Any] | None:
    """What a YAML file holds; None for anything else.

    Parameters
    ----------
    model : object
        Whatever was given as a teacher.

    Raises
    ------
    FileRefused
        If the file cannot be read.
    MissingExtra
        If the package that reads YAML is not installed.
    """
    path = path_of(model)
    if path is None or path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        return None
    try:
        found = read_yaml(path.read_text(encoding="utf-8"), extra="endpoints", words=True)
    except (OSError, ValueError):  # the text of the error may repeat a key
        raise FileRefused(
            f"{str(path)!r} is no readable YAML.", "Write name: value lines, in UTF-8."
        ) from None
    return found if isinstance(found, dict) and all(isinstance(k, str) for k in found) else None


def settings_of(path: str | Path, made: type[Any]) -> dict[str, Any]:
    """The arguments of a teacher that a file holds, checked by name.

    Parameters
    ----------
    path : path
        The file.
    made : type
        The class of the teacher.

    Raises
    ------
    FileRefused
        If a name is unknown, one is missing, or the file holds a key.
    """
    found = mapping_of(path) or {}
    known = signature(made.__init__).parameters
    for name in found:
        if name.lower() in _SECRETS:
            raise FileRefused(
                f"{str(path)!r} holds a key as {name!r}.",
                "Put it into an environment variable, and write api_key_env: ITS_NAME.",
            )
        if name not in known or name == "self":
            raise FileRefused(
                f"{str(path)!r} has no setting {name!r}.", did_you_mean(name, list(known)[1:])
            )
    lacking = [
        name
        for name, one in list(known.items())[1:]
        if one.default is one.empty and name not in found
    ]
    if lacking:
        raise FileRefused(f"{str(path)!r} lacks {lacking[0]!r}.", f"Add a line {lacking[0]}: ...")
    price = found.get("price")
    if price is not None:
        try:
            found["price"] = Price(**price)
        except TypeError:
            raise InvalidInput(
                f"The price in {str(path)!r} is not understood.",
                f"Give {', '.join(signature(Price).parameters)}.",
            ) from None
    return found

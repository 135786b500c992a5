"""The key of a service: read from the environment when it is sent, and shown nowhere."""

from __future__ import annotations

import os
import re
from urllib.parse import parse_qsl, urlsplit

from limbeck.core.errors import InvalidInput

__all__ = ["check_url", "check_variable", "read_key", "redacted"]

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_SECRET = re.compile(r"key|token|secret|password|passwd|signature|credential|^sig$", re.IGNORECASE)


def check_variable(name: str | None) -> str | None:
    """The name of an environment variable; a key itself is refused, and not repeated.

    Parameters
    ----------
    name : str or None
        What was given as ``api_key_env``.

    Raises
    ------
    InvalidInput
        If it is not written like ``OPENAI_API_KEY``.
    """
    if name is None or (isinstance(name, str) and _VARIABLE.fullmatch(name)):
        return name
    raise InvalidInput(
        "api_key_env is not the name of an environment variable in capitals.",
        "Put the key into an environment variable, and give its name: api_key_env='SERVICE_KEY'.",
    )


def read_key(name: str | None) -> str | None:
    """The key that an environment variable holds; None where none is named.

    Parameters
    ----------
    name : str or None
        As `check_variable` returned it.

    Raises
    ------
    InvalidInput
        If the variable is not set, or holds what cannot stand in a header.
    """
    if name is None:
        return None
    key = os.environ.get(name, "").strip()
    if not key:
        raise InvalidInput(
            f"The environment variable {name} is not set.",
            f"Set {name} to the key of the service, or leave api_key_env out.",
        )
    if not key.isascii() or not key.isprintable():
        raise InvalidInput(
            f"The environment variable {name} holds characters that no header may hold.",
            "Set it to the key alone.",
        )
    return key


def redacted(text: bytes, key: str | None) -> bytes:
    """What a service sent, without the key: some repeat it in their errors.

    Parameters
    ----------
    text : bytes
        The body of a response.
    key : str or None
        The key that was sent.
    """
    return text if not key else text.replace(key.encode(), b"[key]")


def check_url(url: str) -> str:
    """The address of a service, with no secret in it.

    Parameters
    ----------
    url : str
        What was given.

    Raises
    ------
    InvalidInput
        If it is no http address, or holds a password or a key, which is not repeated.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises where it is no number
    except (ValueError, AttributeError, TypeError):
        usable = False
    if not usable:
        raise InvalidInput("The url is no http or https address.", "Give https://host/path.")
    query = parse_qsl(parts.query, keep_blank_values=True)
    if parts.username or parts.password or any(_SECRET.search(name) for name, _ in query):
        raise InvalidInput(
            f"The url of {parts.hostname} holds a password or a key.",
            "Leave it out of the url, and name an environment variable as api_key_env.",
        )
    return url

"""Text of unknown origin, such as names of columns, made fit to be printed."""

from __future__ import annotations

import re

__all__ = ["visible"]

# Controls of a terminal, marks that turn the direction of writing, and halves of characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Text in which characters that a reader would not see are written out.

    A terminal obeys control characters, and marks of direction let a name read as another one. Line
    breaks and tabs are left.

    Parameters
    ----------
    text : str
        What is to be printed.

    Examples
    --------
    >>> print(visible("age\x1b[2J"))
    age\x1b[2J
    """
    return _HIDDEN.sub(lambda found: ascii(found.group())[1:-1], text)

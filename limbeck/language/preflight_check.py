"""One check of the pre-flight, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Check"]


@dataclass(frozen=True)
class Check:
    """One check and what it found.

    Parameters
    ----------
    name : str
        What was looked at.
    state : {"ok", "warning", "refused"}
        Whether the run may go on.
    message, remedy : str
        What was found, and what to do.
    """

    name: str
    state: Literal["ok", "warning", "refused"]
    message: str
    remedy: str = ""

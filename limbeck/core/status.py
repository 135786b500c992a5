"""How a search ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from limbeck.core.errors import FileRefused

__all__ = ["Status", "StatusCode"]


class StatusCode(Enum):
    """How a search ended; the value says what it means."""

    EXACT = "the student agrees with the teacher on every row and query the search saw"
    COMPLETE = "the search ran to its end"
    LIMIT = "the search stopped at its limit; the student is the best found so far"
    INTERRUPTED = "the search was interrupted; the student is the best found so far"
    HYPOTHESIS_FAILED = (
        "the hypothesis that the method rests on does not hold for this teacher;"
        " the student is the best found without it"
    )


@dataclass(frozen=True)
class Status:
    """A code, the sentence that explains it here, and what to do about it."""

    code: StatusCode
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def to_dict(self) -> dict[str, str]:
        """The code's name, and the whole sentence, ready for JSON."""
        return {"code": self.code.name.lower(), "message": str(self)}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, or there is no such code.
        """
        try:
            return cls(StatusCode[data["code"].upper()], str(data["message"]))
        except (KeyError, TypeError, AttributeError):
            raise FileRefused(f"{data!r} is no status.", "Save the result again.") from None

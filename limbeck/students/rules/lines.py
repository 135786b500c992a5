"""Lines of printed rules, which text and drawings share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limbeck.students.tree.text import percent

__all__ = ["RuleLine", "text_of"]


@dataclass(frozen=True)
class RuleLine:
    """One rule as it is shown.

    Parameters
    ----------
    head : str
        What stands before the conditions: IF, ELSE IF, ELSE.
    conditions : str
        The conditions in words; empty for none.
    outcome : str
        What is predicted, or added.
    share : float or None
        The share of the training rows that it speaks of; None where not known, or for a heading.
    place : float
        Where the outcome lies in the palette: a class as its position, or a value from 0 to 1.
    of_class : bool
        Whether ``place`` is the position of a class.
    """

    head: str
    conditions: str = ""
    outcome: str = ""
    share: float | None = None
    place: float = 0.0
    of_class: bool = True

    @property
    def says(self) -> str:
        """The sentence."""
        if not self.conditions:
            return f"{self.head} {self.outcome}".strip()
        return f"{self.head} {self.conditions} THEN {self.outcome}"


def text_of(lines: Sequence[RuleLine]) -> str:
    """The sentences, one a line, with shares in brackets."""
    return "\n".join(
        line.says if line.share is None else f"{line.says}  [{percent(line.share)}]"
        for line in lines
    )

"""Self-Instruct's filters of instructions (Wang et al. 2023), each with its name."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from limbeck.language.generated.rouge import rouge_tokens

__all__ = ["CUT", "PREAMBLE", "InstructionFilters", "split_answer"]

CUT = "cut at the length limit"
PREAMBLE = "words before the list"
_ITEM = re.compile(r"\n\d+\s?\. ")
_FIRST = re.compile(r"^\s*\d+\s?\.\s+")
_UNSUITABLE = (
    "image", "images", "graph", "graphs", "picture", "pictures", "file", "files", "map", "maps",
    "draw", "plot", "go to",
)  # fmt: skip


def split_answer(text: str) -> list[str]:
    r"""The instructions of an answer, at ``\n<number>. ``, each on one line, capitalised.

    As in the published code all but the first letter become lower case. A number before the first
    one is taken off: chat models repeat it, which models that go on with a prompt do not.

    Parameters
    ----------
    text : str
        What followed "Come up with a series of tasks: 1. ... 9.".

    Examples
    --------
    >>> split_answer(" Name a river.\n10. Translate  the Word.\n11. ")
    ['Name a river.', 'Translate the word.']
    """
    parts = _ITEM.split(_FIRST.sub("", text))
    lines = [re.sub(r"\s+", " ", part).strip() for part in parts]
    return [line.capitalize() for line in lines if line and not re.fullmatch(r"\d+\s?\.?", line)]


@dataclass(frozen=True)
class InstructionFilters:
    """Which instructions are dropped, in the order of the published code.

    Parameters
    ----------
    similarity : float
        The largest ROUGE-L F with a seed or an instruction that was kept; above it one is dropped.
    min_words, max_words : int
        Words at least and at most.
    unsuitable : tuple of str
        Words that ask for more than text.
    any_script : bool
        Keep instructions that begin with no ASCII character, and count the letters of all scripts
        in ROUGE-L, where the published rules know English only.

    Examples
    --------
    >>> filters = InstructionFilters()
    >>> filters.fault("Draw a map of the town."), filters.fault("Name three rivers of Asia.")
    ("asks for more than text ('map')", '')
    """

    similarity: float = 0.7
    min_words: int = 4
    max_words: int = 150
    unsuitable: tuple[str, ...] = _UNSUITABLE
    any_script: bool = False

    def fault(self, instruction: str) -> str:
        """Why an instruction is dropped; empty where it is not.

        Parameters
        ----------
        instruction : str
            As `split_answer` returns it.
        """
        words = len(rouge_tokens(instruction, True) if self.any_script else instruction.split())
        if words < self.min_words:
            return f"fewer than {self.min_words} words"
        if words > self.max_words:
            return f"more than {self.max_words} words"
        for word in self.unsuitable:
            if re.search(rf"\b({re.escape(word)})\b", instruction, re.IGNORECASE):
                return f"asks for more than text ({word!r})"
        if instruction.startswith("Write a program"):
            return "begins with 'Write a program'"
        if instruction[0] in string.punctuation:
            return "begins with punctuation"
        if not self.any_script and not instruction[0].isascii():
            return "begins with no ASCII character"
        return ""

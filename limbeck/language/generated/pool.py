"""The pool of instructions: seeds, and what was kept since, compared by ROUGE-L."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from limbeck.language.generated.instruction_filters import CUT, InstructionFilters
from limbeck.language.generated.rouge import RougeIndex
from limbeck.language.generated.tasks import SeedTask
from limbeck.language.generated.writing_log import WritingLog, WritingRequest

__all__ = ["InstructionPool", "KeptInstruction"]


@dataclass(frozen=True)
class KeptInstruction:
    """An instruction that passed all filters.

    Parameters
    ----------
    id : str
        Its name.
    text : str
        The instruction.
    prompt_tasks : tuple of str
        What stood in its prompt.
    request : int
        Where it comes from.
    similarity : float
        The largest ROUGE-L F with what was in the pool.
    nearest : str
        Which one that is.
    """

    id: str
    text: str
    prompt_tasks: tuple[str, ...]
    request: int
    similarity: float
    nearest: str


class InstructionPool:
    """Seeds and kept instructions; takes a new one if no filter is against it.

    Parameters
    ----------
    seeds : sequence of SeedTask
        What people wrote.
    filters : InstructionFilters
        The filters.
    log : WritingLog
        Where what is dropped is noted.
    """

    def __init__(
        self, seeds: Sequence[SeedTask], filters: InstructionFilters, log: WritingLog
    ) -> None:
        self.seeds, self.filters, self.log = list(seeds), filters, log
        self.kept: list[KeptInstruction] = []
        self.index = RougeIndex(filters.any_script)
        self.names = [seed.id for seed in self.seeds]
        for seed in self.seeds:
            self.index.add(seed.instruction)

    def offer_answer(
        self, answer: WritingRequest, prompt_tasks: Sequence[str], leaked: re.Pattern[str] | None
    ) -> bool:
        """Whether the one instruction that an answer is was kept; not one that was cut off.

        Parameters
        ----------
        answer : WritingRequest
            The answer.
        prompt_tasks : sequence of str
            What stood in its prompt.
        leaked : pattern or None
            Words of the prompt, with which an instruction is dropped.
        """
        text = re.sub(r"\s+", " ", answer.answer).strip().strip('"')
        if answer.finish == "none" or not text:
            return False
        if answer.finish == "length":
            self.log.drop(text, CUT, answer.number, "answer")
            return False
        if leaked is not None and leaked.search(text):
            self.log.drop(text, "words of the prompt", answer.number, "instruction")
            return False
        return self.offer(text, prompt_tasks, answer.number)

    def offer(self, text: str, prompt_tasks: Sequence[str], request: int) -> bool:
        """Whether an instruction is kept; it is compared with seeds and with all kept before.

        Parameters
        ----------
        text : str
            The instruction.
        prompt_tasks : sequence of str
            What stood in its prompt.
        request : int
            Where it comes from.
        """
        fault = self.filters.fault(text)
        if fault:
            self.log.drop(text, fault, request, "instruction")
            return False
        place, similarity = self.index.nearest(text)
        if similarity > self.filters.similarity + 1e-12:  # a tie is kept, whatever the rounding
            why = f"ROUGE-L above {self.filters.similarity:g}"
            self.log.drop(text, why, request, "instruction", self.names[place])
            return False
        name = f"row_{len(self.kept)}"
        nearest = self.names[place] if place >= 0 else ""
        self.kept.append(
            KeptInstruction(name, text, tuple(prompt_tasks), request, similarity, nearest)
        )
        self.index.add(text)
        self.names.append(name)
        self.log.kept_instructions += 1
        return True

"""Instructions out of nothing, as Magpie has them (Xu et al. 2024, arXiv:2406.08464)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from limbeck.core.errors import InvalidInput
from limbeck.language.generated.answered_tasks import answered_rows
from limbeck.language.generated.instruction_filters import InstructionFilters
from limbeck.language.generated.pool import InstructionPool
from limbeck.language.generated.tasks import GeneratedRow, SeedTask
from limbeck.language.generated.writing_log import OutOfRequests, WritingLog
from limbeck.teachers.completions import Sampling

__all__ = ["EmptyPrompt"]


@dataclass(frozen=True)
class EmptyPrompt:
    """A chat model is given its template up to where the user's message begins, and writes it.

    Only a local model can be asked so: a server closes the user's turn itself.

    Parameters
    ----------
    prompts_at_once : int
        Draws between two looks at the pool.
    temperature, top_p : float
        How instructions are drawn.
    max_tokens : int
        The longest instruction.
    answer_tokens : int
        The longest answer to one.
    filters : InstructionFilters
        Which instructions are dropped.
    """

    prompts_at_once: int = 16
    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 128
    answer_tokens: int = 512
    filters: InstructionFilters = field(default_factory=InstructionFilters)

    name = "empty_prompt"
    needs_seeds = False

    def run(
        self, log: WritingLog, seeds: Sequence[SeedTask], n: int, rng: Random
    ) -> list[GeneratedRow]:
        """The rows of n instructions, each with the model's answer.

        Parameters
        ----------
        log : WritingLog
            Who writes, and what is noted.
        seeds : sequence of SeedTask
            Only what no instruction may be near to; may be empty.
        n : int
            Instructions to keep.
        rng : Random
            Not used: draws are told apart by the number of the request.

        Raises
        ------
        InvalidInput
            If the writer has no such opening.
        """
        opening = log.writer.opening()
        if opening is None:
            raise InvalidInput(
                f"{log.writer.name} cannot be asked with an empty prompt.",
                'Give "hf:folder" of a chat model with a template; a server adds its template'
                " itself.",
            )
        pool = InstructionPool(seeds, self.filters, log)
        sampling = Sampling(self.max_tokens, self.temperature, self.top_p)
        try:
            while len(pool.kept) < n:
                asked = [opening] * self.prompts_at_once
                answers = log.ask("writing instructions", asked, sampling, len(pool.kept), n)
                for answer in answers:
                    if len(pool.kept) < n:
                        pool.offer_answer(answer, (), None)
        except OutOfRequests:
            return []
        return answered_rows(log, pool, self.name, self.answer_tokens)

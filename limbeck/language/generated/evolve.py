"""Evol-Instruct (Xu et al. 2023, arXiv:2304.12244): instructions made harder or rarer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from limbeck.language.generated.answered_tasks import answered_rows
from limbeck.language.generated.instruction_filters import InstructionFilters
from limbeck.language.generated.pool import InstructionPool
from limbeck.language.generated.tasks import GeneratedRow, SeedTask
from limbeck.language.generated.writing_log import OutOfRequests, WritingLog
from limbeck.teachers.completions import Sampling

__all__ = ["EvolveInstructions", "RewriteInstructions"]

_HARDER = (
    "Rewrite the instruction below so that it is somewhat harder to carry out, and still reasonable"
    " and understood by people. {how} Add at most 20 words. Answer with the rewritten instruction"
    " and nothing else."
)
_DEPTH = {
    "constraints": "Add one more constraint or requirement.",
    "deepening": "Ask for more depth and breadth where it asks about something.",
    "concretizing": "Replace general terms by more specific ones.",
    "reasoning": "Make it ask explicitly for several steps of reasoning.",
}
_BREADTH = (
    "Write a new instruction in the spirit of the one below: of the same field, but rarer, and"
    " about as long and as difficult. Answer with the new instruction and nothing else."
)
_REWORD = (
    "Say the instruction below in quite different words, without changing what it asks for. Answer"
    " with the reworded instruction and nothing else."
)
_LEAKED = re.compile(
    r"\b(given prompt|rewritten (prompt|instruction)|new (prompt|instruction)|created prompt|"
    r"reworded instruction|instruction below)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class EvolveInstructions:
    """Each instruction is rewritten by an operation drawn at random, again and again.

    In depth: one more constraint, more depth, more specific terms, more steps of reasoning; in
    breadth: a rarer instruction of the same field. The fifth operation in depth of the paper, a
    more complicated input, is left out, since it needs examples of code and tables. Each prompt
    takes an instruction of the last generation, the seeds at first. An evolved instruction fails
    where words of the prompt stand in it, or where it is too near to one that is there; its parent
    then goes on as it is.

    Parameters
    ----------
    prompts_at_once : int
        Prompts between two looks at the pool.
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
    top_p: float = 0.9
    max_tokens: int = 256
    answer_tokens: int = 1024
    filters: InstructionFilters = field(default_factory=InstructionFilters)

    name = "evolve"
    needs_seeds = True

    def operations(self) -> Mapping[str, str]:
        """What a prompt asks for, by name."""
        harder = {name: _HARDER.format(how=how) for name, how in _DEPTH.items()}
        return {**harder, "breadth": _BREADTH}

    def run(
        self, log: WritingLog, seeds: Sequence[SeedTask], n: int, rng: Random
    ) -> list[GeneratedRow]:
        """The rows of n instructions, each with the model's answer.

        Parameters
        ----------
        log : WritingLog
            Who writes, and what is noted.
        seeds : sequence of SeedTask
            What people wrote.
        n : int
            Instructions to keep.
        rng : Random
            Draws instructions and operations.
        """
        pool = InstructionPool(seeds, self.filters, log)
        try:
            self._evolve(pool, n, rng)
        except OutOfRequests:
            return []
        return answered_rows(log, pool, self.name, self.answer_tokens)

    def _evolve(self, pool: InstructionPool, n: int, rng: Random) -> None:
        parents = [(seed.id, seed.instruction) for seed in pool.seeds]
        operations = list(self.operations().values())
        sampling = Sampling(self.max_tokens, self.temperature, self.top_p)
        asking = pool.log.writer.asking
        while len(pool.kept) < n:
            places = [rng.randrange(len(parents)) for _ in range(self.prompts_at_once)]
            asked = [asking(f"{rng.choice(operations)}\n\n{parents[i][1]}") for i in places]
            answers = pool.log.ask("rewriting instructions", asked, sampling, len(pool.kept), n)
            for place, answer in zip(places, answers, strict=True):
                parent = parents[place][0]
                if len(pool.kept) < n and pool.offer_answer(answer, (parent,), _LEAKED):
                    parents[place] = (pool.kept[-1].id, pool.kept[-1].text)


@dataclass(frozen=True)
class RewriteInstructions(EvolveInstructions):
    """Each instruction is said in other words; what stays too near to it is dropped.

    Parameters
    ----------
    prompts_at_once, temperature, top_p, max_tokens, answer_tokens, filters
        As for `EvolveInstructions`.
    """

    name = "rewrite"

    def operations(self) -> Mapping[str, str]:
        """One: other words."""
        return {"rewording": _REWORD}

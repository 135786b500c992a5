"""Self-Instruct (Wang et al. 2023, arXiv:2212.10560): tasks from tasks, then their instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from limbeck.core.errors import InvalidInput
from limbeck.language.generated.instances import (
    classification_instances,
    free_instances,
    usable,
)
from limbeck.language.generated.instruction_filters import (
    CUT,
    PREAMBLE,
    InstructionFilters,
    split_answer,
)
from limbeck.language.generated.pool import InstructionPool, KeptInstruction
from limbeck.language.generated.prompts import (
    classification_question,
    instances_prompt,
    instructions_prompt,
)
from limbeck.language.generated.tasks import GeneratedRow, SeedTask
from limbeck.language.generated.writing_log import OutOfRequests, WritingLog, WritingRequest
from limbeck.teachers.completions import Sampling

__all__ = ["SelfInstruct"]

_STOP = ("\n\n", "\n16", "16.", "16 .")
_TOGETHER = 64  # prompts of the later stages, which do not depend on each other
_YES = ("Yes", "yes", "YES")


@dataclass(frozen=True)
class SelfInstruct:
    """Self-Instruct as published, with its numbers as settings.

    Parameters
    ----------
    human, generated : int
        Tasks in a prompt: so many seeds, and so many that were kept before; while fewer were kept,
        seeds take their place.
    prompts_at_once : int
        Prompts between two looks at the pool.
    temperature, top_p, presence_penalty : float
        How instructions are drawn.
    max_tokens : int
        The longest list of instructions.
    stop : tuple of str
        Texts that end it.
    max_instances : int
        The most instances of a task; of more, so many are drawn.
    classification : bool
        Show classification seeds only, and ask for classification tasks.
    filters : InstructionFilters
        Which instructions are dropped.
    """

    human: int = 6
    generated: int = 2
    prompts_at_once: int = 5
    temperature: float = 0.7
    top_p: float = 0.5
    presence_penalty: float = 2.0
    max_tokens: int = 1024
    stop: tuple[str, ...] = _STOP
    max_instances: int = 5
    classification: bool = False
    filters: InstructionFilters = field(default_factory=InstructionFilters)

    name = "self_instruct"
    needs_seeds = True

    def run(
        self, log: WritingLog, seeds: Sequence[SeedTask], n: int, rng: Random
    ) -> list[GeneratedRow]:
        """The rows of n instructions; fewer where the log allows no more requests.

        Parameters
        ----------
        log : WritingLog
            Who writes, and what is noted.
        seeds : sequence of SeedTask
            What people wrote.
        n : int
            Instructions to keep.
        rng : Random
            Draws the tasks of prompts, and instances where there are too many.

        Raises
        ------
        InvalidInput
            If classification seeds are asked for, and there are none.
        """
        shown = [s for s in seeds if s.is_classification or not self.classification]
        if not shown:
            raise InvalidInput(
                "None of the seeds is a classification task.",
                'Give seeds with "is_classification": true, or leave classification=True out.',
            )
        pool = InstructionPool(shown, self.filters, log)
        rows: list[GeneratedRow] = []
        try:
            self._instructions(pool, n, rng)
        except OutOfRequests:
            return rows
        try:
            for start in range(0, len(pool.kept), _TOGETHER):
                some = pool.kept[start : start + _TOGETHER]
                rows += self._instances(log, seeds, some, rng, start, len(pool.kept))
        except OutOfRequests:
            pass
        return rows

    def _instructions(self, pool: InstructionPool, n: int, rng: Random) -> None:
        """Ask for further tasks until n are kept."""
        sampling = Sampling(
            self.max_tokens, self.temperature, self.top_p, self.presence_penalty, self.stop
        )
        while len(pool.kept) < n:
            shown = [self._shown(pool, rng) for _ in range(self.prompts_at_once)]
            prompts = [
                instructions_prompt([t for _, t in some], self.classification) for some in shown
            ]
            answers = pool.log.ask("writing instructions", prompts, sampling, len(pool.kept), n)
            for some, answer in zip(shown, answers, strict=True):
                names = [name for name, _ in some]
                self._take(pool, answer, names, n)

    def _shown(self, pool: InstructionPool, rng: Random) -> list[tuple[str, str]]:
        """The tasks of a prompt: their names and instructions, in random order."""
        machine = rng.sample(pool.kept, min(self.generated, len(pool.kept)))
        wanted = self.human + self.generated - len(machine)
        human = rng.sample(pool.seeds, min(wanted, len(pool.seeds)))
        shown = [(k.id, k.text) for k in machine] + [(s.id, s.instruction) for s in human]
        rng.shuffle(shown)
        return shown

    def _take(
        self, pool: InstructionPool, answer: WritingRequest, names: Sequence[str], n: int
    ) -> None:
        """Offer what an answer holds to the pool; an answer that was cut off is dropped whole."""
        if answer.finish == "none":
            return
        if answer.finish == "length":
            pool.log.drop(answer.answer, CUT, answer.number, "answer")
            return
        texts = split_answer(answer.answer)
        if not pool.log.writer.continues and len(texts) > 1 and texts[0].endswith(":"):
            pool.log.drop(texts.pop(0), PREAMBLE, answer.number, "instruction")
        for text in texts:
            if len(pool.kept) < n:
                pool.offer(text, names, answer.number)

    def _instances(
        self,
        log: WritingLog,
        seeds: Sequence[SeedTask],
        kept: Sequence[KeptInstruction],
        rng: Random,
        done: int,
        total: int,
    ) -> list[GeneratedRow]:
        """Ask of each task whether it is a classification, then for its instances."""
        questions = [classification_question(one.text, seeds) for one in kept]
        told = log.ask(
            "telling classification tasks", questions, Sampling(3, stop=("\n", "Task")), done, total
        )
        classified = [answer.answer.strip().startswith(_YES) for answer in told]
        rows: list[GeneratedRow] = []
        for wanted, tokens in ((True, 300), (False, 350)):
            some = [(k, t) for k, t, c in zip(kept, told, classified, strict=True) if c is wanted]
            prompts = [instances_prompt(k.text, wanted, seeds) for k, _ in some]
            stop = (f"Example {self.max_instances + 1}", "Task:")
            sampling = Sampling(tokens, presence_penalty=1.5, stop=stop)
            answers = log.ask("writing instances", prompts, sampling, done, total)
            for (one, question), answer in zip(some, answers, strict=True):
                requests = (one.request, question.number, answer.number)
                rows += self._rows(log, one, wanted, answer, requests, rng)
        return sorted(rows, key=lambda row: int(row.id.split("_")[1].split(".")[0]))

    def _rows(
        self,
        log: WritingLog,
        one: KeptInstruction,
        classification: bool,
        answer: WritingRequest,
        requests: tuple[int, ...],
        rng: Random,
    ) -> list[GeneratedRow]:
        """The rows of one task; what the filters of instances drop is noted."""
        if answer.finish == "none":
            return []
        read = classification_instances if classification else free_instances
        found = read(answer.answer)
        if not found:
            log.drop(answer.answer, "no instance in the answer", answer.number, "answer")
        kept, dropped = usable(found, answer.finish)
        for instance, why in dropped:
            text = f"{instance.input}\n{instance.output}".strip()
            log.drop(text, why, answer.number, "instance")
        if len(kept) > self.max_instances:
            drawn = rng.sample(range(len(kept)), self.max_instances)
            for i in sorted(set(range(len(kept))) - set(drawn)):
                why = f"more than {self.max_instances} instances of a task"
                log.drop(kept[i].output, why, answer.number, "instance")
            kept = [kept[i] for i in sorted(drawn)]
        return [
            GeneratedRow(
                f"{one.id}.{i}", one.text, instance.input, instance.output, classification, None,
                one.prompt_tasks, requests, self.name, log.writer.name,
                one.similarity, one.nearest,
            )
            for i, instance in enumerate(kept)
        ]  # fmt: skip

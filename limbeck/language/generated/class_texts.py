"""Texts written for each class of a question, as many for each; the class comes first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from limbeck.core.task import Label
from limbeck.language.generated.instruction_filters import CUT, PREAMBLE
from limbeck.language.generated.rouge import RougeIndex
from limbeck.language.generated.tasks import GeneratedRow
from limbeck.language.generated.writing_log import OutOfRequests, WritingLog, WritingRequest
from limbeck.teachers.completions import Sampling

__all__ = ["ClassTexts"]

_ITEM = re.compile(r"(?:^|\n)\s*\d+\s?[.)]\s+")
_MARKS = re.compile(r"^(?:input|text|class label)\s*\d*\s*:\s*", re.IGNORECASE)
_STOP = ("\n\n\n", "\n31", "31.")
_DRY = 10  # prompts in a row for a class that brought nothing


@dataclass(frozen=True)
class ClassTexts:
    """Texts for each class in turn: Self-Instruct's way for classification, label first.

    A prompt names the question and one class, and shows up to 8 texts of that class: 6 that people
    wrote and 2 that were kept before, as in Self-Instruct. The class with the fewest texts is asked
    for next, so that the set is balanced. A text is dropped if it is near to one that was kept, of
    any class, or if it came for two classes.

    Parameters
    ----------
    question : str
        What is asked about a text.
    classes : tuple of labels
        The classes.
    examples : mapping from class to texts
        Texts that people wrote; may be empty.
    human, generated : int
        Texts of a prompt: so many that people wrote, and so many that were kept before.
    prompts_at_once : int
        Prompts between two looks at what was kept.
    temperature, top_p, presence_penalty : float
        How texts are drawn.
    max_tokens : int
        The longest list of texts.
    similarity : float
        The largest ROUGE-L F with an example or a text that was kept.
    min_words, max_words : int
        Words of a text at least and at most.
    """

    question: str
    classes: tuple[Label, ...]
    examples: Mapping[Label, Sequence[str]]
    human: int = 6
    generated: int = 2
    prompts_at_once: int = 5
    temperature: float = 0.7
    top_p: float = 0.9
    presence_penalty: float = 0.5
    max_tokens: int = 1024
    similarity: float = 0.7
    min_words: int = 2
    max_words: int = 300

    name = "class_texts"

    def run(self, log: WritingLog, n: int, rng: Random) -> list[GeneratedRow]:
        """About n texts, n / k for each of the k classes.

        Parameters
        ----------
        log : WritingLog
            Who writes, and what is noted.
        n : int
            Texts in all; rounded up to as many for each class.
        rng : Random
            Draws the texts of prompts.
        """
        work = _Work(self, log, -(-n // len(self.classes)))
        try:
            while work.open:
                wanted = [work.next_class(i) for i in range(self.prompts_at_once)]
                shown = [work.shown(label, rng) for label in wanted]
                prompts = [self._prompt(c, s) for c, s in zip(wanted, shown, strict=True)]
                sampling = Sampling(self.max_tokens, self.temperature, self.top_p,
                                    self.presence_penalty, _STOP)  # fmt: skip
                total = work.each * len(self.classes)
                answers = log.ask("writing texts", prompts, sampling, len(work.rows), total)
                for label, some, answer in zip(wanted, shown, answers, strict=True):
                    work.take(label, [name for name, _ in some], answer)
        except OutOfRequests:
            pass
        return work.written()

    def _prompt(self, label: Label, shown: Sequence[tuple[str, str]]) -> str:
        lines = [re.sub(r"\s+", " ", text).strip() for _, text in shown]
        listed = "\n".join(f"{i}. {line}" for i, line in enumerate(lines, start=1))
        head = (
            f"{self.question}\nCome up with a series of different texts for which the answer is"
            f" {str(label)!r}. Write one on each line, and nothing else."
        )
        return f"{head}\n\nClass label: {label}\n{listed}{chr(10) * bool(listed)}{len(lines) + 1}."


class _Work:
    """What is kept while texts are written."""

    def __init__(self, settings: ClassTexts, log: WritingLog, each: int) -> None:
        self.settings, self.log, self.each = settings, log, each
        self.rows: list[GeneratedRow] = []
        self.of: dict[Label, list[GeneratedRow]] = {c: [] for c in settings.classes}
        self.dry = dict.fromkeys(settings.classes, 0)
        self.index = RougeIndex(any_script=True)
        self.names: list[str] = []
        self.labels: list[Label] = []
        self.human: dict[Label, list[tuple[str, str]]] = {}
        for label in settings.classes:
            texts = settings.examples.get(label, ())
            self.human[label] = [(f"{label} {i}", text) for i, text in enumerate(texts)]
            for name, text in self.human[label]:
                self._add(name, text, label)

    def _add(self, name: str, text: str, label: Label) -> None:
        self.index.add(text)
        self.names.append(name)
        self.labels.append(label)

    @property
    def open(self) -> list[Label]:
        """Classes that lack texts and still bring some."""
        return [c for c, rows in self.of.items() if len(rows) < self.each and self.dry[c] < _DRY]

    def next_class(self, turn: int) -> Label:
        """The class with the fewest texts, those asked for in this turn taken in order."""
        found = sorted(self.open, key=lambda c: len(self.of[c]))
        return found[turn % len(found)]

    def shown(self, label: Label, rng: Random) -> list[tuple[str, str]]:
        """The texts of a prompt: their names and the texts."""
        made = [(row.id, row.input) for row in self.of[label]]
        some = rng.sample(made, min(self.settings.generated, len(made)))
        wanted = self.settings.human + self.settings.generated - len(some)
        some += rng.sample(self.human[label], min(wanted, len(self.human[label])))
        rng.shuffle(some)
        return some

    def take(self, label: Label, names: Sequence[str], answer: WritingRequest) -> None:
        """Keep what passes."""
        before = len(self.of[label])
        parts = [] if answer.finish == "none" else _ITEM.split(answer.answer)
        if answer.finish == "length" and parts:
            self.log.drop(parts.pop(), CUT, answer.number, "text")
        for part in parts:
            text = _MARKS.sub("", re.sub(r"\s+", " ", part).strip()).strip(' "')
            if text.endswith(":") and part is parts[0] and len(parts) > 1:
                self.log.drop(text, PREAMBLE, answer.number, "text")
            elif text and len(self.of[label]) < self.each:
                self._offer(text, label, names, answer.number)
        self.dry[label] = 0 if len(self.of[label]) > before else self.dry[label] + 1

    def _offer(self, text: str, label: Label, names: Sequence[str], request: int) -> None:
        settings = self.settings
        words = len(text.split())
        if not settings.min_words <= words <= settings.max_words:
            few = words < settings.min_words
            why = (f"fewer than {settings.min_words} words" if few
                   else f"more than {settings.max_words} words")  # fmt: skip
            self.log.drop(text, why, request, "text")
            return
        place, score = self.index.nearest(text)
        if score > settings.similarity + 1e-12:
            other = score >= 1 and self.labels[place] != label
            why = "one text for two classes" if other else f"ROUGE-L above {settings.similarity:g}"
            self.log.drop(text, why, request, "text", self.names[place])
            if other:
                self._take_back(self.names[place])
            return
        row = GeneratedRow(
            f"row_{len(self.names)}", settings.question, text, str(label), True, label,
            tuple(names), (request,), settings.name, self.log.writer.name, score,
            self.names[place] if place >= 0 else "",
        )  # fmt: skip
        self.of[label].append(row)
        self.rows.append(row)
        self._add(row.id, text, label)

    def _take_back(self, name: str) -> None:
        """A row that came for another class as well is no row of either."""
        for rows in (self.rows, *self.of.values()):
            for row in [r for r in rows if r.id == name]:
                rows.remove(row)
                if rows is self.rows:
                    self.log.drop(row.input, "one text for two classes", row.requests[0], "text")

    def written(self) -> list[GeneratedRow]:
        """The rows; what kept a class from being complete is noted."""
        lacking = [str(c) for c, rows in self.of.items() if len(rows) < self.each]
        if lacking and not self.log.stopped:
            self.log.stopped = (
                f"{_DRY} prompts in a row brought no new text for {', '.join(lacking[:5])}"
            )
        return self.rows

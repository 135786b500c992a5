"""The nouns of generated sets: seeds, rows, and what was dropped and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from limbeck.core.task import Label

__all__ = ["DroppedText", "GeneratedRow", "Instance", "SeedTask"]


@dataclass(frozen=True)
class Instance:
    """An input of a task with its output.

    Parameters
    ----------
    input : str
        Empty where the task needs none.
    output : str
        The answer.
    """

    input: str
    output: str


@dataclass(frozen=True)
class SeedTask:
    """A task that a person wrote.

    Parameters
    ----------
    id : str
        Its name.
    instruction : str
        What is to be done.
    instances : tuple of Instance
        Worked examples.
    is_classification : bool
        Whether its outputs are a few labels.
    """

    id: str
    instruction: str
    instances: tuple[Instance, ...] = ()
    is_classification: bool = False


@dataclass(frozen=True)
class GeneratedRow:
    """A row that a model wrote, and where it comes from.

    Parameters
    ----------
    id : str
        Its name.
    instruction : str
        What is to be done.
    input, output : str
        See `Instance`.
    is_classification : bool
        Whether the task's outputs are a few labels.
    label : label or None
        The class that a text was written for; None for rows of tasks.
    prompt_tasks : tuple of str
        Seeds and earlier rows that stood in the prompt.
    requests : tuple of int
        Numbers of the requests that made it, in ``requests.jsonl``.
    method : str
        How it was generated.
    model : str
        Who wrote it.
    similarity : float
        The largest ROUGE-L F with a seed or an earlier instruction, when it was kept.
    nearest : str
        Which one that is.
    """

    id: str
    instruction: str
    input: str
    output: str
    is_classification: bool = False
    label: Label | None = None
    prompt_tasks: tuple[str, ...] = ()
    requests: tuple[int, ...] = ()
    method: str = ""
    model: str = ""
    similarity: float = field(default=0.0)
    nearest: str = ""

    @property
    def text(self) -> str:
        """What a classifier of texts reads: the text of a class, else instruction and input."""
        if self.label is not None:
            return self.input
        return f"{self.instruction}\n\n{self.input}" if self.input else self.instruction


@dataclass(frozen=True)
class DroppedText:
    """A text that a filter took out.

    Parameters
    ----------
    text : str
        What was written.
    filter : str
        Why it was taken out.
    request : int
        The number of the request that it comes from.
    level : str
        What the text is: ``"answer"``, ``"instruction"``, ``"text"``, ``"instance"`` or ``"row"``.
    beside : str
        The seed or row, or the row of the test set, that it is too near to, where there is one.
    """

    text: str
    filter: str
    request: int
    level: str = "row"
    beside: str = ""

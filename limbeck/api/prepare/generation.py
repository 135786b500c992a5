"""What was asked for of a generation: who writes, by which method, from which seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.strict_json import plain, strict_json
from limbeck.core.task import Label
from limbeck.core.texts import are_texts, as_texts
from limbeck.data.labels import as_classes, encode_labels
from limbeck.language.generated.class_texts import ClassTexts
from limbeck.language.generated.empty_prompt import EmptyPrompt
from limbeck.language.generated.evolve import EvolveInstructions, RewriteInstructions
from limbeck.language.generated.instruction_filters import InstructionFilters
from limbeck.language.generated.seeds import seed_tasks
from limbeck.language.generated.self_instruct import SelfInstruct
from limbeck.language.generated.tasks import GeneratedRow, SeedTask
from limbeck.language.generated.writing_log import WritingLog
from limbeck.teachers import as_teacher
from limbeck.teachers.answer_store import AnswerStore
from limbeck.teachers.completions import TextWriter
from limbeck.teachers.endpoints.chat import Chat
from limbeck.teachers.endpoints.chat_completions import ChatWriter

__all__ = [
    "Generation",
    "bill_before",
    "encoder_of",
    "generation_of",
    "held_out_texts",
    "run_identity",
    "writer_of",
]

_METHODS: dict[str, type[Any]] = {
    "self_instruct": SelfInstruct,
    "evolve": EvolveInstructions,
    "rewrite": RewriteInstructions,
    "empty_prompt": EmptyPrompt,
}
_BY_CLASS = "class_texts"


@dataclass(frozen=True, eq=False)
class Generation:
    """A generation that is ready to run.

    Parameters
    ----------
    method : SelfInstruct, ClassTexts or a variant
        How rows are written.
    seeds : tuple of SeedTask
        What people wrote; for texts by class their texts.
    run : callable
        ``run(log, n, rng)`` writes the rows.
    """

    method: Any
    seeds: tuple[SeedTask, ...]
    run: Callable[[WritingLog, int, Random], list[GeneratedRow]]


def writer_of(teacher: Any, store: Path | None) -> tuple[TextWriter, Teacher | None]:
    """Who writes, and the teacher that labels where it is one of classes.

    Parameters
    ----------
    teacher : Chat, HuggingFaceTeacher, ``"hf:folder"``, YAML file or TextWriter
        What was given.
    store : Path or None
        Where the answers of a local model are kept; a service has a store of its own.

    Raises
    ------
    InvalidInput
        If it does not write text.
    """
    if isinstance(teacher, TextWriter):
        return teacher, None
    kept = AnswerStore(store) if store is not None else None
    if isinstance(teacher, str) and teacher.startswith("hf:"):
        from limbeck.teachers.huggingface.text_writer import FolderWriter

        return FolderWriter.of_folder(teacher, kept), None
    made = teacher if isinstance(teacher, Teacher) else as_teacher(teacher)
    if isinstance(made, Chat):
        return ChatWriter(made), made
    if getattr(made, "pipeline", "") == "text-generation":
        from limbeck.teachers.huggingface.text_writer import FolderWriter

        return FolderWriter.of_teacher(made, kept), made if made.task.classes else None
    raise InvalidInput(
        f"{made.name} writes no text.",
        "Give a chat model (limbeck.teachers.Chat, or its YAML file), or the folder of a causal"
        ' model as "hf:folder".',
    )


def bill_before(generation: Generation, writer: TextWriter, most: int) -> str:
    """What a run may cost at most, in a sentence, before the first request.

    Parameters
    ----------
    generation : Generation
        The method, with the lengths of its answers.
    writer : TextWriter
        Who writes, with a price where it is a service.
    most : int
        The most prompts.
    """
    lengths = [getattr(generation.method, name, 0) for name in ("max_tokens", "answer_tokens")]
    tokens = most * max(lengths)
    said = f"Before the first request: at most {most:,} prompts and {tokens:,} tokens written"
    spending = getattr(getattr(writer, "teacher", None), "spending", None)
    if spending is None:
        return f"{said}, by a model on this machine."
    price = spending.price
    if not price.known:
        return f"{said}; no price was given, so the cost is not known."
    cost = most * price.per_request + tokens * price.per_million_output_tokens / 1e6
    return (
        f"{said}: at most {cost:.4g} {price.currency}, and what the prompts' own tokens cost"
        f" ({price.per_million_input_tokens:g} {price.currency} a million)."
    )


def generation_of(
    seeds: Any, method: str | None, teacher: Teacher | None, settings: Mapping[str, Any]
) -> Generation:
    """The method with its seeds, all checked.

    Parameters
    ----------
    seeds : see `limbeck.generate`
        What people wrote.
    method : str or None
        How; by default what the seeds are for.
    teacher : Teacher or None
        The teacher where it is one of classes.
    settings : mapping
        Settings of the method; ``filters`` may be a mapping.

    Raises
    ------
    InvalidInput
        If there is no such method or setting, or the seeds do not fit it.
    """
    pair = isinstance(seeds, tuple) and len(seeds) == 2 and are_texts(seeds[0])
    if method is None:
        method = (
            _BY_CLASS if pair or seeds is None or isinstance(seeds, Mapping) else "self_instruct"
        )
    if method != _BY_CLASS and method not in _METHODS:
        raise InvalidInput(
            f"There is no method {method!r}.", did_you_mean(method, (_BY_CLASS, *_METHODS))
        )
    if method == _BY_CLASS:
        return _by_class(seeds, teacher, dict(settings))
    made = _made(_METHODS[method], dict(settings))
    tasks = seed_tasks(seeds) if seeds is not None or made.needs_seeds else []
    return Generation(made, tuple(tasks), lambda log, n, rng: made.run(log, tasks, n, rng))


def _made(kind: type[Any], settings: dict[str, Any], **fixed: Any) -> Any:
    """A method with its settings, refused by name where one is unknown."""
    known = [f.name for f in fields(kind) if f.name not in fixed]
    filters = [f.name for f in fields(InstructionFilters)]
    own = {k: settings.pop(k) for k in list(settings) if k in known}
    if "filters" in known:
        chosen = {k: settings.pop(k) for k in list(settings) if k in filters}
        if chosen:
            own["filters"] = InstructionFilters(**chosen)
    for name in settings:
        raise InvalidInput(
            f"{kind.__name__} has no setting {name!r}.", did_you_mean(name, [*known, *filters])
        )
    return kind(**own, **fixed)


def _by_class(seeds: Any, teacher: Teacher | None, settings: dict[str, Any]) -> Generation:
    """Texts by class; question and classes are the teacher's unless they are given."""
    classes: Sequence[Label] = settings.pop("classes", None) or (
        teacher.task.classes if teacher is not None else ()
    )
    question = settings.pop("question", None) or _question(teacher)
    if not classes or not question:
        raise InvalidInput(
            "Texts by class need classes and a question.",
            "Give classes=[...] and question='...', or a teacher that has both.",
        )
    classes = as_classes(classes)
    examples = _examples(seeds, classes)
    made = _made(ClassTexts, settings, question=question, classes=classes, examples=examples)
    tasks = tuple(
        SeedTask(f"{label} {i}", text) for label in classes
        for i, text in enumerate(examples.get(label, ()))
    )  # fmt: skip
    return Generation(made, tasks, lambda log, n, rng: made.run(log, n, rng))


def _question(teacher: Teacher | None) -> str:
    prompt = getattr(teacher, "prompt", "")
    return str(prompt).replace("{text}", "").strip(" :\n")


def _examples(seeds: Any, classes: Sequence[Label]) -> dict[Label, list[str]]:
    """Texts by class from a mapping, or from a pair of texts and labels."""
    if seeds is None:
        return {}
    if isinstance(seeds, Mapping):
        unknown = [c for c in seeds if c not in classes]
        if unknown:
            raise InvalidInput(
                f"Seeds are given for the class {unknown[0]!r}.",
                did_you_mean(str(unknown[0]), map(str, classes)),
            )
        return {c: list(as_texts(seeds[c])) for c in classes if c in seeds and len(seeds[c])}
    if not (isinstance(seeds, tuple) and len(seeds) == 2):
        raise InvalidInput(
            "Seeds of texts by class need their classes.",
            "Give a pair (texts, labels), or a mapping from class to texts.",
        )
    texts = as_texts(seeds[0])
    codes = encode_labels(seeds[1], classes, what="the labels of seeds")
    if len(codes) != len(texts):
        raise InvalidInput(
            f"There are {len(texts):,} texts and {len(codes):,} labels.", "Give one label a text."
        )
    return {c: list(texts[codes == i]) for i, c in enumerate(classes) if (codes == i).any()}


def encoder_of(encoder: Any) -> Callable[[Sequence[str]], NDArray[np.float64]] | None:
    """A function from texts to vectors.

    Parameters
    ----------
    encoder : teacher, ``"hf:folder"``, callable or None
        What was given.
    """
    if encoder is None:
        return None
    if isinstance(encoder, (Teacher, str)):
        made = as_teacher(encoder)
        return lambda texts: made.scores(as_texts(list(texts)))
    if callable(encoder):
        return lambda texts: np.asarray(encoder(list(texts)), dtype=np.float64)
    raise InvalidInput(
        f"The encoder is a {type(encoder).__name__}.",
        'Give "hf:folder" of a sentence encoder, or a function from texts to vectors.',
    )


def held_out_texts(test: Any) -> list[str]:
    """The rows of the test set that no generated row may repeat.

    Parameters
    ----------
    test : texts, seeds with instances, or None
        What was given.
    """
    if test is None:
        return []
    if are_texts(test):
        return list(as_texts(test))
    tasks = seed_tasks(test)
    return [f"{t.instruction}\n{i.input}\n{i.output}" for t in tasks for i in t.instances] + [
        t.instruction for t in tasks if not t.instances
    ]


def run_identity(generation: Generation, writer: TextWriter, seed: int) -> dict[str, Any]:
    """What must be the same for a folder to be gone on with; ``n`` and budgets may grow.

    Parameters
    ----------
    generation : Generation
        Method and seeds.
    writer : TextWriter
        Who writes.
    seed : int
        Of the draws.
    """
    method = {k: v for k, v in plain(generation.method).items() if k != "examples"}
    seeds = hashlib.sha256(strict_json(generation.seeds, indent=None).encode()).hexdigest()
    return {
        "method": generation.method.name,
        "settings": method,
        "seeds": seeds,
        "model": writer.name,
        "seed": seed,
    }

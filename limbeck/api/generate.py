"""Write a training set with a language model: Self-Instruct, its variants, texts by class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from random import Random
from typing import Any

import limbeck
from limbeck.api.prepare.generation import (
    Generation,
    bill_before,
    encoder_of,
    generation_of,
    held_out_texts,
    run_identity,
    writer_of,
)
from limbeck.certificates.binomial import check_share
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, LimbeckError, whole_number
from limbeck.core.progress import Progress, shown
from limbeck.core.strict_json import plain, read_json, write_json
from limbeck.core.texts import as_texts
from limbeck.core.whole_folder import check_folder, open_folder
from limbeck.data.labels import encode_labels
from limbeck.evaluation.generated_control import RealRows, against_real_rows, split_real_rows
from limbeck.language.generated.cleaning import cleaned
from limbeck.language.generated.diversity import diversity
from limbeck.language.generated.tasks import GeneratedRow
from limbeck.language.generated.writing_log import FailedRequests, WritingLog
from limbeck.results.generated import GeneratedSet
from limbeck.results.generated_record import RealControl, funnel_of

__all__ = ["generate"]

_RUN, _RUN_VERSION = "limbeck-generation-run", 1
_PROMPTS_PER_ROW, _PROMPTS_MORE = 5, 50


def generate(
    teacher: Any,
    seeds: Any = None,
    *,
    n: int,
    out: str | PathLike[str] | None = None,
    method: str | None = None,
    real: Any = None,
    y: Any = None,
    labeller: Any = None,
    test: Any = None,
    overlap: int = 13,
    near_duplicates: float | None = 0.7,
    encoder: Any = None,
    holdout: float = 0.3,
    delta: float = 0.05,
    max_requests: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
    **settings: Any,
) -> GeneratedSet:
    """Let a language model write a training set, with every filter counted.

    Parameters
    ----------
    teacher : Chat, HuggingFaceTeacher, str or TextWriter
        Who writes: a chat model (`limbeck.teachers.Chat`, or the path of its YAML file), or the
        folder of a causal model of transformers, ``"hf:folder"``.
    seeds : path, list, mapping or pair
        What people wrote. A JSONL file, or a list, of tasks or instructions is for
        ``method="self_instruct"``; see `limbeck.language.generated.seeds.read_seeds`. A pair
        (texts, labels), a mapping from class to texts, or nothing is for ``"class_texts"``.
    n : int
        Instructions to keep, each with up to ``max_instances`` rows; or texts, as many for each
        class.
    out : path, optional
        The folder where rows, answers and the page are written. A run that was cut off goes on
        there, and asks nothing twice.
    method : {"self_instruct", "evolve", "rewrite", "empty_prompt", "class_texts"}, optional
        How rows are written; by default what the seeds are for. ``"evolve"`` makes harder or rarer
        instructions of seeds, ``"rewrite"`` says them in other words, ``"empty_prompt"`` lets a
        local chat model write what a user would, and needs no seeds; the model answers what these
        three bring.
    real : list, array or Series of m texts, optional
        Real texts. Where the teacher is one of classes, the student of the generated set is
        compared with the same student on as many of these, drawn at random and labelled by the
        same teacher.
    y : array-like of shape (m,), optional
        Their labels; they score the comparison and train nobody but a baseline.
    labeller : teacher, optional
        Who labels for that comparison; by default ``teacher``.
    test : list of texts, or path, optional
        Rows of a test set: generated rows that share ``overlap`` words in a row with one of them
        are taken out and counted. The test rows of ``real`` count as well.
    overlap : int
        Words of that run.
    near_duplicates : float or None
        The Jaccard similarity of runs of five words from which on a row is dropped as a
        near-duplicate; None keeps all.
    encoder : teacher, str or callable, optional
        A sentence encoder, by which the spread of the texts is measured.
    holdout : float
        The share of ``real`` that the comparison is tested on.
    delta : float
        One less the level of its intervals.
    max_requests : int, optional
        The most prompts, stored answers included; by default 5 for each of n, and 50.
    seed : int
        The same seed gives the same prompts as long as the answers are the same.
    progress : bool, optional
        Show a progress bar; by default only on a terminal.
    **settings
        Settings of the method: those of
        `limbeck.language.generated.self_instruct.SelfInstruct` and of its filters, such as
        ``similarity``; or those of `limbeck.language.generated.class_texts.ClassTexts`, such as
        ``question`` and ``classes``.

    Returns
    -------
    GeneratedSet
        Prints as tables. ``limbeck.distill(teacher, dataset, into="text_classifier")`` takes it.

    Raises
    ------
    InvalidInput
        If an argument cannot be used; said before anything is asked.
    FileRefused
        If a line of the seeds is broken, which is named; or ``out`` holds another run.
    TeacherFailed
        If the service refuses all questions; what was answered is stored.

    Examples
    --------
    >>> dataset = limbeck.generate("chat.yaml", "seed_tasks.jsonl", n=500)  # doctest: +SKIP
    >>> len(dataset.texts) == len(dataset)  # doctest: +SKIP
    True
    """
    n, seed = whole_number("n", n, 1), whole_number("seed", seed)
    check_share("delta", delta)
    folder = None if out is None else Path(out)
    if folder is not None:
        check_folder(folder)
    store = None if folder is None else folder / "answers.sqlite"
    with shown(progress) as tell:
        tell(f"loading {teacher if isinstance(teacher, str) else 'the writer'}", 0, 1)
        writer, own = writer_of(teacher, store)
    judge = own if labeller is None else limbeck.as_teacher(labeller)
    generation = generation_of(seeds, method, own, settings)
    encode = encoder_of(encoder)
    rows_apart = _real_rows(real, y, judge, holdout, seed)
    held_out = [*held_out_texts(test), *([] if rows_apart is None else rows_apart.test.tolist())]
    identity = run_identity(generation, writer, seed)
    failed = FailedRequests(None)
    if folder is not None:
        _claim(open_folder(folder), identity)
        failed = FailedRequests(folder / "failed.jsonl")
    most = n * _PROMPTS_PER_ROW + _PROMPTS_MORE if max_requests is None else max_requests
    before = bill_before(generation, writer, whole_number("max_requests", most, 1))
    with shown(progress) as tell:
        log = WritingLog(writer, failed, tell, most)
        written = generation.run(log, n, Random(seed))  # noqa: S311
        rows = cleaned(
            written, log, test=held_out, overlap=whole_number("overlap", overlap, 2),
            near=near_duplicates,
        )  # fmt: skip
        control, notes = _control(rows, rows_apart, judge, delta, seed, tell)
    made = GeneratedSet(
        rows=tuple(rows), dropped=tuple(log.dropped), requests=tuple(log.requests),
        funnel=funnel_of(log, written, rows),
        diversity=_diversity(generation, rows, real, encode, seed),
        bill=writer.bill(), control=control, stopped=log.stopped, notes=(before, *notes),
        settings={**plain(identity), "n": n, "near_duplicates": near_duplicates,
                  "overlap": overlap, "test_rows": len(held_out), "limbeck": limbeck.__version__},
    )  # fmt: skip
    if folder is not None:
        made.save(folder)
    return made


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Refuse a folder that holds another run: its answers would be mixed with these."""
    path = folder / "run.json"
    if path.exists():
        found = read_json(path, _RUN, _RUN_VERSION)
        for name, value in plain(identity).items():
            if found.get(name) != value:
                raise InvalidInput(
                    f"{str(folder)!r} holds a run with another {name}.",
                    "Give another folder, or the settings of that run.",
                )
        return
    write_json({"format": _RUN, "version": _RUN_VERSION, **identity}, path)


def _real_rows(
    real: Any, y: Any, judge: Teacher | None, share: float, seed: int
) -> RealRows | None:
    """Real texts cut in two, before anything is asked."""
    if real is None:
        if y is not None:
            raise InvalidInput("y was given without real texts.", "Give real=texts as well.")
        return None
    if judge is None or not judge.task.classifies:
        raise InvalidInput(
            "The comparison with real texts needs a teacher of classes.",
            "Give labeller=..., or a teacher with classes.",
        )
    check_share("holdout", share)
    codes = None if y is None else encode_labels(y, judge.task.classes, unlabelled=(-1, -100))
    texts = as_texts(real)
    if codes is not None and len(codes) != len(texts):
        raise InvalidInput(
            f"There are {len(texts):,} real texts and {len(codes):,} labels.",
            "Give one label for each.",
        )
    return split_real_rows(texts, codes, share, seed)


def _control(
    rows: Sequence[GeneratedRow],
    real: RealRows | None,
    judge: Teacher | None,
    delta: float,
    seed: int,
    tell: Progress,
) -> tuple[RealControl | None, tuple[str, ...]]:
    """The comparison with real rows, and what is said where there is none."""
    if real is None or judge is None:
        return None, (
            "No real rows were given: whether generating helped is not known. Give real=texts.",
        )
    if not rows:
        return None, ("No row was kept: there is nothing to compare with real rows.",)
    tell("comparing with real rows", 0, 1)
    texts = [row.text for row in rows]
    try:
        found, size, told = against_real_rows(judge, texts, real, delta=delta, seed=seed)
    except LimbeckError as error:  # such as a budget that is spent: the set itself is not lost
        return None, (f"Not compared with real rows: {error.problem} {error.remedy}",)
    wanted = [row.label for row in rows]
    written_as = float("nan")
    if all(label in judge.task.classes for label in wanted):
        codes = encode_labels(wanted, judge.task.classes)
        written_as = float((codes == told).mean())
    notes: tuple[str, ...] = ()
    if size < len(rows):
        notes = (f"Only {size:,} of the generated rows were used: there are no more real ones.",)
    return RealControl(size, len(real.test), written_as, found), notes


def _diversity(
    generation: Generation,
    rows: Sequence[GeneratedRow],
    real: Any,
    encode: Callable[[Sequence[str]], Any] | None,
    seed: int,
) -> tuple[Any, ...]:
    """Generated texts beside those of people; of tasks each instruction once."""
    tasks = any(row.label is None for row in rows)
    texts = list(dict.fromkeys(r.instruction if tasks else r.text for r in rows))
    sets: dict[str, Sequence[str]] = {"generated": texts}
    sets["seeds"] = [seed_task.instruction for seed_task in generation.seeds]
    if real is not None:
        sets["real"] = list(as_texts(real))
    return diversity(sets, encode, seed) if rows else ()

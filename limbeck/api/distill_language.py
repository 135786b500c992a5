"""A distillation from a language model into a smaller one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limbeck.api.language_steps import LanguageSteps
from limbeck.api.prepare.language_request import LanguageRequest
from limbeck.api.steps import MOST_SEEDS, run
from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.language.judge import TextMetric
from limbeck.language.recorded import RecordedLogits, is_recorded
from limbeck.results.language import LanguageDistillation

__all__ = ["distill_language"]


def distill_language(
    teacher: Any,
    data: Any,
    *,
    into: Any,
    objective: Any = None,
    judge: Any = None,
    tokenizer: Any = None,
    test: Any = None,
    holdout: float = 0.3,
    prompt_tokens: int | None = None,
    chat: bool = False,
    max_new_tokens: int | None = None,
    control: bool = True,
    metrics: Mapping[str, TextMetric] | None = None,
    distinct_n: int = 4,
    judge_batch_size: int = 32,
    preflight: str = "refuse",
    lora: Any = None,
    seeds: int = 1,
    seed: int = 0,
    epsilon: float = 0.05,
    delta: float = 0.05,
    device: str | None = None,
    out: str | Path | None = None,
    progress: bool | None = None,
    steps: type[LanguageSteps] | None = None,
    **training: Any,
) -> LanguageDistillation:
    """Distil a language model into a smaller one, with a control and a certificate of its texts.

    Parameters
    ----------
    teacher : str, path, nn.Module or RecordedLogits
        ``hf:folder``, or a causal model of transformers, which is never trained and never moved;
        or what `limbeck.language.record` wrote, which brings its own texts (``data`` is None).
    data : sequence, DataFrame, Hugging Face data set, or path
        Prompts: texts, lists of messages, or rows with ``prompt`` and, if it is known,
        ``completion``; a path names a .jsonl, .json, .parquet or .csv file of these, and a pattern
        such as ``"texts/*.parquet"`` several. Those of .jsonl and .parquet are tokenized once, to
        ``out/tokens``, and may be larger than memory. Where texts after the prompts are not known,
        the teacher writes them.
    into : str, path, nn.Module, Pruned or Quantized
        Where the student starts: ``hf:folder``, or a module with the teacher's tokens; or
        ``limbeck.networks.Pruned(size=0.5)``, a cut of the teacher, which is healed beside a random
        cut, the same shapes from scratch, and the teacher without its last layers; or
        ``limbeck.networks.Quantized("int8")``, the teacher with rounded weights, healed.
    objective : TokenKD, SequenceKD, OnPolicy, PolicyGradient, MiniLLM or CrossTokenizer
        Of `limbeck.language`; by default ``OnPolicy()``, and ``TokenKD()`` for a cut.
        ``CrossTokenizer()`` is for a student with another tokenizer.
    judge : str, path or nn.Module, optional
        The teacher itself, where ``teacher`` is a folder that `limbeck.language.record` wrote: it
        is asked on the test prompts alone, and training needs no teacher. By default the folder
        that was recorded, where it is still there; a note says so.
    tokenizer : object, optional
        Of modules; folders bring their own.
    test : as data, optional
        Prompts for table and certificate; without it a share ``holdout`` is set aside. Equal
        prompts come to one side.
    holdout : float
        That share.
    prompt_tokens : int, optional
        For rows that are whole texts: the first so many tokens are the prompt. Plain texts for a
        cut are whole texts, with 16 by default.
    chat : bool
        Whether plain prompts are a user's messages, to be put into the chat template.
    max_new_tokens : int, optional
        Tokens after a prompt at most; by default the objective's, else 128.
    control : bool
        Train the same student with cross-entropy on the same texts, with the same start, order and
        number of updates; where the student learns from its own texts, a second one on the
        teacher's texts.
    metrics : mapping of str to callable, optional
        ``f(text, real_text) -> float`` of what models write; ``exact_match`` is added where real
        texts are known and end within ``max_new_tokens``.
    distinct_n : int
        Tokens of the n-grams that are counted.
    judge_batch_size : int
        Prompts at once where models are judged.
    preflight : {"refuse", "warn"}
        Whether what pre-flight finds ends the run, or is a note.
    lora : int, mapping or peft.LoraConfig, optional
        Train low-rank adapters of this rank instead of all weights; they are merged at the end.
    seeds : int
        Number of training seeds; with two or more, intervals include seed variance.
    seed : int
        The first seed; the same seed gives the same texts and the same student.
    epsilon, delta : float
        What is asked of the certificate on the student's texts, and its error probability.
    device : str, optional
        Where folders are loaded to; by default a GPU where there is one.
    out : path, optional
        Checkpoints, and in the end everything that `LanguageDistillation.save` writes. A run that
        was cut off goes on when it is called again with the same arguments.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    steps : type, optional
        The steps, where the student is made from its teacher.
    **training
        Settings of `limbeck.networks.training.settings.Training`. By default one epoch of batches
        of 16, AdamW with lr=1e-4 and max_grad_norm=1.

    Raises
    ------
    InvalidInput
        If an argument or a row cannot be used, models do not fit each other, or pre-flight finds a
        fault; before any training.
    FileRefused
        If a folder or file cannot be read or written.
    """
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    recorded = None
    if is_recorded(teacher):
        recorded = _opened(teacher, data, {"prompt_tokens": prompt_tokens, "chat": chat or None})
        teacher = recorded_teacher(recorded) if judge is None else judge
    elif judge is not None:
        raise InvalidInput("judge was given beside a teacher.", "Leave judge out: it judges, too.")
    request = LanguageRequest(
        teacher, data, into, objective=objective, tokenizer=tokenizer, test=test, holdout=holdout,
        prompt_tokens=prompt_tokens, chat=chat, max_new_tokens=max_new_tokens, control=control,
        metrics=dict(metrics or {}), distinct_n=whole_number("distinct_n", distinct_n, 1),
        judge_batch_size=whole_number("judge_batch_size", judge_batch_size, 1),
        preflight=preflight, lora=lora, seeds=whole_number("seeds", seeds, 1, MOST_SEEDS),
        seed=whole_number("seed", seed), epsilon=epsilon, delta=delta, device=device,
        folder=None if out is None else Path(out), training=training,
        recorded=recorded, judge_found=recorded is not None and judge is None,
    )  # fmt: skip
    return run((steps or LanguageSteps)(request), progress)


def _opened(given: Any, data: Any, settings: Mapping[str, Any]) -> RecordedLogits:
    """Recorded logits, which bring their texts, split into prompts already."""
    if data is not None:
        raise InvalidInput(
            "Prompts were given beside recorded logits, which are of their own texts.",
            "Leave the prompts out, or give the teacher itself.",
        )
    for name, value in settings.items():
        if value is not None:
            raise InvalidInput(
                f"{name} was given beside recorded logits, whose texts are split already.",
                "Leave it out, or give it to limbeck.language.record.",
            )
    return given if isinstance(given, RecordedLogits) else RecordedLogits.open(given)


def recorded_teacher(recorded: RecordedLogits) -> str:
    """The folder of the teacher that was recorded, as ``hf:folder``.

    Parameters
    ----------
    recorded : RecordedLogits
        Whose index names it.

    Raises
    ------
    InvalidInput
        If the teacher was a module, or its folder is gone.
    """
    named = recorded.facts.get("folder")
    if isinstance(named, str) and (Path(named) / "config.json").is_file():
        return f"hf:{named}"
    raise InvalidInput(
        "Recorded logits do not say how near the student's own texts are to the teacher"
        + (f", and its folder {named!r} is not there." if named else "."),
        "Give judge='hf:big', which is asked on the test prompts alone.",
    )

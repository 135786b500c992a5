"""The check that anyone with the teacher can make of a certificate of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.certificate_file import read_stored
from limbeck.certificates.texts import CHUNK_LOSS, TEXT_LOSSES, certify_texts
from limbeck.certificates.verification import FieldMismatch, Verification, same
from limbeck.certificates.vouching import vouching
from limbeck.core.certificate import Certificate
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.language.certified_texts import TEXTS, CertifiedTexts
from limbeck.language.cross_tokenizer.bridge import Bridge
from limbeck.language.cross_tokenizer.judge import Writer, cross_scores
from limbeck.language.models import LanguageModel, read_model, share_vocabulary
from limbeck.language.prompt_scores import score_texts
from limbeck.modules.fingerprint import fingerprint

__all__ = ["verify"]

_CLOSE = 1e-4  # of a loss: batches and machines round differently


def verify(
    run: str | PathLike[str],
    teacher: Any = None,
    *,
    tokenizer: Any = None,
    public_key: Any = None,
    batch_size: int = 32,
    device: str | None = None,
) -> Verification:
    """Recompute the certificate of a saved distillation of a language model.

    With the teacher both models read all prompts and texts again, and the losses follow from them;
    without it the bounds are recomputed from the losses that were kept.

    Parameters
    ----------
    run : path
        The folder that `LanguageDistillation.save` wrote.
    teacher : str, path or nn.Module, optional
        ``hf:folder``, or a causal model of transformers with its ``tokenizer``.
    tokenizer : object, optional
        Of a module.
    public_key : str, Path or Ed25519PublicKey, optional
        The key that must have signed the certificate; as for `limbeck.verify`.
    batch_size : int
        Texts at once.
    device : str, optional
        Where folders are loaded to.

    Returns
    -------
    Verification
        What matches, what differs, and what no check shows.

    Raises
    ------
    FileRefused
        If the folder holds no certificate of texts, or a file cannot be read.
    InvalidInput
        If the texts were not kept, or models do not fit each other.
    """
    folder = Path(fspath(run))
    stated = read_stored(folder / "certificate.json")
    if stated.loss not in TEXT_LOSSES:
        raise FileRefused(
            f"The certificate in {str(folder)!r} is not one of texts: its loss is {stated.loss!r}.",
            "Use limbeck.verify(certificate, student, rows, answers).",
        )
    signed = vouching(stated, public_key)
    kept = CertifiedTexts.open(folder / "losses.npz")
    prints: dict[str, Any] = {
        "student": stated.student, "rows": stated.rows, "teacher": stated.settings.get("teacher"),
    }  # fmt: skip
    differences: list[FieldMismatch] = []
    notes = [signed.note] if signed.note else []
    if teacher is not None:
        if not kept.prompts:
            raise InvalidInput(
                f"{str(folder)!r} keeps losses and not the texts that they are of.",
                "Leave the teacher out, or distil anew: texts are kept now.",
            )
        crossed = stated.loss == CHUNK_LOSS
        models = _models(folder, teacher, tokenizer, device, crossed)
        prints = {
            "student": fingerprint(models[1].module), "rows": kept.fingerprint(),
            "teacher": fingerprint(models[0].module),
        }  # fmt: skip
        read_again = (_crossed if crossed else _losses)(*models, kept, batch_size)
        differences, far = _apart(kept.losses, read_again)
        notes.append(f"Both models read all texts again: no loss moved by more than {far:.1g}.")
    found = _recomputed(stated, kept.losses, prints)
    matches, more = _compared(stated, found)
    differences += more
    if signed.fault:
        differences.append(FieldMismatch("signature", stated.signature, signed.fault))
    unchecked = (
        *_unchecked(teacher is not None),
        *([signed.unchecked] if signed.unchecked else []),
    )
    return Verification(
        tuple(matches), tuple(differences), tuple(notes), unchecked, signed.public_key
    )


def _models(
    folder: Path, teacher: Any, tokenizer: Any, device: str | None, crossed: bool
) -> tuple[LanguageModel, LanguageModel]:
    big = read_model(teacher, "teacher", tokenizer, device)
    small = read_model(f"hf:{folder / 'student'}", "student", None, device)
    if not crossed:
        share_vocabulary(big, small)
    return big, small


def _losses(
    teacher: LanguageModel, student: LanguageModel, kept: CertifiedTexts, batch_size: int
) -> dict[str, NDArray[np.float64]]:
    """The losses, from both models and the texts."""
    return {
        name: 1 - score_texts(teacher, student, kept.prompts, kept.texts[name], batch_size).overlap
        for name in kept.losses
    }


def _crossed(
    teacher: LanguageModel, student: LanguageModel, kept: CertifiedTexts, batch_size: int
) -> dict[str, NDArray[np.float64]]:
    """The losses between models with different tokenizers."""
    bridge = Bridge(teacher, student)
    writers: dict[str, Writer] = dict(zip(TEXTS, ("student", "teacher", "other"), strict=True))
    return {
        name: 1 - cross_scores(
            bridge, student, kept.prompts, kept.texts[name], writers[name], batch_size
        ).overlap
        for name in kept.losses
    }  # fmt: skip


def _apart(
    stated: Mapping[str, NDArray[np.float64]], found: Mapping[str, NDArray[np.float64]]
) -> tuple[list[FieldMismatch], float]:
    """Kinds of texts whose losses differ, and the largest difference."""
    far = {name: float(np.abs(found[name] - x).max()) for name, x in stated.items()}
    out = [
        FieldMismatch(
            f"mean loss on {name}", round(float(stated[name].mean()), 6),
            round(float(found[name].mean()), 6),
        )
        for name, distance in far.items()
        if not distance <= _CLOSE
    ]  # fmt: skip
    return out, max(far.values())


def _recomputed(
    stated: Certificate, losses: Mapping[str, NDArray[np.float64]], prints: Mapping[str, Any]
) -> Certificate:
    settings = {n: stated.settings.get(n) for n in ("max_new_tokens", "seed")}
    return certify_texts(
        losses, delta=stated.delta, asked=stated.asked, student=prints["student"],
        rows=prints["rows"], loss=stated.loss, bound=str(stated.settings.get("bound")),
        settings={**settings, "teacher": prints["teacher"]},
    )  # fmt: skip


def _compared(stated: Certificate, found: Certificate) -> tuple[list[str], list[FieldMismatch]]:
    matches: list[str] = []
    differences: list[FieldMismatch] = []
    for f in fields(Certificate):
        a, b = getattr(stated, f.name), getattr(found, f.name)
        if f.name == "signature":
            continue
        if f.name == "settings":
            names = [n for n in {**a, **b} if n != "versions" and not same(a.get(n), b.get(n))]
            differences += [FieldMismatch(f"setting {n}", a.get(n), b.get(n)) for n in names]
            matches += [] if names else [f.name]
        elif same(a, b):
            matches.append(f.name)
        else:
            differences.append(FieldMismatch(f.name, a, b))
    return matches, differences


def _unchecked(asked: bool) -> tuple[str, ...]:
    """What no check shows."""
    out = [
        "That the prompts are independent draws from those that the student will meet, in the order"
        " in which they were drawn.",
        "That training and choosing the student used none of these prompts.",
        "That each text was drawn from the model whose it is, with a seed fixed before.",
    ]
    if not asked:
        out.append(
            "That the losses are those of these models on these prompts: give the teacher, and both"
            " read all texts again."
        )
    return tuple(out)

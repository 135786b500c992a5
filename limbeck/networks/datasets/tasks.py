"""What is predicted: said, or guessed from labels and outputs; and whether two networks match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.data.unlabelled import check_shifted
from limbeck.modules.batch import IGNORED, View
from limbeck.networks.datasets.labels import distributions, unlabelled
from limbeck.networks.datasets.seeding import restored

if TYPE_CHECKING:
    from limbeck.networks.datasets.data import Samples

__all__ = ["guess_task", "probed_labels", "same_outputs"]

_PROBES = 256
_READ: WeakKeyDictionary[Samples, list[Tensor]] = WeakKeyDictionary()
"""The labels of samples that were probed before: reading them may mean decoding images."""


def guess_task(
    samples: Samples,
    logits: Tensor,
    said: str | Task | None = None,
    *,
    module: nn.Module | None = None,
) -> Task:
    """What is predicted, from the labels of 256 samples and the logits of one batch.

    Parameters
    ----------
    samples : Samples
        Their labels may be absent: then several outputs are classes, and one is a number.
    logits : Tensor of shape (n, k) or (n, t, k)
        What a network returned for some samples.
    said : {"classification", "multilabel", "regression", "tokens", "language"} or Task, optional
        Said rather than guessed.
    module : nn.Module, optional
        The network; its ``config.problem_type`` and its class's name are read.

    Returns
    -------
    Task
        Integers (n,) are classes; rows (n, k) from 0 that sum to one are distributions over them;
        other 0 and 1 of shape (n, k), or for one output, are multi-label targets; other
        numbers are values. Labels of -1 and -100 are left out. A label for each token makes tokens,
        or language where the labels are the inputs themselves.

    Raises
    ------
    InvalidInput
        If outputs have no fitting shape, or labels do not fit them.
    """
    if logits.ndim not in (2, 3) or not logits.is_floating_point():
        raise InvalidInput(
            f"The network returned shape {tuple(logits.shape)} of {logits.dtype}.",
            "Let it return logits (n, k), or (n, t, k) for an answer at every place.",
        )
    k = logits.shape[-1]
    sequential = logits.ndim == 3
    if isinstance(said, Task):
        kind = said.kind
        if said.outputs != k:
            raise InvalidInput(
                f"The network has {k} outputs, the task {said.outputs}.", "Let them agree."
            )
    elif said is not None:
        kind = Task.of(said, k).kind
    elif sequential:
        kind = _sequential(samples, module)
    else:
        kind = _by_row(samples, k, module)
    task = said if isinstance(said, Task) else Task.of(kind, k)
    if kind in (TaskKind.CLASSIFICATION, TaskKind.MULTILABEL) and samples.has_labels:
        labels = torch.cat(probed_labels(samples))
        if labels.ndim == 1 or labels.shape[1:] == (1,):
            kinds = torch.unique(labels[~torch.isnan(labels)]).tolist()
            check_shifted(kinds, range(max(k, 2)))
    if task.sequential != sequential:
        raise InvalidInput(
            f"The task is {kind}, and the network returned shape {tuple(logits.shape)}.",
            "Let it return (n, t, k)." if task.sequential else "Let it return (n, k).",
        )
    return task


def same_outputs(
    teacher: View,
    student: View,
    teacher_module: nn.Module | None = None,
    student_module: nn.Module | None = None,
) -> None:
    """Refuse networks whose outputs do not mean the same.

    Parameters
    ----------
    teacher, student : View
        Of one batch.
    teacher_module, student_module : nn.Module, optional
        Where both have a ``config`` as in transformers, the order of their classes
        (``id2label``) is compared as well.

    Raises
    ------
    InvalidInput
        If shapes or classes differ; says what can be done.
    """
    a, b = teacher.logits.shape, student.logits.shape
    if a[-1] != b[-1]:
        raise InvalidInput(
            f"The teacher has {a[-1]} outputs, the student {b[-1]}.",
            "Give the student the teacher's classes or vocabulary, in the same order. Where one was"
            f" only filled up, say how many are shared: vocabulary={min(a[-1], b[-1])}. Objectives"
            " of hidden layers alone (HiddenStates, Embeddings, Relations) need no same outputs.",
        )
    if a != b:
        raise InvalidInput(
            f"For one batch the teacher's logits have shape {tuple(a)}, the student's {tuple(b)}.",
            "Let both answer the same places: the same tokenizer, the same number of steps.",
        )
    one, two = (getattr(m, "config", None) for m in (teacher_module, student_module))
    if one is None or two is None:
        return
    names = tuple(_names(c) for c in (one, two))
    if names[0] and names[1] and names[0] != names[1]:
        differs = next(i for i in names[0] if names[0][i] != names[1].get(i))
        raise InvalidInput(
            f"Class {differs} is {names[0][differs]!r} to the teacher and"
            f" {names[1].get(differs)!r} to the student.",
            "Give the student the teacher's id2label, and labels in that order.",
        )


def probed_labels(samples: Samples) -> list[Tensor]:
    """The labels of 256 samples, spread evenly, one by one; none where there are none."""
    if samples not in _READ:
        found = _labels(samples)
        _READ[samples] = [] if found is None else found[1]
    return _READ[samples]


def _labels(samples: Samples) -> tuple[list[Any], list[Tensor]] | None:
    """Inputs and labels of some samples, one by one."""
    if not samples.has_labels:
        return None
    n = len(samples)
    places = torch.linspace(0, n - 1, min(n, _PROBES), dtype=torch.float64).round().long()
    with restored():
        found = [samples.fetch([i]) for i in places.tolist()]
    ndim = max(0 if b.labels is None else b.labels.ndim for b in found)
    found = [b for b in found if b.labels is not None and b.labels.ndim == ndim]
    return [b.inputs for b in found], [b.labels for b in found if b.labels is not None]


def _sequential(samples: Samples, module: nn.Module | None) -> TaskKind:
    found = _labels(samples)
    if found is None:
        causal = type(module).__name__.endswith(("ForCausalLM", "LMHeadModel"))
        return TaskKind.LANGUAGE if causal else TaskKind.TOKENS
    for inputs, labels in zip(*found, strict=True):
        tokens = inputs.get("input_ids") if isinstance(inputs, Mapping) else inputs
        if not isinstance(tokens, Tensor) or tokens.shape != labels.shape:
            return TaskKind.TOKENS
        if ((labels != tokens) & (labels != IGNORED)).any():
            return TaskKind.TOKENS
    return TaskKind.LANGUAGE


def _by_row(samples: Samples, k: int, module: nn.Module | None) -> TaskKind:
    said = getattr(getattr(module, "config", None), "problem_type", None)
    if said is not None:
        return {
            "regression": TaskKind.REGRESSION,
            "multi_label_classification": TaskKind.MULTILABEL,
            "single_label_classification": TaskKind.CLASSIFICATION,
        }[said]
    if not samples.has_labels:
        return TaskKind.CLASSIFICATION if k > 1 else TaskKind.REGRESSION
    labels = torch.cat(probed_labels(samples))
    if labels.ndim > 2 and labels[0].numel() == k:
        labels = labels.flatten(1)
    known = labels[~unlabelled(labels)]
    binary = bool(((known == 0) | (known == 1)).all())
    if labels.ndim == 2 and labels.shape[1] == k > 1:
        if distributions(labels):
            return TaskKind.CLASSIFICATION
        _check_half_known(labels, binary)
        if binary:
            _check_no_class(labels)
        return TaskKind.MULTILABEL if binary else TaskKind.REGRESSION
    if k == 1:
        _check_half_known(labels, binary)
        return TaskKind.MULTILABEL if binary else TaskKind.REGRESSION
    if labels.ndim == 1 or labels.shape[1:] == (1,):
        if not labels.is_floating_point() or bool((known == known.round()).all()):
            return TaskKind.CLASSIFICATION
        raise InvalidInput(
            f"Labels are numbers such as {_uneven(known):.4g}, and the network has {k} outputs.",
            "Give classes as integers, numbers of shape (n, k), or the task.",
        )
    raise InvalidInput(
        f"Labels have shape (n, {', '.join(map(str, labels.shape[1:]))}), and the network returned"
        f" (n, {k}).",
        "Give a class per row, one label for each output, or the task.",
    )


def _check_no_class(labels: Tensor) -> None:
    """Refuse rows of zeros where all others name one class of three or more: one-hot, or not."""
    sums = labels[~unlabelled(labels).any(1)].sum(1)
    none = int((sums == 0).sum())
    if labels.shape[1] > 2 and none and not bool((sums > 1).any()) and none < len(sums):
        raise InvalidInput(
            f"{none:,} of {len(sums):,} rows of labels looked at are all 0, and each of the others"
            " has a single 1: one class per row, with rows that have none, or multi-label"
            " targets.",
            "Give task='multilabel' if a row may have no label; or -1 throughout the rows without a"
            " class.",
        )


def _check_half_known(labels: Tensor, binary: bool) -> None:
    """Refuse -1 beside 0 and 1, which may be a number or mean that there is no label."""
    if binary and bool((labels == -1).any()):
        shown = ", ".join(f"{v:g}" for v in sorted(set(labels.flatten().tolist())))
        raise InvalidInput(
            f"Labels are {shown}: -1 may be a number, or mean that there is no label.",
            "Give task='multilabel', where -1 means no label, or task='regression'.",
        )


def _uneven(labels: Tensor) -> float:
    """A label that is no whole number."""
    return float(labels[labels != labels.round()][0])


def _names(config: Any) -> dict[int, str]:
    """Names of classes, where somebody gave them ("LABEL_0" is nobody's)."""
    names = {int(i): str(n) for i, n in (getattr(config, "id2label", None) or {}).items()}
    return {} if all(n == f"LABEL_{i}" for i, n in names.items()) else names

"""Tuning by preferences, with the teacher as reference: the last stage of a conversion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.certificates.binomial import interval
from limbeck.core.errors import InvalidInput
from limbeck.core.measured import Measured
from limbeck.core.progress import Progress
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step
from limbeck.networks.conversion.stage_training import StageSamples, StageSettings, train_stage
from limbeck.networks.losses.loss import Loss, Needs

__all__ = [
    "DirectPreference", "PreferencePairs", "preference_loss", "preferred", "read_preferences",
    "tune_preferences",
]  # fmt: skip

_NAMES = ("prompt", "chosen", "rejected")
_FEWEST = 20


def preference_loss(policy: Tensor, reference: Tensor, beta: float = 0.1) -> Tensor:
    """-log sigmoid(beta ((pi_c - pi_r) - (ref_c - ref_r))), the mean over pairs.

    DPO (arXiv 2305.18290, equation 7), of log probabilities of whole
    completions.

    Parameters
    ----------
    policy, reference : Tensor of shape (n, 2)
        Log probabilities of the chosen and the rejected completion, by the model that is tuned and
        by the one that it is compared with.
    beta : float
        How much it costs to leave the reference.
    """
    margin = (policy[:, 0] - policy[:, 1]) - (reference[:, 0] - reference[:, 1])
    return -F.logsigmoid(beta * margin).mean()


@dataclass(frozen=True)
class DirectPreference(Loss):
    """`preference_loss` as an objective of the trainer.

    Parameters
    ----------
    beta : float
        How much it costs to leave the teacher.
    """

    level: ClassVar[int] = 2
    beta: float = 0.1

    @property
    def needs(self) -> Needs:
        """The teacher is the reference."""
        return Needs(teacher=True)

    def check(self, task: Task) -> None:
        """Refuse what is no pair of log probabilities."""
        if task.kind is not TaskKind.REGRESSION or task.outputs != 2:
            raise InvalidInput(f"{self.name} is for pairs of completions.", "Give preferences.")

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over the pairs of a batch.

        Parameters
        ----------
        step : Step
            Log probabilities in the place of logits.
        maps : nn.Module or None
            Nothing is learned beside the student.
        """
        assert step.teacher is not None  # noqa: S101  (see needs)
        return preference_loss(step.student.logits, step.teacher.logits, self.beta)


@dataclass(frozen=True, eq=False)
class PreferencePairs:
    """Prompts with a chosen and a rejected completion, as tokens padded on the right.

    Parameters
    ----------
    ids, mask, counts : Tensor of shape (n, 2, t), int64
        Tokens; which there are; and which of them are of the completion.
    """

    ids: Tensor
    mask: Tensor
    counts: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int]) -> PreferencePairs:
        """Some of the pairs.

        Parameters
        ----------
        rows : sequence of int
            Their places.
        """
        some = torch.as_tensor(rows, dtype=torch.int64)
        return PreferencePairs(self.ids[some], self.mask[some], self.counts[some])

    @property
    def inputs(self) -> dict[str, Tensor]:
        """As a module of this file is called."""
        return {"input_ids": self.ids, "attention_mask": self.mask, "counts": self.counts}


def read_preferences(given: Any, tokenizer: Any, length: int) -> PreferencePairs:
    """Read pairs of completions, as data sets of TRL hold them.

    Parameters
    ----------
    given : sequence of mapping or of tuple of str
        ``prompt``, ``chosen`` and ``rejected``, by name or in this order; 20 or more.
    tokenizer : PreTrainedTokenizer
        That of the model.
    length : int
        Tokens at most; longer ones lose the beginning of their prompt.

    Raises
    ------
    InvalidInput
        If there are too few, or one is no such triple, or both completions are the same or empty.
    """
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) < _FEWEST:
        size = len(given) if isinstance(given, Sequence) else type(given).__name__
        raise InvalidInput(f"preferences are {size}.", f"Give {_FEWEST} pairs or more.")
    rows: list[tuple[list[int], int]] = []
    for place, one in enumerate(given):
        prompt, chosen, rejected = _triple(one, place)
        for text in (chosen, rejected):
            before, after = (tokenizer(s, add_special_tokens=False)["input_ids"]
                             for s in (prompt, text))  # fmt: skip
            if not before or not after or len(after) >= length:
                raise InvalidInput(
                    f"preferences[{place}] has {len(before)} tokens before {len(after)}.",
                    f"Give one or more of each, and completions below length={length}.",
                )
            rows.append(([*before, *after][-length:], len(after)))
    widest = max(len(ids) for ids, _ in rows)
    ids, mask, counts = (torch.zeros(len(rows), widest, dtype=torch.long) for _ in range(3))
    for place, (some, own) in enumerate(rows):
        ids[place, : len(some)] = torch.tensor(some)
        mask[place, : len(some)] = 1
        counts[place, len(some) - own : len(some)] = 1
    return PreferencePairs(*(x.view(-1, 2, widest) for x in (ids, mask, counts)))


def tune_preferences(
    teacher: Any,
    student: Any,
    pairs: PreferencePairs,
    settings: StageSettings,
    tell: Progress | None = None,
    folder: Path | None = None,
    *,
    beta: float = 0.1,
) -> list[dict[str, Any]]:
    """All weights learn to prefer what was chosen, with the teacher as reference (DPO).

    The last stage of Mamba in the Llama (arXiv 2408.15237).

    Parameters
    ----------
    teacher, student : PreTrainedModel
        The model with attention, and the converted one.
    pairs : PreferencePairs
        What was chosen and rejected.
    settings : StageSettings
        Steps, pairs in an update, rate.
    tell : Progress, optional
        Told how far it is.
    folder : Path, optional
        Where checkpoints are written.
    beta : float
        How much it costs to leave the teacher.
    """
    samples = StageSamples(pairs.inputs, None, Task.of("regression", 2))
    return train_stage(
        _Completions(student), samples, DirectPreference(beta), settings, "preferences", tell,
        teacher=_Completions(teacher), folder=folder,
    )  # fmt: skip


@torch.no_grad()
def preferred(model: Any, pairs: PreferencePairs) -> Measured:
    """Share of pairs whose chosen completion is the likelier one, with its exact 95% interval.

    Parameters
    ----------
    model : PreTrainedModel
        The model.
    pairs : PreferencePairs
        Pairs that no training saw.
    """
    module, device = _Completions(model).eval(), next(model.parameters()).device
    right = 0
    for some in np.array_split(np.arange(len(pairs)), -(-len(pairs) // 8)):
        inputs = {n: v.to(device) for n, v in pairs.take(some.tolist()).inputs.items()}
        found = module(**inputs)
        right += int((found[:, 0] > found[:, 1]).sum())
    low, high = interval(right, len(pairs), 0.05)
    return Measured(right / len(pairs), low, high)


class _Completions(nn.Module):
    """A language model that returns the log probability of each completion of a pair, (n, 2)."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, counts: Tensor) -> Tensor:
        ids, mask, own = (x.flatten(0, 1) for x in (input_ids, attention_mask, counts))
        logits = self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        logs = F.log_softmax(logits[:, :-1].float(), -1)
        found = logs.gather(-1, ids[:, 1:, None]).squeeze(-1) * own[:, 1:]
        return found.sum(-1).view(-1, 2)


def _triple(one: Any, place: int) -> tuple[str, str, str]:
    if isinstance(one, Mapping):
        one = [one.get(name) for name in _NAMES]
    if isinstance(one, str) or len(one) != 3 or not all(isinstance(s, str) for s in one):
        raise InvalidInput(
            f"preferences[{place}] is {one!r:.60}.",
            "Give prompt, chosen and rejected, each a text.",
        )
    prompt, chosen, rejected = one
    if chosen == rejected:
        raise InvalidInput(
            f"preferences[{place}] has the same text twice.", "Leave out what is no preference."
        )
    return prompt, chosen, rejected

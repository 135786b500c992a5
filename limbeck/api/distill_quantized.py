"""The steps of a distillation into the teacher with weights of few bits."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from limbeck.api.distill_pruned import whole_teacher
from limbeck.api.network_steps import NetworkSteps, Trainings
from limbeck.api.prepare.network import Prepared
from limbeck.api.prepare.request import NetworkData, NetworkSides, read
from limbeck.core.progress import Progress
from limbeck.networks.quantization.quantized import Quantized
from limbeck.networks.quantization.rounding import layers_to_round, rounded, rounded_in_training
from limbeck.networks.training.train import Trained

__all__ = ["QuantizedSteps", "told_of_rounding"]


@dataclass(frozen=True, eq=False)
class QuantizedSteps(NetworkSteps):
    """The steps where the student is the teacher with rounded weights, healed by its logits.

    Trainings see rounded weights; what is judged, certified and written holds whole numbers. The
    control learns gold labels from the same rounding: cross-entropy after quantization. Beside it
    stands the rounded network without any training.
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "request", replace(self.request, logits_alone=True))

    def read(self) -> NetworkData:
        """What was given, with a rounded copy of the teacher in the student's place."""
        whole = whole_teacher(
            self.request, "quantized from its teacher", "Quantized(...) makes"
        )  # fmt: skip
        asked: Quantized = self.request.into
        layers_to_round(whole, asked)
        return read(replace(self.request, into=copy.deepcopy(whole)))

    def understand(self, data: NetworkData, sides: NetworkSides) -> Prepared:
        """As for any network, once weights are rounded.

        Parameters
        ----------
        data : NetworkData
            What was given.
        sides : NetworkSides
            Training rows and test rows.
        """
        assert data.tutor is not None  # noqa: S101  (`read` refuses others)
        asked: Quantized = self.request.into
        start = rounded_in_training(data.tutor, asked)
        known = super().understand(replace(data, makers=[start]), sides)
        return replace(
            known, notes=(*told_of_rounding(data.tutor, asked, "gold labels alone"), *known.notes)
        )

    def alternatives(
        self, known: Prepared, found: Trainings, tell: Progress
    ) -> Mapping[str, Sequence[Trained]]:
        """The rounded network before any healing.

        Parameters
        ----------
        known : Prepared
            Networks and rows.
        found : Trainings
            The students.
        tell : Progress
            Told nothing: there is no training.
        """
        start = [found.method.untrained(seed) for seed in self._seeds]
        return {"before healing": self._finished(known, start)}

    def _finished(self, known: Prepared, made: Sequence[Trained]) -> list[Trained]:
        """Trainings with their weights as whole numbers."""
        asked: Quantized = self.request.into
        return super()._finished(
            known, [replace(t, module=rounded(t.module, asked)) for t in made]
        )  # fmt: skip


def told_of_rounding(whole: nn.Module, asked: Quantized, control: str) -> list[str]:
    """What was rounded, in sentences.

    Parameters
    ----------
    whole : nn.Module
        The teacher.
    asked : Quantized
        How its weights are rounded.
    control : str
        What the control learns from.
    """
    names = layers_to_round(whole, asked)
    share = sum(whole.get_parameter(f"{n}.weight").numel() for n in names)
    total = sum(p.numel() for p in whole.parameters())
    scale = "each row of a layer" if asked.group is None else f"{asked.group} weights of a row"
    linear = sum(type(m) is nn.Linear for m in whole.modules())
    notes = [
        f"Weights of {len(names)} of {linear} linear layers ({share / total:.0%} of all parameters)"
        f" are {asked.weights}, with a scale for {scale}; all else stays as it is. The control is"
        f" the same rounding, trained on {control}."
    ]
    if asked.weights == "int4":
        notes.append("In memory torchao keeps int4 weights in a byte each; the file holds two.")
    return notes

"""The steps of a distillation into a language model with weights of few bits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from limbeck.api.distill_pruned_language import read_own_student
from limbeck.api.distill_quantized import told_of_rounding
from limbeck.api.language_steps import LanguageSteps
from limbeck.api.prepare.language import understand_language
from limbeck.api.prepare.language_request import LanguageData, LanguageKnown, LanguageSides
from limbeck.core.errors import InvalidInput
from limbeck.language.train_texts import TextTraining
from limbeck.networks.quantization.quantized import Quantized
from limbeck.networks.quantization.rounding import layers_to_round, rounded, rounded_in_training

__all__ = ["QuantizedLanguageSteps"]


@dataclass(frozen=True, eq=False)
class QuantizedLanguageSteps(LanguageSteps):
    """The steps where the student is the teacher with rounded weights, healed by its distributions.

    Trainings see rounded weights; what is judged, certified and saved holds whole numbers. The
    control is the same rounding, healed by cross-entropy on the same texts; the start is the
    rounded model before any training. Plain texts are whole texts, as for a cut.
    """

    def read(self) -> LanguageData:
        """Teacher, prompts and settings, with a copy of the teacher in the student's place."""
        if self.request.lora is not None:
            raise InvalidInput(
                "lora was given with Quantized(...), whose own weights are trained and rounded.",
                "Leave lora out.",
            )
        data = read_own_student(self.request, "rounded", "Quantized(...)")
        asked: Quantized = self.request.into
        layers_to_round(data.teacher.module, asked)
        return data

    def understand(self, data: LanguageData, sides: LanguageSides) -> LanguageKnown:
        """As for any language model, once weights are rounded.

        Parameters
        ----------
        data : LanguageData
            What was given.
        sides : LanguageSides
            Training prompts and test prompts.
        """
        asked: Quantized = self.request.into
        start = replace(
            data.teacher, module=rounded_in_training(data.teacher.module, asked),
            name=f"{data.teacher.name}, {asked.weights}",
        )  # fmt: skip
        known = understand_language(self.request, replace(data, start=start), sides)
        told = told_of_rounding(data.teacher.module, asked, "cross-entropy on the same texts")
        return replace(known, notes=(*told, *known.notes))

    def training(self, known: LanguageKnown) -> TextTraining:
        """As for any language model; in the end weights are whole numbers.

        Parameters
        ----------
        known : LanguageKnown
            Models, prompts and settings.
        """
        asked: Quantized = self.request.into
        return replace(super().training(known), finish=lambda module: rounded(module, asked))

"""The steps of a conversion: attention into a recurrent state, with certificate and control."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbeck.api.prepare.conversion import (
    ConversionData,
    ConversionKnown,
    ConversionRequest,
    read_conversion,
    split_conversion,
    understand_conversion,
)
from limbeck.api.steps import Steps
from limbeck.certificates.certify import certify
from limbeck.certificates.wording import versions
from limbeck.core.certificate import Certificate
from limbeck.core.measured import Measured
from limbeck.core.progress import Progress
from limbeck.core.status import Status, StatusCode
from limbeck.core.texts import as_texts, text_codes
from limbeck.data.duplicates import row_hashes
from limbeck.evaluation.comparison import Comparison
from limbeck.evaluation.conversion_comparison import compare_conversions
from limbeck.networks.conversion.certified import TextDistance, total_variation
from limbeck.networks.conversion.judge import TextScores, score_texts
from limbeck.networks.conversion.pipeline import converted, untrained
from limbeck.networks.conversion.preferences import (
    preferred,
)
from limbeck.networks.conversion.recall import (
    Haystack,
    recall,
)
from limbeck.networks.conversion.recall_score import RecallScore
from limbeck.networks.conversion.sizes import bytes_of_text
from limbeck.networks.conversion.student import HybridModel
from limbeck.networks.conversion.texts import TokenTexts, training_blocks
from limbeck.results.conversion import Conversion
from limbeck.results.conversion_sections import LanguageFacts

__all__ = ["ConversionSteps"]


@dataclass(frozen=True, eq=False)
class _ConversionFound:
    students: list[Any]
    history: list[dict[str, Any]]
    scores: list[TextScores]


@dataclass(frozen=True, eq=False)
class _ComparedModels:
    table: Comparison
    facts: dict[str, LanguageFacts]
    history: list[dict[str, Any]]
    recalled: dict[str, tuple[RecallScore, ...]]
    preferred: dict[str, Measured]


@dataclass(frozen=True, eq=False)
class ConversionSteps(
    Steps[
        ConversionData,
        tuple[TokenTexts, TokenTexts],
        ConversionKnown,
        _ConversionFound,
        _ComparedModels,
        Conversion,
    ]
):
    """The steps for texts and a model of transformers; see `limbeck.api.steps`."""

    request: ConversionRequest

    def read(self) -> ConversionData:
        """Model, texts and budget."""
        return read_conversion(self.request)

    def split(self, data: ConversionData) -> tuple[TokenTexts, TokenTexts]:
        """Texts that train, and texts for table and certificate.

        Parameters
        ----------
        data : ConversionData
            What was read.
        """
        return split_conversion(self.request, data)

    def understand(
        self, data: ConversionData, sides: tuple[TokenTexts, TokenTexts]
    ) -> ConversionKnown:
        """All that the training works with.

        Parameters
        ----------
        data : ConversionData
            What was read.
        sides : tuple of TokenTexts
            The two sides.
        """
        return understand_conversion(self.request, data, sides)

    def teach(self, known: ConversionKnown, tell: Progress) -> _ConversionFound:
        """The converted models of all seeds.

        Parameters
        ----------
        known : ConversionKnown
            What is known.
        tell : Progress
            Told how far it is.
        """
        students, history = self._trained(known, tell, control=False)
        scores = [self._score(known, student) for student in students]
        return _ConversionFound(students, history, scores)

    def certify(
        self, known: ConversionKnown, found: _ConversionFound, tell: Progress
    ) -> Certificate:
        """How far the first student is from the teacher, by text.

        Parameters
        ----------
        known : ConversionKnown
            What is known.
        found : _ConversionFound
            The students.
        tell : Progress
            Told that this is done.
        """
        tell("certificate", 0, 1)
        r, texts = self.request, list(known.test.texts)
        seen = row_hashes(text_codes(as_texts(list(known.training.texts))))
        student = self._wrapped(known, found.students[0])
        of_teacher = self._score(known, known.data.opened.model)
        return certify(
            TextDistance(known.test, found.scores[0], student.fingerprint()), texts,
            of_teacher.cross_entropy, delta=r.delta, epsilon=r.epsilon, loss=total_variation,
            loss_range=(0.0, 1.0), seen=seen,
        )  # fmt: skip

    def compare(
        self, known: ConversionKnown, found: _ConversionFound, tell: Progress
    ) -> _ComparedModels:
        """Teacher, student, control and the start, on the texts set aside.

        Parameters
        ----------
        known : ConversionKnown
            What is known.
        found : _ConversionFound
            The students.
        tell : Progress
            Told how far the training of the controls is.
        """
        r, data = self.request, known.data
        controls, more = self._trained(known, tell, control=True)
        history = found.history + more
        scores = {
            "teacher": [self._score(known, data.opened.model)],
            "student": found.scores,
            "control": [self._score(known, model) for model in controls],
            "start": [self._score(known, self._start(known, seed)) for seed in self._seeds],
        }
        table = compare_conversions(scores, r.delta, r.seeds)
        models = {"teacher": data.opened.model, "control": controls[0]}
        facts = {
            role: _facts(own, models.get(role, found.students[0]), _seconds(history, role))
            for role, own in scores.items()
        }
        asked = {**models, "student": found.students[0]}
        if r.recall or data.pairs is not None:
            asked["start"] = self._start(known, r.seed)
        chosen = {} if data.pairs is None else {
            role: preferred(model, data.pairs) for role, model in asked.items()
        }  # fmt: skip
        return _ComparedModels(table, facts, history, self._recalled(known, asked), chosen)

    def result(
        self,
        known: ConversionKnown,
        found: _ConversionFound,
        certificate: Certificate | None,
        compared: _ComparedModels,
        seconds: float,
    ) -> Conversion:
        """All of it as a record that prints and saves itself.

        Parameters
        ----------
        known, found, certificate, compared
            What the steps returned.
        seconds : float
            How long they took.
        """
        data, test = known.data, known.test
        return Conversion(
            self._wrapped(known, found.students[0]),
            Status(StatusCode.COMPLETE, "All stages ran to their end."),
            certificate,
            compared.table,
            compared.facts,
            tuple(compared.history),
            (*data.texts.notes, *data.opened.notes, *self._notes(known)),
            {
                "teacher": data.opened.name, "layers": data.opened.layers,
                "kept": list(data.path[-1]), "path": [list(p) for p in data.path],
                "mixer": self.request.into.mixer, "start": self.request.into.start,
                "options": dict(self.request.into.options), "stages": list(data.budget.stages),
                "steps": dict(data.budget.steps), "length": self.request.length,
                "batch_size": self.request.batch_size, "lr": data.budget.settings.lr,
                "lr_of_stages": dict(data.budget.rates), "beta": data.budget.beta,
                "preferences": 0 if data.pairs is None else len(data.pairs),
                "seeds": list(self._seeds), "training_texts": len(known.training),
                "training_tokens": known.training.tokens, "test_texts": len(test),
                "test_tokens": int(found.scores[0].tokens.sum()), "epsilon": self.request.epsilon,
                "delta": self.request.delta, "recall": list(self.request.recall),
                "seconds": seconds,
                "versions": {
                    "python": platform.python_version(), **versions("torch", "transformers")
                },
            },
            compared.recalled,
            compared.preferred,
        )  # fmt: skip

    def _recalled(
        self, known: ConversionKnown, models: Mapping[str, Any]
    ) -> dict[str, tuple[RecallScore, ...]]:
        """What each model recalls, on the same sequences."""
        r, tokenizer = self.request, known.data.opened.tokenizer
        if not r.recall:
            return {}
        haystack = Haystack.of(tokenizer, list(known.test.texts))
        return {
            role: tuple(
                recall(model, haystack.words, list(r.recall), seed=r.seed, haystack=haystack)
            )
            for role, model in models.items()
        }

    @property
    def _seeds(self) -> range:
        return range(self.request.seed, self.request.seed + self.request.seeds)

    def _start(self, known: ConversionKnown, seed: int) -> Any:
        """The converted model before any training."""
        opened, path = known.data.opened, known.data.path
        tokens = training_blocks(known.training, self.request.length, opened.end, seed)
        return untrained(opened.model, self.request.into, path[-1], seed, tokens)

    def _trained(
        self, known: ConversionKnown, tell: Progress, *, control: bool
    ) -> tuple[list[Any], list[dict[str, Any]]]:
        r, data = self.request, known.data
        models, history = [], []
        for seed in self._seeds:
            tokens = training_blocks(known.training, r.length, data.opened.end, seed)
            budget = replace(data.budget, settings=replace(data.budget.settings, seed=seed))
            role = "control" if control else "student"
            model, own = converted(
                data.opened.model, r.into, data.path, tokens, budget, tell, control=control,
                folder=r.under(seed, role),
            )  # fmt: skip
            history += [{"role": role, "seed": seed, **row} for row in own]
            models.append(model)
        return models, history

    def _score(self, known: ConversionKnown, model: Any) -> TextScores:
        return score_texts(known.data.opened.model, model, known.test, self.request.length)

    def _wrapped(self, known: ConversionKnown, model: Any) -> HybridModel:
        return HybridModel(
            model, known.data.opened.tokenizer, self.request.into, known.data.path[-1]
        )

    def _notes(self, known: ConversionKnown) -> list[str]:
        data, r = known.data, self.request
        converted_layers = [i for i in range(data.opened.layers) if i not in data.path[-1]]
        one = len(converted_layers) == 1
        notes = [
            f"Layer{'' if one else 's'} {', '.join(map(str, converted_layers))}"
            f" {'has' if one else 'have'} {r.into.mixer} in the place of attention"
            f" ({r.into.start} start)."
        ]
        cut = sum(len(i) > r.length for i in known.test.ids)
        if cut:
            notes.append(f"{cut} of {len(known.test)} test texts were read to token {r.length:,}.")
        return notes


def _facts(own: list[TextScores], model: Any, seconds: float) -> LanguageFacts:
    means = {n: float(np.mean([s.per_token(n) for s in own]))
             for n in ("divergence", "same", "cross_entropy")}  # fmt: skip
    return LanguageFacts(
        **means, parameters=sum(p.numel() for p in model.parameters()),
        state_bytes=bytes_of_text(model, 128), state_bytes_long=bytes_of_text(model, 4_096),
        cpu_seconds=seconds,
    )  # fmt: skip


def _seconds(history: list[dict[str, Any]], role: str) -> float:
    """Processor seconds of all stages and seeds of a role."""
    last: dict[Any, float] = {}
    for row in history:
        if row["role"] == role:
            last[row["seed"], row["stage"], row["kept"]] = row["cpu_seconds"]
    return round(sum(last.values()), 2)

"""The steps of a conversion: attention into a recurrent state, with certificate and control."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.api.steps import Steps
from limbeck.certificates.binomial import check_share
from limbeck.certificates.certify import certify
from limbeck.certificates.wording import versions
from limbeck.core.certificate import Certificate
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.measured import Measured
from limbeck.core.pieces import NAME
from limbeck.core.progress import Progress
from limbeck.core.status import Status, StatusCode
from limbeck.core.texts import as_texts, text_codes
from limbeck.data.duplicates import row_hashes
from limbeck.evaluation.comparison import Comparison, ModelPredictions, Yardstick, compare
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.networks.conversion.certified import TextDistance, total_variation
from limbeck.networks.conversion.hybrid import Hybrid, kept_layers
from limbeck.networks.conversion.judge import TextScores, score_texts
from limbeck.networks.conversion.opening import OpenedModel, open_model
from limbeck.networks.conversion.pipeline import StageBudget, converted, untrained
from limbeck.networks.conversion.preferences import (
    PreferencePairs,
    preferred,
    read_preferences,
)
from limbeck.networks.conversion.recall import (
    Haystack,
    check_distances,
    needles,
    recall,
)
from limbeck.networks.conversion.recall_score import RecallScore
from limbeck.networks.conversion.sizes import bytes_of_text
from limbeck.networks.conversion.stage_training import StageSettings
from limbeck.networks.conversion.student import HybridModel
from limbeck.networks.conversion.texts import TokenTexts, read_texts, training_blocks
from limbeck.results.conversion import Conversion
from limbeck.results.conversion_sections import LanguageFacts

__all__ = ["ConversionRequest", "ConversionSteps"]

_FEWEST = 10
_LR = 1e-3
_ASIDE = 0.3  # of the preferences


@dataclass(frozen=True, eq=False)
class ConversionRequest:
    """What was asked for.

    Parameters
    ----------
    teacher : str, path or PreTrainedModel
        ``hf:folder``, or a model that transformers loaded.
    texts : list of str
        Texts, or a pair of these for training and holdout.
    into : Hybrid
        What stands in the place of attention.
    stages : sequence of str
        Of ``mixers``, ``blocks``, ``logits`` and ``preferences``.
    steps : int or mapping
        Updates of each stage.
    length, batch_size : int
        Tokens in a block, and blocks in an update.
    lr : float or mapping
        Largest learning rate; or of each stage, such as ``{"preferences": 1e-5}``, where the
        others have 1e-3.
    seeds, seed : int
        How many, and the first.
    holdout : float or list of str
        Share of texts set aside, or texts.
    epsilon, delta : float
        What is asked of the certificate.
    tokenizer : PreTrainedTokenizer, optional
        Where a model is given and no folder.
    device : str, optional
        Where it runs.
    recall : sequence of int
        Distances in tokens, even numbers of 8 or more, at which all models are asked to recall
        what stood so far back: copying, associative recall, and needles in the test texts.
    preferences : sequence of mapping or of tuple of str
        For the stage of this name: ``prompt``, ``chosen`` and ``rejected``; three tenths are set
        aside, on which all models are asked which completion is the likelier one.
    beta : float
        How much it costs there to leave the teacher.
    callbacks : sequence of Callback
        Called while each stage is trained, for student and control; they change no result.
    checkpoint_every : int, optional
        Updates from one checkpoint to the next, where ``out`` names a folder; by default one an
        epoch.
    out : Path, optional
        Where checkpoints are kept until the result is saved.
    """

    teacher: Any
    texts: Any
    into: Hybrid
    stages: Sequence[str] = ("mixers", "logits")
    steps: Any = 200
    length: int = 128
    batch_size: int = 8
    lr: Any = 1e-3
    seeds: int = 1
    seed: int = 0
    holdout: Any = 0.3
    epsilon: float = 0.05
    delta: float = 0.05
    tokenizer: Any = None
    device: str | None = None
    recall: Sequence[int] = ()
    preferences: Sequence[Any] = ()
    beta: float = 0.1
    callbacks: Sequence[Any] = ()
    checkpoint_every: int | None = None
    out: Path | None = None

    def under(self, seed: int, role: str) -> Path | None:
        """Where the checkpoints of one training lie; None where nothing is kept.

        Parameters
        ----------
        seed : int
            Of the training.
        role : str
            Student or control.
        """
        return None if self.out is None else self.out / NAME / f"seed-{seed}" / role


@dataclass(frozen=True, eq=False)
class _ConversionData:
    opened: OpenedModel
    texts: TokenTexts
    path: list[tuple[int, ...]]
    budget: StageBudget
    pairs: PreferencePairs | None = None  # of preferences, set aside


@dataclass(frozen=True, eq=False)
class _ConversionKnown:
    data: _ConversionData
    training: TokenTexts
    test: TokenTexts


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
        _ConversionData,
        tuple[TokenTexts, TokenTexts],
        _ConversionKnown,
        _ConversionFound,
        _ComparedModels,
        Conversion,
    ]
):
    """The steps for texts and a model of transformers; see `limbeck.api.steps`."""

    request: ConversionRequest

    def read(self) -> _ConversionData:
        """Model, texts and budget, refused before any work where they cannot be used."""
        r = self.request
        check_share("epsilon", r.epsilon)
        check_share("delta", r.delta)
        whole_number("seeds", r.seeds, 1, 100)
        rates = r.lr if isinstance(r.lr, Mapping) else {}
        rates = {name: _positive("lr", rate) for name, rate in rates.items()}
        settings = StageSettings(
            batch_size=whole_number("batch_size", r.batch_size, 1),
            lr=_positive("lr", _LR if rates else r.lr),
            seed=whole_number("seed", r.seed), callbacks=r.callbacks,
            checkpoint_every=r.checkpoint_every,
        )  # fmt: skip
        settings.training  # noqa: B018  (refuses what the trainer would)
        budget = StageBudget.of(r.stages, r.steps, settings, rates)
        if ("preferences" in budget.stages) != bool(r.preferences):
            raise InvalidInput(
                "preferences and the stage of this name go together.",
                "Give both: stages=[..., 'preferences'], preferences=[(prompt, chosen, rejected)].",
            )
        budget = replace(budget, beta=_positive("beta", r.beta))
        whole_number("length", r.length, 2)
        check_distances(r.recall)
        opened = open_model(r.teacher, r.tokenizer, r.device)
        layers = opened.layers
        kept_layers(r.into.keep, layers)
        untrained(opened.model, r.into, r.into.steps(layers)[-1], r.seed)  # refuses what it cannot
        texts = read_texts(r.texts, opened.tokenizer, opened.vocabulary)
        pairs = None
        if r.preferences:
            read = read_preferences(r.preferences, opened.tokenizer, r.length)
            order = np.random.default_rng(r.seed).permutation(len(read)).tolist()
            cut = round(len(read) * _ASIDE)
            pairs, budget = (
                read.take(order[:cut]),
                replace(budget, preferences=read.take(order[cut:])),
            )
        return _ConversionData(opened, texts, r.into.steps(layers), budget, pairs)

    def split(self, data: _ConversionData) -> tuple[TokenTexts, TokenTexts]:
        """Texts that train, and texts for table and certificate.

        Parameters
        ----------
        data : _ConversionData
            What was read.
        """
        r, n = self.request, len(data.texts)
        if not isinstance(r.holdout, float):
            aside = read_texts(r.holdout, data.opened.tokenizer, data.opened.vocabulary)
            both = set(aside.texts) & set(data.texts.texts)
            if both:
                raise InvalidInput(
                    f"{len(both)} of the holdout texts are training texts as well.",
                    "Give other texts for the holdout.",
                )
            return data.texts, _enough(aside)
        check_share("holdout", r.holdout)
        order = np.random.default_rng(r.seed).permutation(n)
        cut = round(n * r.holdout)
        return data.texts.take(sorted(order[cut:])), _enough(data.texts.take(sorted(order[:cut])))

    def understand(
        self, data: _ConversionData, sides: tuple[TokenTexts, TokenTexts]
    ) -> _ConversionKnown:
        """All that the training works with.

        Parameters
        ----------
        data : _ConversionData
            What was read.
        sides : tuple of TokenTexts
            The two sides.
        """
        training_blocks(sides[0], self.request.length, data.opened.end, self.request.seed)
        for distance in self.request.recall:  # refused before any training
            needles(Haystack.of(data.opened.tokenizer, list(sides[1].texts)), 1, distance)
        return _ConversionKnown(data, *sides)

    def teach(self, known: _ConversionKnown, tell: Progress) -> _ConversionFound:
        """The converted models of all seeds.

        Parameters
        ----------
        known : _ConversionKnown
            What is known.
        tell : Progress
            Told how far it is.
        """
        students, history = self._trained(known, tell, control=False)
        scores = [self._score(known, student) for student in students]
        return _ConversionFound(students, history, scores)

    def certify(
        self, known: _ConversionKnown, found: _ConversionFound, tell: Progress
    ) -> Certificate:
        """How far the first student is from the teacher, by text.

        Parameters
        ----------
        known : _ConversionKnown
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
        self, known: _ConversionKnown, found: _ConversionFound, tell: Progress
    ) -> _ComparedModels:
        """Teacher, student, control and the start, on the texts set aside.

        Parameters
        ----------
        known : _ConversionKnown
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
        table = _compared(scores, r.delta, r.seeds)
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
        known: _ConversionKnown,
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
        self, known: _ConversionKnown, models: Mapping[str, Any]
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

    def _start(self, known: _ConversionKnown, seed: int) -> Any:
        """The converted model before any training."""
        opened, path = known.data.opened, known.data.path
        tokens = training_blocks(known.training, self.request.length, opened.end, seed)
        return untrained(opened.model, self.request.into, path[-1], seed, tokens)

    def _trained(
        self, known: _ConversionKnown, tell: Progress, *, control: bool
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

    def _score(self, known: _ConversionKnown, model: Any) -> TextScores:
        return score_texts(known.data.opened.model, model, known.test, self.request.length)

    def _wrapped(self, known: _ConversionKnown, model: Any) -> HybridModel:
        return HybridModel(
            model, known.data.opened.tokenizer, self.request.into, known.data.path[-1]
        )

    def _notes(self, known: _ConversionKnown) -> list[str]:
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


def _enough(texts: TokenTexts) -> TokenTexts:
    if len(texts) < _FEWEST:
        raise InvalidInput(
            f"There are {len(texts)} texts for the certificate.",
            f"Give {_FEWEST} or more: more texts, or a larger holdout.",
        )
    return texts


def _positive(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
        raise InvalidInput(f"{name} is {value!r}.", "Give a number above 0.")
    return float(value)


def _compared(scores: dict[str, list[TextScores]], delta: float, seeds: int) -> Comparison:
    """Overlap with the teacher and right tokens of all models, by text."""

    def stacked(name: str, own: list[TextScores]) -> Any:
        return np.stack([getattr(s, name) for s in own])

    def yardstick(name: str, what: str) -> Yardstick:
        return Yardstick(
            what,
            lambda own, level: mean_over(stacked(name, own), level, (0.0, 1.0)),
            lambda what, a, b, level: gain_over(what, stacked(name, a), stacked(name, b), level),
        )

    names = {"start": "student before training", "control": "the same, cross-entropy on texts"}
    models = [ModelPredictions(role, names.get(role, ""), "", own) for role, own in scores.items()]
    return compare(
        models, yardstick("overlap", "overlap with the teacher"),
        yardstick("right", "right next tokens"), delta, seeds=seeds,
    )  # fmt: skip


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

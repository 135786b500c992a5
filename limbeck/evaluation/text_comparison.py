"""Language models beside each other: means over prompts, and the student less its control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import Alternative, Comparison, Difference, ModelResult
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.language.judge import JudgedModel

__all__ = ["TextFacts", "compare_texts", "differences_of_texts", "facts_of_texts"]

_OVERLAPS = {
    "own_overlap": "overlap with the teacher on the model's own texts",
    "teacher_overlap": "overlap with the teacher on the teacher's texts",
    "real_overlap": "overlap with the teacher on real texts",
}
_COVERAGE = "coverage of the teacher's texts (minus KL(teacher || student), nats a token)"
_METRICS = "{} of the texts it writes"
_BOUNDED = {*_OVERLAPS, "exact_match"}


@dataclass(frozen=True)
class TextFacts:
    """How one model writes: means over prompts with intervals.

    Parameters
    ----------
    parameters : int
        Weights of the model.
    measured : mapping of str to Measured
        By name: ``own_overlap``, ``teacher_overlap``, ``real_overlap`` (1 - TV a token, mean of a
        text), ``log_p`` (the teacher's log-probability a token of the model's texts),
        ``reverse_kl`` (there), ``forward_kl`` (on the teacher's texts), ``cross_entropy`` (on real
        texts), ``entropy``, ``length``, and metrics of the user's own.
    distinct : float
        Share of different n-grams in the model's texts; mean over seeds.
    """

    parameters: int
    measured: Mapping[str, Measured]
    distinct: float


def facts_of_texts(models: Sequence[JudgedModel], delta: float, grams: int) -> TextFacts:
    """The facts of one role, over all seeds.

    Parameters
    ----------
    models : sequence of JudgedModel
        One for each seed.
    delta : float
        One less the level of the intervals.
    grams : int
        Tokens of an n-gram.
    """
    each = [m.scores() for m in models]
    measured = {
        name: mean_over(
            np.stack([one[name] for one in each]), delta,
            (0.0, 1.0) if name in _BOUNDED else (-np.inf, np.inf),
        )
        for name in each[0]
    }  # fmt: skip
    return TextFacts(
        models[0].model.parameters, measured, float(np.mean([m.distinct(grams) for m in models]))
    )


def differences_of_texts(
    students: Sequence[JudgedModel], controls: Sequence[JudgedModel], delta: float
) -> tuple[Difference, ...]:
    """Student less control, paired by seed and prompt: three overlaps, metrics, coverage.

    Parameters
    ----------
    students, controls : sequence of JudgedModel
        One for each seed, in the same order.
    delta : float
        One less the level of each interval.
    """
    ours, theirs = [m.scores() for m in students], [m.scores() for m in controls]
    names = {n: what for n, what in _OVERLAPS.items() if n in ours[0]}
    names |= {n: _METRICS.format(n.replace("_", " ")) for n in students[0].metrics}
    pairs = {
        what: (np.stack([o[name] for o in ours]), np.stack([t[name] for t in theirs]))
        for name, what in names.items()
    }
    # A likelier text may cover less of what the teacher writes, which overlaps hardly show.
    mine, other = (np.stack([one["forward_kl"] for one in each]) for each in (ours, theirs))
    pairs[_COVERAGE] = -mine, -other
    return tuple(gain_over(what, *pair, delta) for what, pair in pairs.items())


def compare_texts(
    by_role: Mapping[str, Sequence[JudgedModel]],
    facts: Mapping[str, TextFacts],
    delta: float,
    seeds: int,
    alternatives: Sequence[str] = (),
) -> Comparison:
    """The table of all models, and what it says of the student.

    Parameters
    ----------
    by_role : mapping of str to sequence of JudgedModel
        The teacher first; models of all seeds.
    facts : mapping of str to TextFacts
        By role.
    delta : float
        One less the level of the intervals.
    seeds : int
        Number of training seeds.
    alternatives : sequence of str
        Roles of other ways to a student of its size: each is compared on the teacher's texts, the
        same for all, at its share of ``delta``.
    """
    entries = []
    for role, found in facts.items():
        m = found.measured
        name, size = by_role[role][0].model.name, f"{found.parameters:,} parameters"
        entries.append(ModelResult(role, name, size, m["own_overlap"], m.get("exact_match")))
    differences: tuple[Difference, ...] = ()
    if "student" in by_role and "control" in by_role:
        differences = differences_of_texts(by_role["student"], by_role["control"], delta)
    against: tuple[Alternative, ...] = ()
    if alternatives:
        level, ours = delta / len(alternatives), by_role["student"]
        against = tuple(
            Alternative(role, *_on_the_teachers(ours, by_role[role], level))
            for role in alternatives
        )
    return Comparison(
        tuple(entries), differences, round(1 - delta, 12), seeds=seeds, alternatives=against
    )


def _on_the_teachers(
    ours: Sequence[JudgedModel], theirs: Sequence[JudgedModel], delta: float
) -> tuple[Difference, Difference]:
    """Student less another model on the teacher's texts: overlap, and coverage."""
    of = {d.what: d for d in differences_of_texts(ours, theirs, delta)}
    return of[_OVERLAPS["teacher_overlap"]], of[_COVERAGE]

"""Teacher, converted model, control and start, compared text by text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limbeck.evaluation.comparison import Comparison, ModelPredictions, Yardstick, compare
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.networks.conversion.judge import TextScores

__all__ = ["compare_conversions"]


def compare_conversions(
    scores: Mapping[str, list[TextScores]], delta: float, seeds: int
) -> Comparison:
    """Overlap with the teacher and right tokens of all models, by text.

    Parameters
    ----------
    scores : mapping from str to list of TextScores
        By role, of each seed.
    delta : float
        The probability that an interval is wrong.
    seeds : int
        How many trainings there were.
    """

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

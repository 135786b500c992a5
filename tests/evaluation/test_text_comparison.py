from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
from torch import nn

from limbeck.evaluation.text_comparison import compare_texts, differences_of_texts, facts_of_texts
from limbeck.language.judge import JudgedModel
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_scores import PromptScores

N = 40
TOKENS = LanguageModel(nn.Linear(3, 2), None, "small")
NOISE = np.random.default_rng(0).normal(scale=0.01, size=(4, N))


def judged(overlap: float, kl: float, seed: int = 0, real: bool = True, **metrics: Any) -> Any:
    """A model whose overlap with the teacher, and divergence from it, are these on all texts."""
    own, teachers, truth = (
        PromptScores(
            np.clip(overlap + shift + NOISE[seed], 0, 1),
            *(np.full(N, kl) + NOISE[i] for i in (1, 2)),
            *np.full((3, N), -2.0), np.ones(N), np.full(N, 5.0),
        )
        for shift in (0.0, 0.1, 0.2)
    )  # fmt: skip
    ids = [[1, 1, 1]] * N
    return JudgedModel(TOKENS, ids, ["aaa"] * N, own, teachers, truth if real else None, metrics)


def test_facts_are_means_over_prompts_and_seeds() -> None:
    right = np.r_[np.ones(N - 1), 0.0]
    models = [judged(0.5, 1.0, seed, exact_match=right) for seed in (0, 3)]
    facts = facts_of_texts(models, 0.05, 2)
    assert facts.parameters == 8
    each = [m.own.overlap.mean() for m in models]
    assert facts.measured["own_overlap"].value == pytest.approx(np.mean(each))
    assert facts.measured["cross_entropy"].value == pytest.approx(2.0)
    assert facts.measured["exact_match"].high <= 1.0  # a share: its interval ends there
    assert facts.distinct == models[0].distinct(2)


def test_coverage_counts_up_where_the_divergence_falls() -> None:
    near, far = judged(0.7, 0.5, own_words=np.ones(N)), judged(0.5, 2.0, own_words=np.zeros(N))
    found = {d.what: d for d in differences_of_texts([near], [far], 0.05)}
    (coverage,) = (d for what, d in found.items() if what.startswith("coverage"))
    assert coverage.value == pytest.approx(1.5)
    assert found["own words of the texts it writes"].value == 1.0
    overlaps = [d.value for what, d in found.items() if what.startswith("overlap")]
    np.testing.assert_allclose(overlaps, 0.2, atol=0.01)
    assert len(overlaps) == 3
    unknown = differences_of_texts([judged(0.7, 0.5, real=False)], [far], 0.05)
    assert not any("real texts" in d.what for d in unknown)


def test_other_ways_share_delta_and_are_compared_on_the_teachers_texts() -> None:
    roles = {
        "teacher": [judged(1.0, 0.0)],
        "student": [judged(0.6, 1.0)],
        "pruned": [judged(0.5, 1.5, 3)],
        "layers left out": [judged(0.4, 3.0, 3)],
    }
    facts = {role: facts_of_texts(models, 0.1, 2) for role, models in roles.items()}
    table = compare_texts(roles, facts, 0.1, 1, ("pruned", "layers left out"))
    assert [e.role for e in table.entries] == list(roles)
    assert table.entries[1].size == "8 parameters"
    assert (table.level, table.differences) == (0.9, ())  # there is no control
    for other in table.alternatives:
        alone = {d.what: d for d in differences_of_texts(roles["student"], roles[other.role], 0.05)}
        assert other.labels is not None
        assert other.agreement == alone["overlap with the teacher on the teacher's texts"]
        assert other.labels.what.startswith("coverage")

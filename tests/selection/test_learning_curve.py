"""Whether more inputs would help: when it is cheap enough to find out, and what is said."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import limbeck  # noqa: E402
from limbeck.core.measured import Measured  # noqa: E402
from limbeck.selection.learning_curve import AgreementCurve, refits  # noqa: E402


def curve(twice: tuple[float, float, float], four: tuple[float, float, float]) -> AgreementCurve:
    return AgreementCurve((75, 150, 600), (0.6, 0.7, 0.8), Measured(*twice), Measured(*four))


@pytest.mark.parametrize("seeds", [1, 2])
def test_refits_take_a_tenth_of_the_run_at_most_and_all_that_fits(seeds):
    for rows, updates, runs in ((1000, 500, 2), (6000, 3000, 6), (400, 2000, 20)):
        found = refits(rows, updates, runs * updates, seeds)
        spent = seeds * sum(u for _, u in found)
        assert spent <= 0.1 * runs * updates
        assert 2.2 * spent > 0.1 * runs * updates or found[0][0] == rows // 2


def test_short_runs_and_few_rows_get_none():
    assert refits(100, 500, 1000, 2) == []
    assert refits(1000, 30, 60, 2) == []


def test_the_sentence_follows_the_interval():
    assert "unlabelled=" in curve((0.85, 0.81, 0.9), (0.88, 0.7, 0.9)).sentence(0.05)
    assert "larger student" in curve((0.81, 0.78, 0.84), (0.82, 0.75, 0.9)).sentence(0.05)
    told = curve((0.85, 0.75, 0.9), (0.9, 0.7, 0.97)).sentence(0.05)
    assert "60.0% after 75, 70.0% after 150, 80.0% after 600 inputs" in told
    assert "limbeck.advise" in told


def problem(n: int):
    """Labels of a random network in 30 dimensions, of which few rows say too little."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n + 300, 30, generator=generator)
    hidden, out = torch.nn.Linear(30, 40, bias=False), torch.nn.Linear(40, 2, bias=False)
    hidden.weight.data = torch.randn(40, 30, generator=generator) / 2
    out.weight.data = torch.randn(2, 40, generator=generator) / 4
    teacher = torch.nn.Sequential(hidden, torch.nn.ReLU(), out)
    y = teacher(x).argmax(1)
    return teacher, (x[:n], y[:n]), (x[n:], y[n:])


def student():
    return torch.nn.Linear(30, 2)


def distilled(**more):
    teacher, rows, test = problem(320)
    settings = {"epochs": 16, "batch_size": 32, "lr": 0.05, "seeds": 2, "progress": False}
    return limbeck.distill(teacher, rows, into=student, test=test, timing=False, baseline=False,
                           **settings, **more)  # fmt: skip


def test_a_run_that_falls_short_says_what_more_inputs_would_bring():
    result = distilled()
    told = [d for d in result.diagnosis if d.startswith("Learning curve")]
    assert len(told) == 1
    assert "after 320 inputs" in told[0]


@pytest.mark.slow
def test_no_clock_decides_and_what_was_asked_for_needs_no_curve():
    assert distilled().diagnosis == distilled().diagnosis
    assert not any("Learning curve" in d for d in distilled(epsilon=0.9).diagnosis)


def test_stored_answers_are_not_asked_anew(tmp_path):
    assert not any("Learning curve" in d for d in distilled(cache=str(tmp_path / "c")).diagnosis)

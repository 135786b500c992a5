from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from limbeck.audits.contrasts import FeatureDifference, contrasts, percentage_points, sentences


def told(
    main: list[float], score: list[float], outcome: list[float], noise: float = 0.01
) -> FeatureDifference:
    values = np.array(main)
    bags = values + np.random.default_rng(0).normal(0, noise, (50, len(values)))
    return FeatureDifference(
        "age", "years", True, ("up to 20", "above 20"), np.array([19.0, 25.0]),
        np.array(score), np.array(outcome), values, bags,
    )  # fmt: skip


def test_percentage_points_lie_around_the_rate() -> None:
    assert percentage_points(np.log(4.0), 0.5) == pytest.approx(100 / 3)  # odds 2 and 1/2
    assert percentage_points(-np.log(4.0), 0.5) == pytest.approx(-100 / 3)
    assert percentage_points(0.01, 0.1) == pytest.approx(0.09, rel=1e-3)  # p (1 - p)


@pytest.mark.parametrize(
    ("main", "score", "outcome", "words"),
    [
        (
            [0, 0.4],
            [0, 0.5],
            [0, 0.1],
            "From age 19 to 25 years the score rises 0.40 log-odds more than the",
        ),
        (
            [0, -0.4],
            [0, 0.1],
            [0, 0.5],
            "From age 19 to 25 years the score rises 0.40 log-odds less than",
        ),
        (
            [0, -0.4],
            [0, -0.5],
            [0, -0.1],
            "From age 19 to 25 years the score falls 0.40 log-odds more than",
        ),
        (
            [0, 0.4],
            [0, -0.1],
            [0, -0.5],
            "From age 19 to 25 years the score falls 0.40 log-odds less than",
        ),
    ],
)
def test_words_fit_the_signs(
    main: list[float], score: list[float], outcome: list[float], words: str
) -> None:
    said = sentences([told(main, score, outcome)], 0.95, True)
    assert said[0].startswith(words)
    low, high = said[0].split("band ")[1].removesuffix(".").split(" to ")
    assert 0.3 < float(low) < 0.4 < float(high) < 0.5


def test_a_score_that_hardly_changes_is_not_said_to_rise_or_fall() -> None:
    """Crumbs of the calibration curve have a sign, and no effect."""
    said = sentences([told([0, 0.9], [0, -0.0003], [0, -0.9])], 0.95, True)
    assert said[0].startswith(
        "From age 19 to 25 years the outcome falls, and the score hardly changes: 0.90 log-odds"
        " apart; 95% band "
    )


def test_levels_are_told_higher_than_others() -> None:
    f = dataclasses.replace(
        told([0.3, -0.2], [0, 0], [0, 0]), ordered=False, words=("red", "blue"), name="colour"
    )
    assert sentences([f], 0.95, True)[0].startswith(
        "For colour red, against blue, the score is 0.50 log-odds higher than the outcome bears out"
    )
    assert "is 0.5 higher for colour red than for blue" in sentences([f], 0.95, False)[0]


def test_silence_where_bands_hold_zero() -> None:
    said = sentences([told([0, 0.1], [0, 0.1], [0, 0], noise=1.0)], 0.95, True)
    assert said == [
        "Nothing can be told of age: every 95% band of the difference between score and outcome"
        " holds 0."
    ]
    assert contrasts([], 0.95) == []


def test_large_differences_are_written_without_exponents() -> None:
    """Near-certain outcomes: 99.6 percentage points were written 1e+02."""
    said = sentences([told([0, 12], [0, 12], [0, 0])], 0.95, True, rate=0.45)
    assert "that is 99 to 100 percentage points" in said[0] or "that is 100 to 100" in said[0]
    assert "e+" not in said[0]

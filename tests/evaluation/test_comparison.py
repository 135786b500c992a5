"""What a table of models says of the student, whatever the models answer."""

from __future__ import annotations

from typing import Any

import pytest

from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import (
    Comparison,
    Difference,
    ModelPredictions,
    Yardstick,
    compare,
)


def yardstick(name: str, scale: float = 1.0) -> Yardstick:
    """Numbers are their own score, known to within delta."""

    def gain(what: str, a: float, b: float, delta: float) -> Difference:
        d = scale * (a - b)
        return Difference(what, d, d - delta, d + delta)

    return Yardstick(name, lambda a, delta: Measured(a, a - delta, a + delta), gain)


def lines(**scores: Any) -> list[ModelPredictions]:
    return [
        ModelPredictions(role, role.title(), "", score, alone=role == "baseline")
        for role, score in scores.items()
    ]


def test_the_student_is_compared_with_its_control_by_every_yardstick() -> None:
    models = lines(teacher=0.9, student=0.8, control=0.6)
    found = compare(models, yardstick("agreement"), yardstick("accuracy", -1), 0.1, seeds=3)
    assert [d.what for d in found.differences] == ["agreement", "accuracy"]
    assert [round(d.value, 9) for d in found.differences] == [0.2, -0.2]
    assert (found.level, found.seeds, found.verdict) == (0.9, 3, "hurt")
    assert [e.role for e in found.entries] == ["teacher", "student", "control"]
    assert found.entries[0].agreement == Measured(0.9, 0.8, 1.0)
    alone = compare(lines(student=0.8), None, yardstick("accuracy"), 0.1)
    assert alone.verdict == "no control"
    assert alone.entries[0].agreement.value != alone.entries[0].agreement.value  # not a number


def test_baselines_that_are_closer_share_the_level() -> None:
    near, far, same = (
        ModelPredictions("baseline", name, "", score)
        for name, score in (("near", 0.95), ("far", 0.1), ("same", 0.83))
    )
    models = [*lines(student=0.8), near, far, same]
    (rival,) = compare(models, yardstick("agreement"), None, 0.3).rivals
    assert rival.what == "near"  # closer by 0.15, known to within 0.3 / 3; "same" by 0.03
    assert (rival.low, rival.high) == pytest.approx((-0.25, -0.05))
    assert not compare(models, None, yardstick("accuracy"), 0.3).rivals


def test_a_linear_model_that_is_closer_is_offered_as_a_student() -> None:
    line, other = (
        ModelPredictions("baseline", name, "", 0.95) for name in ("linear model", "greedy tree")
    )
    found = compare([*lines(student=0.5), line, other], yardstick("agreement"), None, 0.1)
    assert "The linear model is closer to the teacher" in found.warning
    assert found.warning.count("prefer it (into='linear'), unless") == 1
    assert found.warning.count("prefer it, unless") == 1


@pytest.mark.parametrize(
    ("scores", "labelled", "who"),
    [
        ({"teacher": 0.5, "student": 0.5, "control": 0.5}, True, ["teacher", "student", "control"]),
        ({"teacher": 0.5, "student": 0.5, "control": 0.5}, False, ["student", "control"]),
        ({"teacher": 0.9, "student": 0.5, "control": 0.9}, True, ["student"]),
        ({"teacher": 0.9, "student": 0.9, "control": 0.9}, True, []),
    ],
)
def test_whoever_is_behind_a_model_that_learned_alone_is_named(
    scores: dict[str, float], labelled: bool, who: list[str]
) -> None:
    models = lines(**scores, baseline=0.8)
    accuracy = yardstick("accuracy") if labelled else None
    found = compare(models, yardstick("agreement"), accuracy, 0.3)
    assert [d.what for d in found.behind] == who
    taught = [*models[:-1], ModelPredictions("baseline", "linear model", "", 0.8)]
    assert not compare(taught, yardstick("agreement"), accuracy, 0.3).behind


@pytest.mark.parametrize(
    ("low_high", "verdict"),
    [
        (((0.1, 0.2), (-0.1, 0.1)), "helped"),
        (((-0.1, 0.2), (-0.1, 0.1)), "no evidence"),
        (((0.1, 0.2), (-0.2, -0.1)), "hurt"),
        (((-0.2, -0.1), (0.1, 0.2)), "hurt"),
    ],
)
def test_hurt_in_one_respect_is_hurt(low_high, verdict):
    differences = tuple(Difference("it", (a + b) / 2, a, b) for a, b in low_high)
    assert Comparison((), differences, 0.95).verdict == verdict


def test_the_sentence_gives_its_numbers():
    found = Comparison((), (Difference("accuracy", 0.1, 0.05, 0.15),), 0.9).sentence
    assert found == (
        "Distilling helped accuracy: +0.100 (90% interval +0.050 to +0.150) against the same"
        " student trained without the teacher."
    )
    one = Comparison((), (Difference("accuracy", 0.1, 0.05, 0.15),), 0.9, seeds=1).sentence
    assert one.startswith("Distilling helped accuracy with this seed: +0.100")
    assert str(Measured(0.5, 0.4, 0.6)) == "0.500 [0.400, 0.600]"


def test_networks_that_were_trained_too_short_get_no_verdict() -> None:
    gains = Difference("accuracy", 0.1, 0.05, 0.15), Difference("agreement", -0.1, -0.2, -0.05)
    found = Comparison((), gains, 0.9, seeds=1, untrained="Trained too short: ...")
    assert found.verdict == "trained too short"
    assert found.sentence == (
        "No verdict on distilling. So far the student less its control with this seed: accuracy"
        " +0.100 (90% interval +0.050 to +0.150); agreement -0.100 (90% interval -0.200 to -0.050)."
    )
    assert Comparison((), (), 0.9, untrained="Trained too short: ...").verdict == "no control"

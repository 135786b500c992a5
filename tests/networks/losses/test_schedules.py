from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import limbeck.networks
from limbeck.core.errors import InvalidInput
from limbeck.networks import CosineSchedule, GoldLabels, LinearSchedule, SoftTargets, StepSchedule
from limbeck.networks.losses.schedules import check_temperature, temperature_at

numbers = st.floats(-100, 100)


@given(numbers, numbers)
def test_linear_and_cosine_go_from_start_to_end(start: float, end: float) -> None:
    for kind in (LinearSchedule, CosineSchedule):
        schedule = kind(start, end)
        assert schedule(0.0) == pytest.approx(start, abs=1e-9)
        assert schedule(1.0) == pytest.approx(end, abs=1e-9)
        assert schedule(0.5) == pytest.approx((start + end) / 2, abs=1e-9)


@given(numbers, numbers, st.floats(0, 1))
def test_values_between(start: float, end: float, done: float) -> None:
    assert LinearSchedule(start, end)(done) == pytest.approx(start + done * (end - start), abs=1e-9)
    wave = end + (start - end) * math.cos(math.pi * done / 2) ** 2
    assert CosineSchedule(start, end)(done) == pytest.approx(wave, abs=1e-9)


def test_cosine_is_slow_at_both_ends() -> None:
    assert CosineSchedule(1, 0)(0.25) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert CosineSchedule(1, 0)(0.1) > LinearSchedule(1, 0)(0.1)
    assert CosineSchedule(1, 0)(0.9) < LinearSchedule(1, 0)(0.9)


def test_steps_change_where_they_say() -> None:
    steps = StepSchedule((4, 2, 1), at=(0.5, 0.8))
    assert [steps(d) for d in (0.0, 0.49, 0.5, 0.79, 0.8, 1.0)] == [4, 4, 2, 2, 1, 1]
    assert StepSchedule((3,), at=())(1.0) == 3


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ((1, 2), ()),
        ((1,), (0.5,)),
        ((1, 2, 3), (0.8, 0.5)),
        ((1, 2), (0,)),
        ((1, 2), (1.0,)),
        ((1, math.nan), (0.5,)),
    ],
)
def test_steps_that_make_no_sense_are_refused(
    values: tuple[float, ...], at: tuple[float, ...]
) -> None:
    with pytest.raises(InvalidInput):
        StepSchedule(values, at)


@pytest.mark.parametrize("kind", [LinearSchedule, CosineSchedule])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "1", None])
def test_values_must_be_finite(kind: type[LinearSchedule | CosineSchedule], bad: object) -> None:
    with pytest.raises(InvalidInput, match="schedule has the value"):
        kind(1.0, bad)  # type: ignore[arg-type]


def test_weights_follow_schedules_and_multiply() -> None:
    objective = (
        LinearSchedule(1, 0) * SoftTargets() + StepSchedule((0, 1), at=(0.5,)) * GoldLabels()
    )
    assert objective.weights(0.25) == {"SoftTargets": 0.75, "GoldLabels": 0}
    assert (2 * objective).weights(0.75) == {"SoftTargets": 0.5, "GoldLabels": 2}


def test_temperatures() -> None:
    assert temperature_at(4.0, 0.3) == 4.0
    assert temperature_at(LinearSchedule(4, 2), 0.5) == 3.0
    check_temperature(CosineSchedule(4, 1))
    with pytest.raises(InvalidInput, match="The temperature is 0"):
        check_temperature(LinearSchedule(4, 0))
    with pytest.raises(InvalidInput, match="The temperature is -1"):
        check_temperature(StepSchedule((4, -1, 4), at=(0.4, 0.6)))
    dips = StepSchedule((4, -1, 4), at=(0.6, 0.7))
    check_temperature(dips)  # not seen at the start, the middle or the end
    with pytest.raises(InvalidInput, match="The temperature is -1"):
        temperature_at(dips, 0.65)


def test_no_public_name_is_one_of_torchs_modules() -> None:
    """Where both are imported, one would stand for the other."""
    nn = pytest.importorskip("torch.nn")
    assert not set(limbeck.networks.__all__) & set(dir(nn))


@pytest.mark.parametrize("bad", [0.0, 0.5, 1.0])
def test_temperatures_are_checked_at_start_middle_and_end(bad: float) -> None:
    with pytest.raises(InvalidInput, match=r"The temperature is 0\.0"):
        check_temperature(lambda done: abs(done - bad))
    check_temperature(lambda done: 1.0 + done)

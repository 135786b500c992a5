"""The steps of every distillation, in their order."""

from __future__ import annotations

from typing import Any

import pytest

from limbeck.api.steps import Steps, run
from limbeck.core.certificate import Certificate
from limbeck.core.progress import Progress


class Sums(Steps[int, int, int, int, int, tuple[int, float]]):
    """Each step adds its place, so that the sum tells which ran, and with what."""

    def read(self) -> int:
        return 1

    def split(self, data: int) -> int:
        return 10 * data + 2

    def understand(self, data: int, sides: int) -> int:
        assert data == 1
        return 10 * sides + 3

    def teach(self, known: int, tell: Progress) -> int:
        tell("teaching", 0, 1)
        return 10 * known + 4

    def certify(self, known: int, found: int, tell: Progress) -> Certificate | None:
        assert (known, found) == (123, 1234)
        return None

    def compare(self, known: int, found: int, tell: Progress) -> int:
        return 10 * found + 5

    def result(
        self, known: int, found: int, certificate: Certificate | None, compared: int, seconds: float
    ) -> tuple[int, float]:
        return compared, seconds


def test_each_step_gets_what_the_steps_before_it_returned() -> None:
    found, seconds = run(Sums(), progress=False)
    assert found == 12345
    assert 0 <= seconds < 60


def test_no_form_of_rows_can_leave_a_step_out() -> None:
    class Short(Sums):
        certify: Any = Steps.certify

    with pytest.raises(TypeError, match="certify"):
        Short()  # type: ignore[abstract]


def test_tables_and_data_sets_take_the_same_steps() -> None:
    pytest.importorskip("torch")
    from limbeck.api.distill_table import TableSteps
    from limbeck.api.network_steps import NetworkSteps

    assert issubclass(TableSteps, Steps)
    assert issubclass(NetworkSteps, Steps)
    assert not NetworkSteps.__abstractmethods__ | TableSteps.__abstractmethods__

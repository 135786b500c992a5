"""Each way in which a search can end has its own code and sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from limbeck.core.status import StatusCode
from limbeck.signal.wavelets.path import PathPoint
from limbeck.signal.wavelets.search import Found
from limbeck.signal.wavelets.status import status_of

FOUND = Found(np.ones(2), loss=2.0, arrived=False, margin=0.1, reached=3, starts=40)
POINT = PathPoint(1.0, 1.0, FOUND, before=2.5, signals=2.2, attributions=1.8, kept=0.3)


def test_better_but_not_proved() -> None:
    status = status_of(POINT, True, False, "db5")
    assert status.code is StatusCode.COMPLETE
    for said in ("2.5 for db5", "3 of 40", "not proven"):
        assert said in str(status)


def test_arrived() -> None:
    whole = replace(POINT, found=replace(FOUND, arrived=True))
    read = replace(POINT, attributions=1.001, explained=True)
    for point in (whole, read):
        assert point.success is True
        assert "the search arrived" in str(status_of(point, True, False, "db5"))
    assert replace(read, trim=0.0).success is None  # what has no weight was not looked for


def test_no_gain() -> None:
    point = replace(POINT, before=2.0)
    assert point.success is False
    status = status_of(point, True, False, "db5")
    assert status.code is StatusCode.HYPOTHESIS_FAILED
    assert "40 starts" in status.message
    assert status.remedy


def test_a_teacher_without_slope() -> None:
    alone, none = (status_of(p, False, False, "db5") for p in (POINT, None))
    assert alone.code is none.code is StatusCode.HYPOTHESIS_FAILED
    assert "from the signals alone" in alone.message
    assert "that of the start" in none.message
    assert "differences" in none.remedy


def test_interrupted() -> None:
    assert status_of(None, True, True, "db5").code is StatusCode.INTERRUPTED

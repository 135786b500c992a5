from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.endpoints.retries import Retries, retry_after


def test_retry_after_may_be_a_date():
    date = formatdate(1_800_000_060, usegmt=True)
    assert retry_after(date, now=1_800_000_000.5) == 59.5
    assert retry_after(date, now=1_800_000_070) == 0
    assert 58 < retry_after(formatdate(time.time() + 60, usegmt=True)) <= 60


def test_retry_after_that_is_none():
    assert [retry_after(text) for text in (None, "soon", "-1", "inf", "nan", "")] == [None] * 6


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone cannot be set")
@pytest.mark.parametrize("form", [lambda t: time.asctime(time.gmtime(t)), formatdate])
def test_dates_without_a_zone_are_in_utc_wherever_the_clock_is(form, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert retry_after(form(784_111_777), now=784_111_717) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


def test_waits_grow_to_a_limit():
    waits = Retries(base=1.0, most=8.0)
    drawn = [max(waits.wait(attempt) for _ in range(200)) for attempt in (0, 2, 2000)]
    assert all(0.8 * most < found <= most for found, most in zip(drawn, (1, 4, 8), strict=True))
    with pytest.raises(InvalidInput, match="Give seconds of 0 or more"):
        Retries(base=float("inf"))

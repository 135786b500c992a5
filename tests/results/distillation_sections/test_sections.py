from __future__ import annotations

from dataclasses import replace
from typing import Any

from limbeck.certificates.composed import ComposedBound
from limbeck.results.distillation_sections import sections


def test_the_certificate_says_what_was_asked_and_whether_it_is_reached(record: Any) -> None:
    c = record().certificate
    html = sections.certificate(record())
    assert "differs from the teacher on at most 5% of inputs" in html
    assert '<span class="yes">reached</span>' in html
    assert "What to do" not in html
    assert "differs on 2.0% of 1,000 rows" in html
    assert f'title="{c.student}">{"5" * 12}…' in html
    far = sections.certificate(record(certificate=replace(c, epsilon=0.12341)))
    assert "differs from the teacher on at most 12.4% of inputs" in far
    assert '<span class="no">not reached</span>' in far
    assert "a holdout of about" in far


def test_a_certificate_of_numbers_and_one_of_a_mean_loss(record: Any) -> None:
    c = record().certificate
    numbers = sections.certificate(
        record(certificate=replace(c, loss="exceeds", tolerance=1.2345678))
    )
    assert "1.23457" in numbers
    assert "beyond the tolerance on at most 4% of inputs" in numbers
    mean = sections.certificate(record(certificate=replace(c, loss="brier")))
    assert "mean loss (brier) at most 0.05" in mean
    assert "mean loss 0.020 of 1,000 rows" in mean


def test_steps_stand_in_the_certificate(record: Any) -> None:
    assert sections.steps(record()) == []
    c = record().certificate
    chain = ComposedBound(("a", "b"), (replace(c, delta=0.01),) * 2, c)
    html = sections.certificate(record(chain=chain))
    assert "Step by step" in html
    assert chain.sentence in html
    assert "teacher → a" in html


def test_the_search_tells_counts_and_settings_are_escaped(record: Any) -> None:
    trace = {"probes": 12345, "seconds_by_stage": {"probing": 2.0, "<b>": 0.5}}
    html = sections.search(record(trace=trace))
    assert "12,345" in html
    assert "<dd>The search ran to its end.</dd>" in html
    assert "2.0 s" in html
    assert "<b>" not in html
    given = {"into": "Tree(<i>)", "lr": 0.1 + 0.2, "seconds": 3.0, "versions": {"numpy": "2.0"}}
    told = sections.settings(record(settings=given))
    assert "<code>Tree(&lt;i&gt;)</code>" in told
    assert ">0.3<" in told
    assert "numpy 2.0" in told
    assert "econds" not in told


def test_what_was_not_searched_has_no_section(record: Any) -> None:
    result = record()
    assert [f(result) for f in (sections.curve, sections.layers, sections.influences)] == [None] * 3
    frontier = tuple({"size": s, "cost": 0.1, "agreement": 0.3 * s} for s in (1, 2, 3))
    curve = sections.curve(record(frontier=frontier))
    assert curve.count("<figure>") == 2
    assert "Cost of the search" in curve

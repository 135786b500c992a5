from __future__ import annotations

from dataclasses import replace
from typing import Any

from limbeck.certificates.composed import ComposedBound


def test_the_verdict_of_several_steps_tells_their_bounds_between_certificate_and_control(
    record: Any,
) -> None:
    result = record()
    c = result.certificate
    assert result.verdict == f"{c.statement} {result.comparison.sentence}"
    steps = (replace(c, epsilon=0.01, delta=0.01), replace(c, epsilon=0.02, delta=0.01))
    chain = ComposedBound(("network", "tree"), steps, replace(c, delta=0.03))
    said = record(chain=chain).verdict
    assert said == f"{c.statement} {chain.sentence} {result.comparison.sentence}"
    assert "differs from the teacher by at most 3%; compared directly, by at most 4%" in said

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from limbeck.results.network import NetworkDistillation


def test_the_verdict_starts_with_what_spoils_it(
    networks: Callable[..., NetworkDistillation],
) -> None:
    result = networks()
    sentence = result.comparison.sentence
    assert result.verdict == f"There is no certificate. {sentence}"
    short = replace(result.comparison, untrained="The control did not learn.")
    spoiled = networks(comparison=short)
    assert spoiled.verdict == (
        f"All 2 trainings ran to their end. There is no certificate. {short.sentence}"
    )

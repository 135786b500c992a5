from __future__ import annotations

from dataclasses import asdict

from limbeck.evaluation.model_facts import ModelFacts


def test_what_was_not_measured_is_zero_none_or_empty() -> None:
    facts = asdict(ModelFacts(3, 12))
    assert (facts.pop("parameters"), facts.pop("weight_bytes")) == (3, 12)
    for name in ("batch_size", "threads", "timed_calls"):
        assert facts.pop(name) == 0
    for name in ("mistakes", "by_class"):
        assert facts.pop(name) == {}
    assert facts.pop("reliability") == ()
    assert set(facts.values()) == {None}

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from limbeck.api.prepare.generation import (
    bill_before,
    encoder_of,
    generation_of,
    held_out_texts,
    run_identity,
)
from limbeck.core.errors import InvalidInput
from limbeck.teachers.endpoints.spending import Price

CLASSES: dict[str, Any] = {"classes": ["good", "bad"], "question": "How is it?"}


def test_texts_by_class_come_from_a_mapping_or_from_texts_with_labels() -> None:
    named = generation_of({"bad": ["poor"], "good": []}, None, None, CLASSES)
    assert named.method.examples == {"bad": ["poor"]}
    assert [(s.id, s.instruction) for s in named.seeds] == [("bad 0", "poor")]
    pair = (["fine", "poor", "nice"], ["good", "bad", "good"])
    found = generation_of(pair, None, None, CLASSES)
    assert found.method.examples == {"good": ["fine", "nice"], "bad": ["poor"]}
    assert generation_of(None, None, None, CLASSES).seeds == ()


@pytest.mark.parametrize(
    ("seeds", "method", "settings", "says"),
    [
        ({"god": ["x"]}, None, CLASSES, "given for the class 'god'"),
        ((["a", "b"], ["good"]), None, CLASSES, "2 texts and 1 labels"),
        (None, None, {"classes": ["a", "b"]}, "need classes and a question"),
        (None, "self_instrukt", {}, "no method 'self_instrukt'"),
        (None, None, {**CLASSES, "widht": 3}, "ClassTexts has no setting 'widht'"),
        (["a task"], "class_texts", CLASSES, "need their classes"),
    ],
)
def test_seeds_methods_and_settings_that_do_not_fit_are_refused(
    seeds: Any, method: Any, settings: Any, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        generation_of(seeds, method, None, settings)


def test_a_bill_counts_the_longest_answers_at_their_price() -> None:
    generation: Any = SimpleNamespace(method=SimpleNamespace(max_tokens=100, answer_tokens=200))

    def bill(price: Any) -> str:
        spending = None if price is None else SimpleNamespace(price=price)
        writer: Any = SimpleNamespace(teacher=SimpleNamespace(spending=spending))
        return bill_before(generation, writer, 1_000)

    assert bill(None).endswith(
        "1,000 prompts and 200,000 tokens written, by a model on this machine."
    )
    assert "the cost is not known" in bill(Price())
    price = Price(per_million_input_tokens=1.0, per_million_output_tokens=5.0, per_request=0.002)
    assert f"at most 3 {price.currency}" in bill(price)  # 1,000 requests and a fifth of a million


def test_encoders_give_numbers_and_other_things_are_refused() -> None:
    assert encoder_of(None) is None
    encode = encoder_of(lambda texts: [[len(t)] for t in texts])
    assert encode is not None
    np.testing.assert_array_equal(encode(["a", "abc"]), [[1.0], [3.0]])
    with pytest.raises(InvalidInput, match="The encoder is a int"):
        encoder_of(3)
    assert held_out_texts(None) == []
    assert held_out_texts(["a", "b"]) == ["a", "b"]


def test_a_run_is_the_same_by_its_seeds_settings_and_writer() -> None:
    def told(seeds: Any, name: str = "m", seed: int = 0) -> Any:
        writer: Any = SimpleNamespace(name=name)
        return run_identity(generation_of(seeds, None, None, CLASSES), writer, seed)

    one = told({"good": ["x"]})
    assert one == told({"good": ["x"]})
    assert "examples" not in one["settings"]
    for other in (told({"good": ["y"]}), told({"good": ["x"]}, "n"), told({"good": ["x"]}, seed=1)):
        assert one != other

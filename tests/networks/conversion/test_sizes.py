from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.sizes import bytes_of_text  # noqa: E402


def test_keys_and_values_grow_by_the_token_and_states_do_not(make_decoder):
    model = make_decoder("llama", 2)  # 2 heads of keys and of values, each of 8 numbers
    assert bytes_of_text(model, 10) == 2 * 2 * (2 * 8) * 10 * 4
    # per converted layer: a memory of 4 heads of 8 x 8, and 3 inputs of 64 channels
    hybrid = convert(model, {1}, Hybrid([1]))
    assert bytes_of_text(hybrid, 10) == 2 * (2 * 8) * 10 * 4 + (4 * 8 * 8 + 3 * 64) * 4
    assert bytes_of_text(hybrid, 11) - bytes_of_text(hybrid, 10) == 2 * (2 * 8) * 4
    assert bytes_of_text(model.half(), 10) == 2 * 2 * (2 * 8) * 10 * 2

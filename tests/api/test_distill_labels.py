from __future__ import annotations

import math

import pytest

from limbeck.api.distill_labels import fewest_questions
from limbeck.certificates.sequential import AnytimeBound


@pytest.mark.parametrize(("epsilon", "delta"), [(0.05, 0.05), (0.1, 0.01), (0.02, 0.2)])
def test_so_many_right_answers_certify_and_one_less_does_not(epsilon: float, delta: float) -> None:
    n = fewest_questions(epsilon, delta)
    assert AnytimeBound(epsilon, delta).update([0.0] * n)
    assert not AnytimeBound(epsilon, delta).update([0.0] * (n - 1))
    # a bound fixed beforehand needs the fewest that any can do with
    assert n >= math.ceil(math.log(delta) / math.log(1 - epsilon))

from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.data.ensemble_weights import ensemble_weights


def test_weights_are_shares_of_their_sum():
    assert ensemble_weights(2, [1, 3]) == [0.25, 0.75]
    assert ensemble_weights(4, None) == [0.25] * 4


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, float("nan")]])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(InvalidInput, match="The weights of 2 teachers"):
        ensemble_weights(2, weights)

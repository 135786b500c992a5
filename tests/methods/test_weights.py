from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.methods.weights import check_query_weight, weights


def test_rows_and_queries_carry_their_shares():
    found = weights(185, 20_000, 0.5)
    assert found[:185].sum() == pytest.approx(found[185:].sum())
    assert found.mean() == pytest.approx(1)
    assert np.ptp(found[185:]) == 0
    quarter = weights(30, 10, 0.25, np.arange(30.0))
    assert quarter[30:].sum() / quarter.sum() == pytest.approx(0.25)
    np.testing.assert_allclose(quarter[:30] / quarter[29], np.arange(30) / 29)


def test_without_queries_the_rows_carry_all():
    np.testing.assert_allclose(weights(4, 0, 0.5), 1.0)
    np.testing.assert_allclose(weights(2, 0, 0.5, [1.0, 3.0]), [0.5, 1.5])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(InvalidInput, match=r"query_weight is .*queries=0 for none"):
        check_query_weight(share)

from __future__ import annotations

import numpy as np
import pytest
import torch

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms import Own


def test_two_functions_and_their_bands():
    transform = Own(lambda x: x[:, ::2], lambda s: s.repeat_interleave(2, 1), {"a": 1, "b": 2})
    x = torch.arange(6.0, dtype=torch.float64)[None]
    s = transform.fit(x).forward(x)
    np.testing.assert_array_equal(s, [[0, 2, 4]])
    np.testing.assert_array_equal(transform.inverse(s), [[0, 0, 2, 2, 4, 4]])
    assert [(b.name, b.start, b.stop) for b in transform.bands] == [("a", 0, 1), ("b", 1, 3)]


def test_functions_of_numpy_will_do_where_nothing_is_differentiated():
    transform = Own(lambda x: np.sort(x.numpy()), lambda s: s.numpy()).fit([[2.0, 1.0]])
    np.testing.assert_array_equal(transform.forward(torch.tensor([[2.0, 1.0]])), [[1, 2]])
    assert [b.name for b in transform.bands] == ["all"]


@pytest.mark.parametrize(
    ("forward", "inverse", "bands", "problem"),
    [
        (lambda x: x.sum(1), lambda s: s, None, "forward returned shape"),
        (lambda x: x, lambda s: s[:, :1], None, "inverse returned shape"),
        (lambda x: x, lambda s: s, {"a": 1, "b": 1}, "there are 3 coefficients"),
        (lambda x: x, lambda s: s, {"a": 3, "b": 0}, "there are 3 coefficients"),
    ],
)
def test_functions_that_do_not_fit_are_refused(forward, inverse, bands, problem):
    with pytest.raises(InvalidInput, match=problem):
        Own(forward, inverse, bands).fit(np.ones((2, 3)))


def test_the_name_says_which_functions():
    def up(x):
        return x

    assert repr(Own(up, up)) == "Own(up, up)"

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms import Components


def test_components_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)) * [5, 3, 2, 1, 0.5] + 3
    found = Components(3).fit(X)
    s = found.forward(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(np.abs(s), np.abs(PCA(3).fit_transform(X)), atol=1e-8)
    peer = PCA(3).fit(X)
    np.testing.assert_allclose(
        found.inverse(torch.from_numpy(s)), peer.inverse_transform(peer.transform(X)), atol=1e-8
    )
    assert [b.name for b in found.bands] == ["component 1", "component 2", "component 3"]


@pytest.mark.parametrize("rows", [1, 4, 50])
def test_all_components_are_exact_whatever_the_rows(rows):
    X = np.random.default_rng(0).normal(size=(rows, 2, 6))
    transform = Components().fit(X)
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(7, 2, 6)))
    torch.testing.assert_close(transform.inverse(transform.forward(x)), x)


@pytest.mark.parametrize("k", [0, 7])
def test_a_number_that_cannot_be_is_refused(k):
    with pytest.raises(InvalidInput, match="Give 1 to 6"):
        Components(k).fit(np.ones((9, 6)))

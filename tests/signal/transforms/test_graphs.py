from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms.graphs import check_nodes, spectrum


def ring(n: int) -> np.ndarray:
    return np.roll(np.eye(n), 1, axis=0) + np.roll(np.eye(n), -1, axis=0)


def test_the_spectrum_of_a_ring_is_known():
    values, vectors = spectrum(csr_array(ring(7)), "combinatorial")
    expected = np.sort(2 - 2 * np.cos(2 * np.pi * np.arange(7) / 7))
    np.testing.assert_allclose(values, expected, atol=1e-12)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(7), atol=1e-12)


def test_normalized_eigenvalues_end_at_two_on_a_bipartite_graph():
    star = np.zeros((5, 5))
    star[0, 1:] = star[1:, 0] = 3.0
    values, _ = spectrum(star, "normalized")
    np.testing.assert_allclose(values, [0, 1, 1, 1, 2], atol=1e-12)


def test_a_node_without_edges_does_no_harm():
    A = np.zeros((3, 3))
    A[0, 1] = A[1, 0] = 1.0
    values, _ = spectrum(A, "normalized")
    np.testing.assert_allclose(values, [0, 0, 2], atol=1e-12)


@pytest.mark.parametrize(
    "A",
    [np.ones(3), np.ones((2, 3)), -ring(4), np.triu(ring(4)), ring(4) * np.nan, np.ones((1, 1))],
)
def test_what_is_no_graph_is_refused(A):
    with pytest.raises(InvalidInput, match="adjacency"):
        spectrum(A, "combinatorial")


def test_unknown_laplacians_and_other_nodes_are_refused():
    with pytest.raises(InvalidInput, match="laplacian is 'signed'"):
        spectrum(ring(4), "signed")
    with pytest.raises(InvalidInput, match="5 nodes"):
        check_nodes(np.ones((2, 4)), 5)
    assert check_nodes(np.ones((2, 3, 4)), 4) == (3,)

from __future__ import annotations

import numpy as np
import pytest

from limbeck.methods.search_and_stitch.probes import LAMBDAS, Probes, gram


def layers(seed, n=40, widths=(6, 3)):
    rng = np.random.default_rng(seed)
    phi = [(rng.normal(size=(n, m)) * rng.uniform(0.1, 9) + 2).astype(np.float32) for m in widths]
    clauses = rng.random((n, 5)) < 0.4
    targets = 0.7 * clauses + 0.1 * phi[0][:, :1] + 0.1 * rng.normal(size=(n, 5))
    return phi, targets


def design(phi):
    """The design matrix in the open: centred blocks of mean row norm 1, then a constant column."""
    blocks = []
    for block in phi:
        block = block.astype(float) - block.astype(float).mean(axis=0)
        blocks.append(block / np.sqrt((block**2).sum() / len(block)))
    A = np.hstack(blocks)
    A /= np.sqrt((A**2).sum() / len(A))
    return np.hstack([A, np.ones((len(A), 1))])


def ridge(A, c, penalty):
    return np.linalg.solve(A.T @ A + penalty * np.eye(A.shape[1]), A.T @ c)


def left_out(A, c, penalty):
    """Residuals of refits, each without its own row."""
    keep = ~np.eye(len(A), dtype=bool)
    return np.array([c[i] - A[i] @ ridge(A[k], c[k], penalty) for i, k in enumerate(keep)])


def explained(errors, targets):
    return 1 - (errors**2).sum() / ((targets - targets.mean(axis=0)) ** 2).sum()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("penalty", LAMBDAS[:4])
def test_r_squared_is_that_of_explicit_refits(seed, penalty):
    phi, targets = layers(seed)
    probes, A = Probes(phi, targets, [penalty]), design(phi)
    found = probes.r_squared(targets)
    for j, c in enumerate(targets.T):
        assert found[j] == pytest.approx(explained(left_out(A, c, penalty), c), abs=1e-7 / penalty)


@pytest.mark.parametrize("seed", range(3))
def test_norms_are_those_of_explicit_ridge_weights(seed):
    phi, targets = layers(seed)
    probes, A = Probes(phi, targets, [1e-2]), design(phi)
    expected = [np.linalg.norm(ridge(A, c, 1e-2)) for c in targets.T]
    np.testing.assert_allclose(probes.norms(targets), expected, rtol=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_the_penalty_has_the_least_left_out_error(seed):
    phi, targets = layers(seed, widths=(6, 30))
    A = design(phi)
    errors = [sum((left_out(A, c, p) ** 2).sum() for c in targets.T) for p in LAMBDAS]
    assert Probes(phi, targets).penalty == LAMBDAS[int(np.argmin(errors))]


def test_penalties_are_really_chosen():
    rng = np.random.default_rng(0)
    phi = [rng.normal(size=(60, 50)).astype(np.float32)]
    linear, noise = phi[0][:, :2].astype(float), rng.normal(size=(60, 2))
    assert Probes(phi, linear).penalty < Probes(phi, noise).penalty == max(LAMBDAS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_siblings_are_both_children_refitted(seed, share):
    phi, targets = layers(seed)
    probes, A, n = Probes(phi, targets, [1e-2]), design(phi), 40
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(n) < share)
    truth = rng.random((7, len(rows))) < 0.5
    truth[0], truth[1] = True, False
    found = probes.siblings(rows, truth)
    assert found[0] == found[1] == -np.inf
    for literal in range(2, 7):
        left, right = np.zeros(n), np.zeros(n)
        left[rows], right[rows] = truth[literal], ~truth[literal]
        errors = np.array([left_out(A, c, 1e-2) for c in (left, right)])
        assert found[literal] == pytest.approx(
            explained(errors.T, np.stack([left, right], axis=1)), abs=1e-4
        )
        both = probes.r_squared(np.stack([left, right], axis=1))
        weights = np.array([left.var(), right.var()])
        assert found[literal] == pytest.approx((both * weights).sum() / weights.sum(), abs=1e-4)
    assert probes.count == 10  # two for each literal that splits


def test_a_linear_target_is_explained_and_noise_is_not():
    rng = np.random.default_rng(0)
    phi = [rng.normal(size=(200, 10)).astype(np.float32)]
    linear = phi[0].astype(float) @ rng.normal(size=(10, 2)) + 3
    probes = Probes(phi, linear)
    assert probes.r_squared(linear).min() > 0.999
    assert probes.r_squared(rng.normal(size=(200, 2))).max() < 0.1


def test_rank_counts_directions_of_the_activations():
    rng = np.random.default_rng(0)
    low = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 50))
    rank = Probes([low.astype(np.float32)], low[:, :1]).rank
    assert 2 <= rank <= 4  # three, and the constant


def test_gram_ignores_scale_and_offset_of_a_block_and_skips_dead_ones():
    phi, _ = layers(0)
    moved = [phi[0] * 50 - 7, phi[1], np.full((40, 4), 3.0, dtype=np.float32)]
    np.testing.assert_allclose(gram(moved), gram(phi), atol=1e-4)
    assert np.trace(gram(phi)) == pytest.approx(2 * 40, rel=1e-5)

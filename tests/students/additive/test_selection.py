from __future__ import annotations

import numpy as np

from limbeck.students.additive.selection import TermLimits, chosen_terms, weights_of


def limits(p: int, **given) -> TermLimits:
    usual = {
        "prices": np.ones(p), "group": np.arange(p), "allowed": np.ones(p, dtype=bool),
        "signs": np.zeros(p), "numbers": np.inf,
    }  # fmt: skip
    return TermLimits(**(usual | given))


def data(seed: int = 0, p: int = 8, k: int = 1):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(200, p)) @ rng.normal(size=(p, p))
    y = A[:, [2]] * 2 - A[:, [5]] + 0.1 * rng.normal(size=(200, k))
    return A.T @ A / 200, A.T @ y / 200, A, y


def test_each_choice_is_the_best_fit_with_one_term_more() -> None:
    gram, cross, A, y = data()
    ridge = 0.01
    order = chosen_terms(gram, cross, ridge, limits(8)).terms

    def loss(at) -> float:
        B = A[:, at]
        w = np.linalg.solve(B.T @ B / 200 + ridge * np.eye(len(at)), B.T @ y / 200)
        return float(((y - B @ w) ** 2).mean() + ridge * (w**2).sum())

    for m in range(1, 5):
        before = list(order[: m - 1])
        rest = [i for i in range(8) if i not in before]
        assert order[m - 1] == min(rest, key=lambda i: loss([*before, i]))


def test_weights_solve_the_normal_equations() -> None:
    gram, cross, *_ = data(1, k=3)
    chosen = np.zeros((8, 3), dtype=bool)
    chosen[[1, 4], 0] = chosen[[2, 4, 6], 2] = True
    theta = weights_of(gram, cross, 0.1, chosen, np.zeros(8))
    assert not theta[~chosen].any()
    at = [2, 4, 6]
    assert np.allclose((gram[np.ix_(at, at)] + 0.1 * np.eye(3)) @ theta[at, 2], cross[at, 2])
    everything = np.ones((8, 3), dtype=bool)
    assert np.allclose(
        (gram + 0.1 * np.eye(8)) @ weights_of(gram, cross, 0.1, everything, np.zeros(8)), cross
    )


def test_signs_are_kept_and_are_the_best_that_keep_them() -> None:
    from scipy.optimize import nnls

    gram, cross, *_ = data(2)
    signs = np.ones(8)
    theta = weights_of(gram, cross, 0.05, np.ones((8, 1), dtype=bool), signs)
    assert (theta >= 0).all()
    root = np.linalg.cholesky(gram + 0.05 * np.eye(8))
    best = nnls(root.T, np.linalg.solve(root, cross[:, 0]))[0]
    assert np.allclose(theta[:, 0], best, atol=1e-8)
    chosen = chosen_terms(gram, cross, 0.05, limits(8, signs=signs, numbers=1.0 + 1)).terms
    assert cross[chosen[0], 0] > 0


def test_prices_numbers_groups_and_columns_limit_the_choice() -> None:
    gram, cross, *_ = data(3)
    dear = np.ones(8)
    dear[2] = 1e6
    assert chosen_terms(gram, cross, 0.01, limits(8, prices=dear)).terms[0] != 2
    few = chosen_terms(gram, cross, 0.01, limits(8, numbers=6.0))
    assert len(few.terms) == 3
    assert few.numbers.tolist() == [2, 4, 6]
    assert len(few.within(4).terms) == 2
    one = chosen_terms(gram, cross, 0.01, limits(8, group=np.arange(8) // 2, groups=1))
    assert len(set(one.terms // 2)) == 1
    assert 2 not in chosen_terms(gram, cross, 0.01, limits(8, allowed=np.arange(8) != 2)).terms


def test_a_name_is_paid_once_for_all_outputs() -> None:
    gram = np.eye(3)
    cross = np.array([[3.0, 2.9], [0.1, 0.0], [0.0, 0.1]])
    found = chosen_terms(gram, cross, 0.001, limits(3))
    assert found.terms[:2].tolist() == [0, 0]
    assert found.numbers[:2].tolist() == [2, 3]


def test_nothing_to_explain() -> None:
    assert len(chosen_terms(np.eye(2), np.zeros((2, 1)), 0.1, limits(2)).terms) == 0
    empty = weights_of(np.eye(2), np.ones((2, 1)), 0.1, np.zeros((2, 1), dtype=bool), np.zeros(2))
    assert empty.tolist() == [[0.0], [0.0]]

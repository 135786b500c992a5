"""What docs/theory.md states, computed where it can be."""

from __future__ import annotations

import functools
import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from limbeck.certificates.binomial import upper_bound
from limbeck.certificates.bounded import betting_exceeds
from limbeck.certificates.budgets import budget
from limbeck.certificates.fingerprint import overlap
from limbeck.certificates.frontier import frontier, mutual_vc, vc_dimension
from limbeck.certificates.tolerance import tolerance_bound

PAGE = (Path(__file__).resolve().parent.parent / "docs/theory.md").read_text()


def subsets(points: int, size: int) -> np.ndarray:
    table = np.zeros((math.comb(points, size), points), dtype=np.bool_)
    for row, chosen in zip(table, itertools.combinations(range(points), size), strict=True):
        row[list(chosen)] = True
    return table


@pytest.mark.parametrize("k", [2, 3, 4])
def test_half_of_the_points_is_far_from_zero_though_zero_is_known(k: int) -> None:
    """F = {0}, G the sets of k among 2k points: the best choice, over every D and choice."""
    sets = subsets(2 * k, k)
    zero = np.zeros((1, 2 * k), dtype=np.bool_)
    assert mutual_vc(zero, sets) == 0
    assert vc_dimension(sets) == k
    found = frontier(sets, zero[0])
    assert len(found.members) == len(sets)
    for u in range(k):  # different points of B that were seen, say the first u
        possible = sets[sets[:, :u].all(axis=1)]  # B, all alike likely
        errors = (sets.astype(int) @ possible.T.astype(int)).mean(axis=1) / k
        assert errors.min() == pytest.approx((k - u) / (2 * k - u))


def test_what_the_page_says_of_a_thousand_points() -> None:
    k, n = 1000, 300
    assert (k - n) / (2 * k - n) > 0.41
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(200):
        order = rng.permutation(2 * k)
        inside = np.zeros(2 * k, dtype=np.bool_)
        inside[order[:k]] = True
        seen = np.unique(rng.choice(order[:k], n))
        choice = rng.permutation(np.setdiff1d(np.arange(2 * k), seen))[:k]
        errors.append(inside[choice].mean())
    u = k * (1 - (1 - 1 / k) ** n)
    assert np.mean(errors) == pytest.approx((k - u) / (2 * k - u), abs=0.005)


def antichain(d: int) -> np.ndarray:
    """Students g_A of f = 0: wrong on A and on a point of their own."""
    wrong = np.array(list(itertools.product([0, 1], repeat=d)), dtype=np.bool_)
    return np.concatenate([wrong, np.eye(2**d, dtype=np.bool_)], axis=1)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_the_antichain_is_its_own_frontier_and_shatters_d_points(d: int) -> None:
    students = antichain(d)
    found = frontier(students, np.zeros(students.shape[1], dtype=np.bool_))
    assert len(found.members) == 2**d
    assert found.vc >= d


def test_few_rows_choose_from_the_antichain() -> None:
    """Exact for two students, and simulated for the distributions that make it hardest."""
    epsilon = delta = 0.05
    N = math.ceil(4 / epsilon)
    n = math.ceil(4 * math.log(N / delta) / epsilon)
    assert (N, n) == (80, 591)
    p, q = 1 / N, epsilon
    k = np.arange(n + 1)
    overtaken = binom.pmf(k, n, p + q) @ binom.cdf(k // 2, k, q / (p + q))
    assert overtaken <= (1 - (math.sqrt(q) - math.sqrt(p)) ** 2) ** n <= math.exp(-n * epsilon / 4)
    rng = np.random.default_rng(0)
    for bad in (1, 9, 19):  # students just above epsilon; the others share what is left
        errors = np.full(N, (1 - bad * 1.01 * epsilon) / (N - bad))
        errors[:bad] = 1.01 * epsilon
        counts = rng.multinomial(n, errors, size=1000)
        assert np.mean(errors[counts.argmin(axis=1)] > errors.min() + epsilon) <= delta


def spectrum(phi: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The centred representation, and its principal variances and directions."""
    centred = phi - phi.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(phi))
    return centred, np.maximum(values, 0), vectors


def passing(
    shown: tuple[np.ndarray, np.ndarray, np.ndarray], target: np.ndarray, tau: float
) -> float:
    """Least mean of (w . phi + b - target)^2 over all inputs, with a norm of w of at most tau."""
    (centred, values, vectors), goal = shown, target - target.mean()
    product = vectors.T @ (centred.T @ goal / len(goal))
    used = values > 1e-12

    def weights(ridge: float) -> np.ndarray:
        return np.where(used, product / (np.where(used, values, 1) + ridge), 0)

    def excess(ridge: float) -> float:
        return float(np.linalg.norm(weights(ridge))) - tau

    w = weights(0 if excess(0) <= 0 else brentq(excess, 0, 1e6))
    return float(np.mean((centred @ (vectors @ w) - goal) ** 2))


def representations() -> list[tuple[str, np.ndarray]]:
    d = 8
    X = np.array(list(itertools.product([-1.0, 1.0], repeat=d)))
    rng = np.random.default_rng(0)
    pairs = list(itertools.combinations(range(5), 2))

    def columns(k: int) -> list[tuple[int, ...]]:
        return list(itertools.combinations(range(d), k))

    layer = np.maximum(X @ rng.normal(size=(d, 12)) / math.sqrt(d), 0)
    tree = [
        (X[:, 0] > 0),
        (X[:, 0] > 0) & (X[:, 3] > 0),
        (X[:, 0] > 0) & (X[:, 3] > 0) & (X[:, 5] < 0),
    ]
    return [
        ("inputs", X),
        ("relu", layer),
        ("tree", np.column_stack([layer[:, :4], *tree])),
        ("cubic", np.column_stack([X[:, c].prod(axis=1) for k in (1, 2, 3) for c in columns(k)])),
        ("parities", np.column_stack([X, *(X[:, i] * X[:, j] for i, j in pairs)])),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "phi"), representations(), ids=lambda v: v if isinstance(v, str) else ""
)
@pytest.mark.parametrize("tau", [0.5, 2.0])
def test_how_many_conjunctions_pass_a_probe(name: str, phi: np.ndarray, tau: float) -> None:
    """All conjunctions of up to three literals over eight booleans, against Parseval's count."""
    d = 8
    X = np.array(list(itertools.product([-1.0, 1.0], repeat=d)))
    energy = float((phi**2).sum(axis=1).mean())
    some, known = 0, spectrum(phi)
    for k in (1, 2, 3):
        eta = 4.0 ** -(k + 1)
        limit = (2.0**-k - math.sqrt(eta)) / tau
        passed = 0
        for columns in itertools.combinations(range(d), k):
            parity = X[:, columns].prod(axis=1)
            shown = float(np.linalg.norm((phi * parity[:, None]).mean(axis=0)))
            found = [
                passing(known, np.all(X[:, columns] == signs, axis=1).astype(float), tau) <= eta
                for signs in itertools.product([-1, 1], repeat=k)
            ]
            assert not any(found) or shown >= limit - 1e-9
            passed += any(found)
        assert passed <= tau**2 * energy / (2.0**-k - math.sqrt(eta)) ** 2
        some += passed
    assert some > 0 or (name, tau) == ("relu", 0.5)


def test_far_apart_linear_functions_can_be_exponentially_many() -> None:
    """Sign vectors of a code: unit weights, functions of unit norm, none near another."""
    m = 16
    rng = np.random.default_rng(0)
    words = rng.choice([-1, 1], size=(40 * m, m)) / math.sqrt(m)
    kept: list[np.ndarray] = []
    for w in words:  # E (w . phi - v . phi)^2 = |w - v|^2 for phi uniform on {-1, 1}^m
        if all((w - v) @ (w - v) >= 1 for v in kept):
            kept.append(w)
    assert len(kept) > 5 * m


def questions(
    d: int, relevant: list[int], epsilon: float, delta: float, seed: int
) -> tuple[set[int], int]:
    """The pairs and halves of the page for a random table of the relevant variables."""
    rng = np.random.default_rng(seed)
    k = len(relevant)
    table = rng.integers(0, 2, 2**k)
    asked = 0

    def f(x: np.ndarray) -> int:
        nonlocal asked
        asked += 1
        return int(table[x[relevant] @ 2 ** np.arange(k)])

    m = math.ceil(math.log((k + 1) / delta) / epsilon)
    found: set[int] = set()
    equal = 0
    while equal < m:
        x, z = rng.integers(0, 2, (2, d))
        z[list(found)] = x[list(found)]
        start = f(x)
        if start == f(z):
            equal += 1
            continue
        differ = np.flatnonzero(x != z)
        while len(differ) > 1:
            half = differ[: len(differ) // 2]
            middle = x.copy()
            middle[half] = z[half]
            if f(middle) == start:
                x, differ = middle, differ[len(half) :]
            else:
                differ = half
        found.add(int(differ[0]))
        equal = 0
    return found, asked


@pytest.mark.parametrize("seed", range(8))
def test_juntas_by_pairs_and_halves(seed: int) -> None:
    d, k, epsilon, delta = 1000, 3, 0.05, 0.05
    relevant = np.random.default_rng(seed + 100).choice(d, k, replace=False).tolist()
    found, asked = questions(d, relevant, epsilon, delta, seed)
    assert found <= set(relevant)
    m = math.ceil(math.log((k + 1) / delta) / epsilon)
    assert asked <= 2 * m * (k + 1) + k * math.ceil(math.log2(d))


Literals = tuple[tuple[int, int], ...]


def random_tree(
    rng: np.random.Generator, free: list[int], path: Literals = ()
) -> list[tuple[Literals, int]]:
    """The leaves of a tree, each with its literals and its label, from left to right."""
    if not free or len(path) == 3 or (path and rng.random() < 0.3):
        return [(path, int(rng.integers(2)))]
    j = int(rng.choice(free))
    rest = [i for i in free if i != j]
    return [leaf for v in (0, 1) for leaf in random_tree(rng, rest, (*path, (j, v)))]


def test_arrows_from_trees() -> None:
    X = np.array(list(itertools.product([0, 1], repeat=4)))
    rng = np.random.default_rng(0)
    for _ in range(100):
        leaves = random_tree(rng, list(range(4)))
        held = [np.all([X[:, j] == v for j, v in path] or [True], axis=0) for path, _ in leaves]
        assert (np.sum([np.broadcast_to(h, len(X)) for h in held], axis=0) == 1).all()
        tree = sum(h * label for h, (_, label) in zip(held, leaves, strict=True))
        terms = [h for h, (_, label) in zip(held, leaves, strict=True) if label]
        assert (np.any(terms or [False], axis=0) == tree).all()  # DNF
        rules = np.full(len(X), leaves[-1][1])  # the default
        for h, (_, label) in reversed(list(zip(held[:-1], leaves[:-1], strict=True))):
            rules = np.where(h, label, rules)
        assert (rules == tree).all()
        asked = {j for path, _ in leaves for j, _ in path}
        assert len(asked) <= len(leaves) - 1
        for j in set(range(4)) - asked:  # a junta of what it asks for
            flipped = X.copy()
            flipped[:, j] ^= 1
            order = flipped @ [8, 4, 2, 1]
            assert (np.broadcast_to(tree, len(X))[order] == tree).all()


def test_m_of_n_rules_are_scorecards() -> None:
    X = np.array(list(itertools.product([0, 1], repeat=4)))
    for n in (1, 2, 3, 4):
        for signs in itertools.product([0, 1], repeat=n):
            literals = (X[:, :n] ^ np.array(signs)).sum(axis=1)
            points = X[:, :n] @ np.where(np.array(signs) == 1, -1, 1)
            for m in range(1, n + 1):
                assert ((literals >= m) == (points >= m - sum(signs))).all()


@pytest.mark.parametrize("d", [3, 5, 7, 21])
def test_each_tree_of_the_majority_is_large(d: int) -> None:
    """All variables are alike, so that it does not matter which one is asked for."""

    @functools.cache
    def leaves(ones: int, zeros: int) -> int:
        if 2 * max(ones, zeros) > d:
            return 1
        return leaves(ones + 1, zeros) + leaves(ones, zeros + 1)

    assert leaves(0, 0) == math.comb(d + 1, (d + 1) // 2) >= 2**d / (d + 1)


def test_lists_of_one_literal_rules_are_linear() -> None:
    X = np.array(list(itertools.product([0, 1], repeat=3)))
    rng = np.random.default_rng(0)
    for _ in range(200):  # lists of up to 4 rules with a literal each
        rules = [
            (rng.integers(3), rng.integers(2), rng.integers(2)) for _ in range(rng.integers(1, 5))
        ]
        default = rng.integers(2)
        labels = np.full(len(X), default)
        for column, value, label in reversed(rules):
            labels = np.where(X[:, column] == value, label, labels)
        total = (2 * default - 1) * np.ones(len(X))
        for i, (column, value, label) in enumerate(reversed(rules)):
            total = total + 2 ** (i + 1) * (2 * label - 1) * (X[:, column] == value)
        assert ((total > 0) == labels).all()


def test_the_table_of_the_page_is_what_budget_prints() -> None:
    found = budget("tree", 0.01, 0.05, features=100, depth=4)
    table = re.findall(r"^\| ((?:distil|learn), \w+) \| (\w+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    assert table == [(r.task, r.bound, f"{r.n:,}") for r in found.rows]
    deep = budget("tree", 0.01, 0.05, features=100, depth=8)
    assert f"fewer than {deep.rows[3].n:,}" in PAGE.replace("\n", " ")
    assert deep.rows[0].n == 300


def shattered(points: np.ndarray, patterns: set[tuple[int, ...]]) -> bool:
    return len(patterns) == 2 ** len(points)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_small_classes_shatter_the_origin_and_the_unit_vectors(k: int) -> None:
    """m-of-n rules, scorecards of k items, lists of k rules with a literal each."""
    X = np.vstack([np.zeros(k, dtype=int), np.eye(k, dtype=int)])
    literals = [X[:, j] == v for j in range(k) for v in (0, 1)]
    rules, scorecards, lists = set(), set(), set()
    for n in range(k + 1):
        for chosen in itertools.combinations(literals, n):
            count = np.sum([*chosen, np.zeros(len(X))], axis=0)
            rules |= {tuple((count >= m).astype(int)) for m in range(n + 2)}
    for points in itertools.product([-1, 0, 1], repeat=k):
        total = X @ np.array(points)
        scorecards |= {tuple((total >= m).astype(int)) for m in range(-k, k + 2)}
    for labels in itertools.product([0, 1], repeat=k + 1):  # the default, then x_i = 1
        said = np.full(len(X), labels[0])
        for i in reversed(range(k)):
            said = np.where(X[:, i] == 1, labels[i + 1], said)
        lists.add(tuple(said))
    for patterns in (rules, scorecards, lists):
        assert shattered(X, patterns)


@pytest.mark.parametrize(("d", "r"), [(3, 2), (4, 2), (8, 2), (4, 3), (5, 3)])
def test_trees_shatter_as_many_points_as_the_page_says(d: int, r: int) -> None:
    """In a cell of the first r - 1 variables the others take each labeling, up to sign, once."""
    free = d - r + 1
    m = 1 + math.floor(math.log2(d - r + 2))
    halves = [v for v in itertools.product([0, 1], repeat=m) if v[0] == 0 and any(v)]
    assert len(halves) <= free
    columns = np.array([halves[i % len(halves)] for i in range(free)]).T  # m points
    stumps = {tuple(np.full(m, v)) for v in (0, 1)}
    for j in range(free):
        stumps |= {tuple(columns[:, j]), tuple(1 - columns[:, j])}
    assert len(stumps) == 2**m  # and the cells are apart, so 2^(r-1) m points are shattered


def test_a_threshold_leaves_one_of_the_56_intervals() -> None:
    points = np.arange(10)
    intervals = {tuple((points >= a) & (points < b)) for a in range(11) for b in range(a, 11)}
    members = np.array(sorted(intervals))
    assert len(members) == 56
    assert vc_dimension(members) == 2
    found = frontier(members, points >= 4)
    assert len(found.members) == 1


def test_two_steps_cannot_spare_the_factor_two() -> None:
    mass = np.array([0.4, 0.1, 0.5])
    f, g, H = np.array([0, 0, 0]), np.array([0, 1, 0]), np.array([[0, 1, 1], [1, 0, 0]])
    e1 = mass @ (f != g)
    from_g, from_f = (g != H) @ mass, (f != H) @ mass
    assert from_g[0] == pytest.approx(from_g[1])  # so that either may be taken
    assert from_f[0] - from_f.min() == pytest.approx(2 * e1)


@pytest.mark.parametrize(("seen", "copies"), [(1_000, 9), (100_000, 2)])
def test_how_many_copies_are_told_from_chance(seen: int, copies: int) -> None:
    rows = np.arange(seen + 500, dtype=np.uint64)
    for n in (copies - 1, copies):
        hashes = np.concatenate([rows[:n], rows[seen : seen + 500 - n]])
        assert overlap(hashes, rows[:seen]).explained == (n < copies)


@pytest.mark.parametrize("p", [0.01, 0.2, 0.5, 0.9])
def test_hoeffdings_lemma_of_two_points(p: float) -> None:
    """Two points are the worst case: exp is convex."""
    for s in np.linspace(-20, 20, 81):
        mean = p * math.exp(s * (1 - p)) + (1 - p) * math.exp(-s * p)  # X in {-p, 1 - p}
        assert mean <= math.exp(s * s / 8) * (1 + 1e-12)


@pytest.mark.parametrize("p", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("n", [20, 200])
def test_tails_of_means_against_the_inequalities(p: float, n: int) -> None:
    """Bernstein's and Hoeffding's inequality against exact binomial tails."""
    for k in range(math.floor(n * p) + 1, n + 1):
        t = k / n - p
        tail = binom.sf(k - 1, n, p)
        assert tail <= math.exp(-2 * n * t * t) + 1e-15
        assert tail <= math.exp(-n * t * t / (2 * p * (1 - p) + 2 * (1 - p) * t / 3)) + 1e-15


def test_bounded_differences_of_a_function_that_is_no_sum() -> None:
    """The number of runs in n coin tosses changes by at most 2 with each of them."""
    n = 12
    tosses = np.array(list(itertools.product([0, 1], repeat=n)))
    runs = 1 + (tosses[:, 1:] != tosses[:, :-1]).sum(axis=1)
    for t in range(1, 6):
        assert np.mean(runs - runs.mean() > t) <= math.exp(-2 * t * t / (n * 4))


@pytest.mark.parametrize("N", [2, 5, 40])
def test_massarts_lemma_over_all_signs(N: int) -> None:
    n = 10
    signs = np.array(list(itertools.product([-1, 1], repeat=n)))
    sets = np.random.default_rng(N).integers(0, 2, (N, n))
    found = (signs @ sets.T).max(axis=1).mean()
    assert 0 < found <= math.sqrt(n) / 2 * math.sqrt(2 * math.log(N))


@pytest.mark.parametrize("seed", range(20))
def test_as_many_patterns_as_shattered_sets(seed: int) -> None:
    n = 6
    rng = np.random.default_rng(seed)
    patterns = np.unique(rng.integers(0, 2, (rng.integers(1, 50), n)), axis=0)
    shattered = [
        columns
        for k in range(n + 1)
        for columns in itertools.combinations(range(n), k)
        if len(np.unique(patterns[:, columns], axis=0)) == 2**k
    ]
    assert len(patterns) <= len(shattered)
    vc = max(map(len, shattered))
    assert len(shattered) <= sum(math.comb(n, i) for i in range(vc + 1))


@pytest.mark.parametrize("delta", [0.05, 0.3])
def test_the_exact_bound_is_below_the_rate_as_seldom_as_it_says(delta: float) -> None:
    n = 40
    bounds = np.array([upper_bound(k, n, delta) for k in range(n + 1)])
    for q in np.linspace(0.005, 0.995, 199):
        assert binom.pmf(np.arange(n + 1), n, q)[bounds < q].sum() <= delta


def test_the_order_statistic_with_ties() -> None:
    """Errors of 0, 1 or 2: over all samples, how often more than epsilon exceed the bound."""
    n, epsilon, delta = 12, 0.3, 0.2
    for shares in ((0.5, 0.3, 0.2), (0.7, 0.0, 0.3), (0.1, 0.59, 0.31), (0.65, 0.3, 0.05)):
        failed = 0.0
        for ones in range(n + 1):
            for twos in range(n + 1 - ones):
                zeros = n - ones - twos
                errors = np.repeat([0.0, 1.0, 2.0], [zeros, ones, twos])
                bound, _ = tolerance_bound(errors, epsilon, delta)
                exceed = sum(share for level, share in enumerate(shares) if level > bound)
                ways = math.comb(n, ones) * math.comb(n - ones, twos)
                chance = ways * shares[0] ** zeros * shares[1] ** ones * shares[2] ** twos
                failed += chance * (exceed > epsilon)
        assert failed <= delta


@pytest.mark.parametrize("mean", [0.1, 0.5])
def test_betting_over_all_samples(mean: float) -> None:
    """Losses of 0 or 1: the share of samples whose bound is below the mean."""
    n, delta = 10, 0.2
    samples = np.array(list(itertools.product([0.0, 1.0], repeat=n)))
    chance = np.where(samples == 1, mean, 1 - mean).prod(axis=1)
    assert chance[betting_exceeds(samples, mean, delta)].sum() <= delta

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from limbeck.core.columns import Features
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.status import StatusCode
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.disputes import kept_back
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.weights import weights
from limbeck.samplers.marginals import Marginals
from limbeck.teachers import CallableTeacher, StoredScores


def rows_of(X):
    return Features.of(X).rows(X)


def find(function, X, classes=(0, 1), seed=0, progress=quiet, **settings):
    settings = {"queries": 400, **settings}
    teacher = CallableTeacher(function, classes=classes) if callable(function) else function
    return SearchAndStitch(**settings).distill(
        teacher, rows_of(X), np.random.default_rng(seed), progress
    )


def normal(n=400, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32).astype(float)


def signs(n=600, d=12, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(n, d))


def nested(X):
    """x3 ? (x7 ? 1 : 0) : (x1 ? 0 : 1), with no single variable that tells anything."""
    X = np.asarray(X)
    return np.where(X[:, 3] > 0, X[:, 7] > 0, X[:, 1] < 0).astype(int)


class Recorder:
    """A function that keeps every row it was asked about."""

    def __init__(self, function):
        self.function, self.asked = function, []
        self.__name__ = "recorder"

    def __call__(self, X):
        self.asked.append(np.array(X))
        return self.function(X)

    @property
    def rows(self):
        return np.vstack(self.asked)


# --- planted teachers -----------------------------------------------------------------------


def test_a_planted_tree_is_found_exactly():
    finding = find(nested, signs(), sampler=Marginals(), queries=1000)
    assert finding.status.code is StatusCode.EXACT
    assert finding.student.size == 4
    fresh = signs(seed=9)
    np.testing.assert_array_equal(finding.student.predict(fresh), nested(fresh))
    assert (
        finding.queries == finding.trace["queries"] == 960
    )  # 40 of 1,000 are kept for disputes, and there are none
    assert finding.trace["rows"] == 600
    json.dumps(finding.trace)


def test_several_classes_with_names():
    names = np.array(["low", "middle", "high"])

    def teacher(X):
        X = np.asarray(X)
        return names[np.where(X[:, 0] <= 0, 0, np.where(X[:, 2] <= 0.5, 1, 2))]

    finding = find(teacher, normal(800), classes=names.tolist(), epsilon=0.02)
    fresh = normal(2000, seed=5)
    assert (finding.student.predict(fresh) == teacher(fresh)).mean() > 0.95
    assert finding.student.size == 3
    assert finding.student.task_ == Task(("low", "middle", "high"))


def test_regression_finds_a_step_function():
    def teacher(X):
        return np.where(X[:, 3] > 0, np.where(X[:, 7] > 0, 5.0, 1.0), np.where(X[:, 1] > 0, 2, 9.0))

    finding = find(teacher, signs(), classes=None, sampler=Marginals())
    assert finding.student.size == 4
    fresh = signs(seed=9)
    np.testing.assert_allclose(finding.student.predict(fresh), teacher(fresh), atol=1e-6)
    assert finding.trace["cost"] == "squared_error"
    assert finding.trace["frontier"][0] == [1, 1.0]  # one leaf explains nothing
    assert finding.trace["frontier"][-1][1] == pytest.approx(0, abs=1e-6)


def frame(n=600, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": rng.uniform(20, 80, n),
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], n)),
            "smoker": rng.random(n) < 0.5,
            "never": 7.0,
        }
    )
    X.loc[rng.random(n) < 0.15, "age"] = np.nan
    X.loc[rng.random(n) < 0.15, "colour"] = np.nan
    return X


def by_table(X):
    """Missing age: yes; green: smokers only; other colours, or none: no."""
    yes = X["age"].isna() | ((X["colour"] == "green") & X["smoker"])
    return np.where(yes, "yes", "no")


def test_categories_and_missing_values():
    finding = find(by_table, frame(), classes=["no", "yes"], sampler="jitter")
    assert finding.status.code is StatusCode.EXACT
    fresh = frame(seed=4)
    np.testing.assert_array_equal(finding.student.predict(fresh), by_table(fresh))
    assert finding.student.size == 4


# --- degenerate data ------------------------------------------------------------------------


def test_a_teacher_that_always_says_the_same():
    finding = find(lambda X: np.ones(len(X), dtype=int), normal())
    assert finding.student.size == 1
    assert finding.status.code is StatusCode.EXACT
    assert (finding.student.predict(normal(seed=2)) == 1).all()


def test_a_constant_number():
    finding = find(lambda X: np.full(len(X), 0.1), normal(), classes=None)
    assert finding.student.size == 1
    np.testing.assert_allclose(finding.student.predict(normal(seed=2)), 0.1)


def test_constant_columns_give_one_leaf():
    finding = find(lambda X: np.zeros(len(X), dtype=int), np.ones((50, 3)))
    assert finding.student.size == 1
    assert finding.trace["literals"] == 0


def test_a_control_on_constant_columns_is_the_majority():
    y = np.array([0] * 20 + [1] * 30)
    student = SearchAndStitch().learn(
        rows_of(np.ones((50, 3))), y, Task((0, 1)), np.random.default_rng(0)
    )
    assert student.size == 1
    assert (student.predict(np.ones((2, 3))) == 1).all()


@pytest.mark.parametrize("n", [2, 3, 12])
@pytest.mark.parametrize("classes", [(0, 1), None], ids=["classes", "number"])
def test_very_few_rows(n, classes):
    X = normal(n, 3)
    truth = (lambda X: (X[:, 0] > 0).astype(int)) if classes else (lambda X: X[:, 0])
    finding = find(truth, X, classes=classes, queries=0)
    if classes:
        np.testing.assert_array_equal(finding.student.predict(X), truth(X))
    control = SearchAndStitch().learn(
        rows_of(X), truth(X), Task(classes or ()), np.random.default_rng(0)
    )
    assert control.size <= n
    assert len(finding.trace["greedy"]) == 4


def test_a_size_that_the_rows_do_not_allow():
    finding = find(lambda X: (X[:, 0] > 0).astype(int), normal(12), queries=0, leaves=16)
    assert finding.student.size == 2
    assert "2 leaves" in finding.status.message


# --- access ---------------------------------------------------------------------------------


def test_without_queries_only_the_given_rows_are_asked_about():
    X, teacher = normal(300), Recorder(lambda X: (X[:, 0] > X[:, 1]).astype(int))
    finding = find(teacher, X, queries=0)
    np.testing.assert_array_equal(teacher.rows, X)
    assert finding.queries == 0


@pytest.mark.parametrize(("queries", "sampler"), [(60, "auto"), (123, "jitter"), (123, "auto")])
def test_queries_are_as_many_as_asked_for(queries, sampler):
    """Of a few, some are kept back for disputes between trees, and asked only there."""
    X, teacher = normal(300), Recorder(lambda X: (X[:, 0] > X[:, 1]).astype(int))
    finding = find(teacher, X, queries=queries, sampler=sampler)
    assert len(teacher.rows) == 300 + finding.queries
    kept = kept_back(queries)
    assert finding.queries == queries - kept + finding.trace["disputes"]["asked"] <= queries


def test_stored_scores_answer_no_queries():
    X = normal(200)
    stored = StoredScores(X, (X[:, 0] > 0).astype(int))
    assert Access.QUERIES not in stored.access
    finding = find(stored, X, queries=None)
    assert finding.queries == 0
    assert finding.student.size == 2
    with pytest.raises(AccessDenied, match=r"50 queries were asked of stored scores.*queries=0"):
        find(stored, X, queries=50)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_leaves": 1}, "max_leaves is 1"),
        ({"leaves": 20}, "leaves is 20, and max_leaves is 16"),
        ({"leaves": 0}, "leaves is 0"),
        ({"queries": -1}, "queries is -1"),
        ({"query_weight": 0.0}, r"query_weight is 0.0. .*queries=0 for none"),
        ({"query_weight": 1.0}, "query_weight is 1.0"),
        ({"probe_rows": 0}, "probe_rows is 0"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(InvalidInput, match=message):
        SearchAndStitch(**settings)


def test_unknown_cost_and_sizes_are_refused():
    with pytest.raises(InvalidInput, match="Did you mean 'gini'"):
        find(nested, signs(100), cost="ginny")


# --- never worse than greed -----------------------------------------------------------------


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
@pytest.mark.parametrize("classifies", [True, False])
def test_never_worse_than_the_greedy_tree_on_rows_and_queries(seed, classifies):
    def smooth(X):
        return (np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.2 * X[:, 3]).astype(float)

    truth = Recorder((lambda X: (smooth(X) > 0.3).astype(int)) if classifies else smooth)
    X = np.random.default_rng(seed).normal(size=(300, 5)).astype(np.float32)
    finding = find(truth, X, classes=(0, 1) if classifies else None, seed=seed,
                   queries=700, sampler="munge")  # fmt: skip
    used = truth.rows[: 960 if classifies else 1000]  # then questions that decide between trees
    asked, answers = used.astype(float), truth.function(used)
    assert len(truth.rows) == len(asked) + finding.trace["disputes"]["asked"]
    q = len(asked) - 300
    weight = np.repeat([0.5 / 300, 0.5 / q], [300, q])  # rows and queries count half each

    def loss(model):
        said = model.predict(asked)
        return (((said != answers) if classifies else (said - answers) ** 2) * weight).sum()

    peer = DecisionTreeClassifier if classifies else DecisionTreeRegressor
    better = 0
    for size in range(2, 17):
        greedy = peer(max_leaf_nodes=size, random_state=0).fit(asked, answers, weight)
        ours = max((t for t in finding.frontier if t.size <= size), key=lambda t: t.size)
        assert loss(ours) <= loss(greedy) * (1 + 1e-3) + 1e-12, size
        better += loss(ours) < loss(greedy) * 0.98
    assert better >= 5
    # what the trace says of each size is what its tree does
    mean = np.average(answers, weights=weight)
    scale = 1 if classifies else np.average((answers - mean) ** 2, weights=weight)
    for tree, (size, share) in zip(finding.frontier, finding.trace["frontier"], strict=True):
        assert tree.size == size
        assert loss(tree) / scale == pytest.approx(share, rel=1e-3, abs=1e-6)
    greedy_by_size = dict(map(tuple, finding.trace["greedy"]))
    ours_by_size = dict(map(tuple, finding.trace["frontier"]))
    assert all(ours_by_size[n] <= c + 1e-9 for n, c in greedy_by_size.items() if n in ours_by_size)


@pytest.mark.parametrize("classifies", [True, False])
def test_a_weight_of_two_is_a_row_given_twice(classifies):
    rng = np.random.default_rng(3)
    X = np.round(2 * normal(300)) / 2  # so few values that all thresholds are candidates
    y = (X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=300)).astype(np.float32).astype(float)
    y = (y > 0.2).astype(int) if classifies else y
    task = Task((0, 1)) if classifies else Task()
    count = rng.integers(0, 3, len(X))
    settings = {"max_leaves": 6, "leaves": 6}
    weighted, repeated = (
        SearchAndStitch(**settings).learn(rows_of(A), b, task, np.random.default_rng(0), w)
        for A, b, w in ((X, y, 5.0 * count), (np.repeat(X, count, 0), np.repeat(y, count), None))
    )
    fresh = normal(1000, seed=8)
    if classifies:
        np.testing.assert_array_equal(weighted.predict(fresh), repeated.predict(fresh))
    else:
        np.testing.assert_allclose(weighted.predict(fresh), repeated.predict(fresh), atol=1e-5)


def test_many_queries_count_no_more_than_the_rows():
    class Elsewhere:
        def draw(self, rows, n, rng):
            return rows_of(np.hstack([rng.uniform(2, 9, (n, 1)), rng.normal(size=(n, 1))]))

        def describe(self):
            return "rows far from the data"

    def teacher(X):  # by the first column among the rows, by the second elsewhere
        return np.where(X[:, 0] > 1.5, X[:, 1] > 0, X[:, 0] > 0).astype(int)

    X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    wrong = {
        weight: (found.student.predict(X) != teacher(X)).mean()
        for weight in (0.05, 0.5, 0.98)
        for found in [
            find(teacher, X, leaves=2, queries=5000, sampler=Elsewhere(), query_weight=weight)
        ]
    }
    assert wrong[0.05] < 0.02
    assert wrong[0.98] > 0.3


def test_frontier_grows_and_the_chosen_is_on_it():
    finding = find(lambda X: (X[:, 0] * X[:, 1] > 0.1).astype(int), normal(500))
    sizes = [t.size for t in finding.frontier]
    assert sizes == sorted(set(sizes))
    costs = [c for _, c in finding.trace["frontier"]]
    assert costs == sorted(costs, reverse=True)
    assert finding.student in finding.frontier


def test_leaves_fixes_the_size_and_epsilon_chooses_it():
    X = normal(200)
    hard = lambda X: (X[:, 0] + X[:, 1] > 0).astype(int)  # noqa: E731
    few = {"queries": 90, "max_leaves": 8}
    assert find(hard, X, leaves=5, **few).student.size == 5
    loose, tight = (find(hard, X, epsilon=e, **few).student.size for e in (0.6, 0.001))
    assert loose <= 2 < tight


def test_a_large_table_is_thinned():
    teacher = Recorder(lambda X: (X[:, 0] > 0).astype(int))
    finding = find(teacher, normal(500), max_rows=200, queries=10)
    assert finding.trace["rows"] == 200
    assert len(teacher.rows) == 210


# --- the same seed, the same tree -----------------------------------------------------------


def test_the_same_seed_gives_the_same_student():
    hard = lambda X: (np.sin(3 * X[:, 0]) + X[:, 1] > 0).astype(int)  # noqa: E731
    few = {"queries": 150, "max_leaves": 6}
    one, two = (find(hard, normal(200), seed=3, **few) for _ in range(2))
    assert one.student.fingerprint() == two.student.fingerprint()
    assert [t.fingerprint() for t in one.frontier] == [t.fingerprint() for t in two.frontier]
    assert one.student.fingerprint() != find(hard, normal(200), seed=4, **few).student.fingerprint()


# --- interruptions --------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "after"), [("searching", 0), ("searching", 4), ("stitching", 0)])
def test_an_interrupt_keeps_the_best_so_far(stage, after):
    told = []

    def progress(now, done, total):
        told.append(now)
        if now == stage and done >= after:
            raise KeyboardInterrupt

    X = normal(400)
    teacher = Recorder(lambda X: (np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] > 0).astype(int))
    finding = find(teacher, X, progress=progress, sampler="munge")
    assert told[-1] == stage  # nothing was done after the interrupt
    assert finding.status.code is StatusCode.INTERRUPTED
    assert "interrupted" in str(finding.status)
    asked, answers = teacher.rows, teacher.function(teacher.rows)
    weight = weights(400, len(asked) - 400, 0.5)
    greedy = DecisionTreeClassifier(max_leaf_nodes=16, random_state=0).fit(asked, answers, weight)
    best = finding.frontier[-1]
    ours, theirs = (weight @ (t.predict(asked) != answers) for t in (best, greedy))
    assert ours <= theirs + 1e-9
    assert finding.student.predict(X).shape == (400,)


def test_what_the_search_found_before_an_interrupt_is_used():
    calls = []

    def progress(stage, done, total):
        calls.append(stage)
        if calls.count("searching") == 3:  # depths 1 and 2 are done
            raise KeyboardInterrupt

    def teacher(X):  # a checkerboard, wrong in one corner, so that the search goes on
        return ((X[:, 3] * X[:, 7] > 0) ^ (X[:, [0, 1, 2, 4, 5]] > 0).all(axis=1)).astype(int)

    X = signs(2000)
    finding = find(teacher, X, progress=progress, max_leaves=4, queries=0)
    assert finding.status.code is StatusCode.INTERRUPTED
    assert finding.trace["greedy"][1][1] > 0.2  # four greedy leaves
    assert (finding.frontier[-1].predict(X) != teacher(X)).mean() < 0.05


def test_the_smallest_tree_within_a_standard_error_of_the_best_is_chosen():
    truth = lambda X: (np.sin(2 * X[:, 0]) + 0.5 * X[:, 1] > 0.2).astype(int)  # noqa: E731
    X = normal(200, seed=2)
    for epsilon in (1e-6, 0.1):
        finding = find(truth, X, epsilon=epsilon, queries=90, sampler="munge")  # none for disputes
        left_out = finding.trace["left_out"]
        best = min(loss for _, loss in left_out)
        allowed = max(best + np.sqrt(best * (1 - best) / len(X)), epsilon / 2)
        expected = next(size for size, loss in left_out if loss <= allowed)
        assert finding.student.size == expected
        assert 2 < expected < finding.frontier[-1].size


def test_patience_and_clauses_limit_the_search():
    hard = lambda X: (np.sin(4 * X[:, 0]) * X[:, 1] + X[:, 2] * X[:, 3] > 0).astype(int)  # noqa: E731
    hasty, calm, few = (
        find(hard, normal(250), queries=150, **limits)
        for limits in ({"patience": 1}, {"patience": 10**6}, {"max_clauses": 3})
    )
    assert 0 < hasty.trace["clauses_ordered"] < calm.trace["clauses_ordered"]
    assert few.trace["clauses_ordered"] == 3
    assert few.status.code is StatusCode.LIMIT
    assert "max_clauses" in few.status.remedy


# --- activations ----------------------------------------------------------------------------


def network_that_is_a_tree(d, depth, seed):
    """A network that is a tree: hidden units are its AND clauses, the output is linear in them.

    Over +-1 inputs, relu(sum of k signed literals - (k - 1)) is the AND of the literals.
    """
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    rows, biases, votes = [], [], []

    def visit(path, free):
        if path:
            w = np.zeros(d)
            for j, sign in path:
                w[j] = sign
            rows.append(w)
            biases.append(1.0 - len(path))
            votes.append(0.0)
        if len(path) == depth:
            votes[-1] = path[-1][1] * turns[-1]
            return
        j = int(rng.choice(free))
        if len(path) == depth - 1:
            turns.append(rng.choice([-1.0, 1.0]))  # which of the two last leaves is positive
        for sign in (-1.0, 1.0):
            visit([*path, (j, sign)], [f for f in free if f != j])

    turns = []
    visit([], list(range(d)))

    class Clauses(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = torch.nn.Linear(d, len(rows))
            self.relu = torch.nn.ReLU()
            self.out = torch.nn.Linear(len(rows), 1)

        def forward(self, x):
            return self.out(self.relu(self.hidden(x)))

    made = Clauses()
    with torch.no_grad():
        made.hidden.weight.copy_(torch.tensor(np.array(rows)))
        made.hidden.bias.copy_(torch.tensor(biases))
        made.out.weight.copy_(torch.tensor([votes]))
        made.out.bias.zero_()
    return made


def asked_of_network(depth, seed, n=300, d=20, **settings):
    pytest.importorskip("torch")
    from limbeck.teachers import TorchTeacher

    teacher = TorchTeacher(
        network_that_is_a_tree(d, depth, seed), classes=[0, 1], score_kind="logit"
    )
    X = signs(n, d, seed)
    settings = {
        "max_leaves": 2**depth,
        "sampler": Marginals(),
        "queries": 600,
        "probe_rows": 300,
        **settings,
    }
    return find(teacher, X, seed=seed, **settings), teacher


@pytest.mark.torch
@pytest.mark.parametrize(
    ("depth", "seed", "guide"),
    [
        (3, 0, "both"),
        (3, 1, "probes"),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [(3, 0, "probes"), (3, 1, "both"), (4, 0, "both"), (4, 0, "probes")]
        ),
    ],
)
def test_a_network_that_is_a_tree_gives_it_back(guide, depth, seed):
    # in "hidden" all literals are linear, those of clauses and others: probes alone need "relu"
    layers = ["relu", "out"] if guide == "probes" else None
    finding, teacher = asked_of_network(depth, seed, guide=guide, layers=layers)
    assert finding.status.code is StatusCode.EXACT
    assert finding.student.size == 2**depth
    fresh = signs(3000, 20, seed + 50)
    np.testing.assert_array_equal(
        finding.student.predict(fresh), teacher.scores(fresh).argmax(axis=1)
    )
    assert finding.trace["probes"] > 0
    assert finding.trace["lrh"]["r_squared"] > 0.95
    names = [r["layer"] for r in finding.trace["layers"]]
    assert names == ["inputs", *(layers or ["hidden", "relu", "out"])]
    by_layer = {r["layer"]: r["clauses_r2"] for r in finding.trace["layers"]}
    assert by_layer["relu"] > 0.95 > by_layer["out"]
    json.dumps(finding.trace)


@pytest.mark.torch
def test_layers_may_be_chosen_and_probes_left_out():
    finding, _ = asked_of_network(3, 0, layers=["relu"], queries=300)
    assert [r["layer"] for r in finding.trace["layers"]] == ["inputs", "relu"]
    finding, _ = asked_of_network(3, 0, guide="answers", queries=300)
    assert finding.trace["probes"] == 0
    assert "lrh" not in finding.trace
    with pytest.raises(InvalidInput, match="Did you mean 'relu'"):
        asked_of_network(3, 0, layers=["relo"])


@pytest.mark.torch
def test_a_network_whose_clauses_are_not_linear_is_named_so():
    torch = pytest.importorskip("torch")

    class Blind(torch.nn.Module):
        """Its activations are noise of the input's bits; its answer is a parity."""

        def __init__(self):
            super().__init__()
            self.mask = torch.nn.Identity()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            hashed = torch.sin(1e4 * (x @ torch.arange(1.0, x.shape[1] + 1)[:, None]) ** 2)
            return 5 * torch.sign(x[:, :1] * x[:, 1:2] * x[:, 2:3]) + 0 * self.mask(hashed)

    from limbeck.teachers import TorchTeacher

    teacher = TorchTeacher(Blind(), classes=[0, 1], score_kind="logit")
    X = np.random.default_rng(0).normal(size=(400, 6))
    finding = find(teacher, X, max_leaves=8, queries=300)
    assert finding.status.code is StatusCode.HYPOTHESIS_FAILED
    assert "linear representation hypothesis fails" in finding.status.message
    assert finding.trace["lrh"]["r_squared"] < 0.5


# --- queries --------------------------------------------------------------------------------


def coast(n=600, seed=0):
    """Coordinates along a coast, and two columns beside."""
    rng = np.random.default_rng(seed)
    south = rng.uniform(0, 10, n)
    east = 0.9 * south + rng.normal(0, 0.25, n)
    return np.column_stack([south, east, rng.uniform(0, 6, n), rng.normal(size=n)])


def prices(X):
    """Between 0 and 7 on land; off the coast, where no row is, up to 60."""
    off = np.maximum(np.abs(X[:, 1] - 0.9 * X[:, 0]) - 1.0, 0.0)
    return 0.6 * X[:, 2] + 1.5 * np.sin(X[:, 0]) + 1.5 + 6.0 * off


def r_squared(tree, X, y):
    return 1 - ((tree.predict(X) - y) ** 2).mean() / y.var()


def test_queries_off_the_data_do_not_ruin_a_tree_of_numbers():
    X, fresh = coast(), coast(3000, seed=1)
    settings = {"classes": None, "leaves": 8, "max_leaves": 8, "queries": 2100}
    found = {name: find(prices, X, sampler=name, **settings) for name in ("auto", "jitter", "none")}
    closeness = {k: r_squared(f.student, fresh, prices(fresh)) for k, f in found.items()}
    assert closeness["jitter"] < closeness["none"] - 0.05  # such queries do harm
    assert closeness["auto"] > closeness["none"] - 0.02
    trace = found["auto"].trace
    assert trace["sampler"] == max(trace["samplers_tried"], key=trace["samplers_tried"].get)
    assert trace["samplers_tried"]["jitter"] < trace["samplers_tried"]["none"]


def test_disagreement_on_queries_alone_is_no_reason_to_raise_max_leaves():
    X = coast()
    hard = lambda X: (  # noqa: E731  one threshold on land, a labyrinth off the coast
        np.where(
            np.abs(X[:, 1] - 0.9 * X[:, 0]) < 1.2, X[:, 2] > 3, np.sin(7 * X[:, 0] * X[:, 1]) > 0
        ).astype(int)
    )
    finding = find(hard, X, sampler="jitter", queries=1200, max_leaves=6)
    assert "of the queries" in finding.status.message
    assert "Raise" not in finding.status.remedy
    assert (finding.student.predict(coast(seed=3)) == hard(coast(seed=3))).mean() > 0.95


def test_the_trace_tells_the_sampler_the_shares_and_the_rows_left_out():
    X = normal(200)
    teacher = lambda X: (X[:, 0] * X[:, 1] > 0.1).astype(int)  # noqa: E731
    few = {"max_leaves": 5}
    finding = find(teacher, X, queries=2100, sampler="auto", **few)
    trace = finding.trace
    assert set(trace["samplers_tried"]) == {"munge", "gaussian_copula", "jitter", "none"}
    assert trace["sampler"] in trace["samplers_tried"]
    assert finding.queries - trace["disputes"]["asked"] in (2060, 1236)  # 40 are kept for disputes
    assert trace["query_weight"] == pytest.approx(0.5 if trace["sampler"] != "none" else 0.0)
    assert [size for size, _ in trace["left_out"]] == [t.size for t in finding.frontier]
    assert trace["tree"] in ("stitched", "greedy")
    again = find(teacher, X, queries=2100, sampler="auto", **few)
    assert again.student.fingerprint() == finding.student.fingerprint()
    assert find(teacher, X, queries=500, sampler="none", **few).queries == 0
    with pytest.raises(InvalidInput, match="There is no sampler 'mungo'"):
        SearchAndStitch(sampler="mungo")


def test_rivals_are_greedy_trees_of_the_students_size():
    finding = find(lambda X: (X[:, 0] * X[:, 1] > 0.1).astype(int), normal(300), queries=500)
    names = {"greedy tree on rows and queries", "greedy tree on rows alone"}
    assert set(finding.rivals) == names
    assert {t.size for t in finding.rivals.values()} == {finding.student.size}

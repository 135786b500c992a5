from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.certificates import certify
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.data.duplicates import row_hashes
from limbeck.data.labels import positions, read_labels
from limbeck.evaluation.holdout import set_apart, split
from limbeck.students.tree.tree import Tree


@given(st.integers(20, 200), st.floats(0.3, 0.7), st.integers(0, 50))
def test_every_row_is_on_one_side_with_its_own_label_and_group(n, share, seed):
    if min(round(n * share), n - round(n * share)) < 10:
        return
    X = np.arange(n)[:, None]
    fit, test = split(X, np.arange(n) * 2, np.arange(n) * 3, share, seed)
    assert len(test.X) == round(n * share)
    both = np.concatenate([fit.X, test.X])[:, 0]
    assert sorted(both) == list(range(n))
    for side in (fit, test):
        np.testing.assert_array_equal(side.y, side.X[:, 0] * 2)
    np.testing.assert_array_equal(test.groups, test.X[:, 0] * 3)
    assert fit.groups is None


def test_the_split_is_random_and_follows_the_seed():
    X = np.arange(400)[:, None]
    one, two, other = (split(X, None, None, 0.5, s)[1].X[:, 0] for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert 60 < len(set(one) & set(other)) < 140  # half of 200, give or take 5 deviations
    assert (np.diff(one) > 0).all()
    assert abs(one.mean() - 199.5) < 40


def test_frames_lists_and_tensors_keep_their_kind():
    frame = pd.DataFrame({"a": range(30)}, index=range(100, 130))
    _, test = split(frame, None, "a", 0.5, 0)
    assert list(test.X.index) == [a + 100 for a in test.X["a"]]
    np.testing.assert_array_equal(test.groups, test.X["a"])
    rows = [[i, -i] for i in range(30)]
    fit, test = split(rows, None, None, 0.5, 0)
    assert sorted([*fit.X[:, 0], *test.X[:, 0]]) == list(range(30))


def test_own_holdout_rows_are_taken_as_they_are():
    X, aside = np.arange(40)[:, None], np.arange(100, 115)[:, None]
    fit, test = split(X, np.zeros(40), np.arange(15), (aside, np.ones(15)), 3)
    assert test.X is aside
    np.testing.assert_array_equal(test.y, np.ones(15))
    np.testing.assert_array_equal(test.groups, np.arange(15))
    assert sorted(fit.X[:, 0]) == list(range(40))


@pytest.mark.parametrize("bad", [0, 1, -0.1, 1.5, np.nan, True, "abc", None, [0.3]])
def test_shares_that_are_none(bad):
    with pytest.raises(InvalidInput, match="Give a share between 0 and 1"):
        split(np.zeros((50, 1)), None, None, bad, 0)


@pytest.mark.parametrize(
    ("n", "share", "message"),
    [(30, 0.2, "6 of 30 rows to set aside"), (30, 0.8, "6 of 30 rows left for the method")],
)
def test_both_sides_need_ten_rows(n, share, message):
    with pytest.raises(InvalidInput, match=message):
        split(np.zeros((n, 1)), None, None, share, 0)


def test_own_holdout_rows_that_cannot_be_used():
    X = np.zeros((30, 1))
    with pytest.raises(InvalidInput, match="9 holdout rows"):
        split(X, None, None, (X[:9], None), 0)
    with pytest.raises(InvalidInput, match="only one of X and the holdout"):
        split(X, np.zeros(30), None, (X, None), 0)
    with pytest.raises(InvalidInput, match="tuple of 1"):
        split(X, None, None, (X,), 0)
    with pytest.raises(InvalidInput, match="y has shape"):
        split(X, np.zeros(30), None, (X, np.zeros(29)), 0)


def test_groups_that_cannot_be_used():
    frame = pd.DataFrame({"ward": np.zeros(40), "x": range(40)})
    with pytest.raises(InvalidInput, match="Did you mean 'ward'"):
        split(frame, None, "wards", 0.5, 0)
    with pytest.raises(InvalidInput, match="groups has shape"):
        split(frame, None, np.zeros(39), 0.5, 0)


def test_labels_are_read_from_columns_series_and_tensors():
    assert read_labels(None, 3) is None
    expected = np.array([1, 0, 1])
    for given_ in ([1, 0, 1], pd.Series(expected, index=[5, 6, 7]), expected[:, None]):
        np.testing.assert_array_equal(read_labels(given_, 3), expected)


@pytest.mark.torch
def test_labels_are_read_from_tensors():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(read_labels(torch.tensor([1, 0]), 2), [1, 0])


@pytest.mark.parametrize(
    "y",
    [
        [1.0, np.nan, 0.0],
        ["a", None, "b"],
        pd.Series(["a", np.nan, "b"], dtype=object),
        pd.Series(["a", None, "b"], dtype="string"),
        pd.Series([1, None, 0], dtype="Int64"),
        pd.Series(pd.to_datetime(["2020-01-01", None, "2020-01-02"])),
    ],
    ids=["float", "list", "object", "string", "Int64", "dates"],
)
def test_missing_labels_are_counted(y):
    with pytest.raises(InvalidInput, match="1 labels in y are missing"):
        read_labels(y, 3)


@pytest.mark.parametrize("y", [[1, 2], [[1, 2, 3]], np.zeros((3, 2)), 5])
def test_labels_of_another_length(y):
    with pytest.raises(InvalidInput, match="there are 3 rows"):
        read_labels(y, 3)


def test_positions_of_labels():
    task = Task(("no", "yes"))
    assert positions(None, task) is None
    found = positions(np.array(["yes", "no"]), task)
    assert found.tolist() == [1, 0]
    assert found.dtype == np.int64
    # 1.0, True and 1 are one label, as in Python
    assert positions(np.array([1.0, 0.0]), Task((0, 1))).tolist() == [1, 0]
    with pytest.raises(InvalidInput, match=r"'yess' in y is not one.*Did you mean 'yes'"):
        positions(np.array(["yess"]), task)


def test_values_must_be_finite_numbers():
    assert positions(np.array([1, 2]), Task()).dtype == np.float64
    with pytest.raises(InvalidInput, match="teacher predicts numbers"):
        positions(np.array(["a"]), Task())
    with pytest.raises(InvalidInput, match="infinite"):
        positions(np.array([1.0, np.inf]), Task())


def test_the_method_sees_at_most_50_000_rows() -> None:
    """The rest of a huge X is left unread, and all that is set aside certifies."""
    X = np.arange(200_000.0)[:, None]
    fit, test = split(X, None, None, 0.3, 0)
    assert (len(fit.X), len(test.X)) == (50_000, 60_000)
    assert not np.isin(fit.X, test.X).any()
    assert abs(fit.X.mean() - 100_000) < 2_000  # a random part, not the first rows
    fit, test = split(X, None, None, (X[:20] + 0.5, None), 0)
    assert (len(fit.X), len(test.X)) == (50_000, 20)
    fit, test = split(X[:50_100], None, None, 100 / 50_100, 0)
    assert (len(fit.X), len(test.X)) == (50_000, 100)


# --- apart from what the method sees ----------------------------------------------------------


def apart(X, holdout=0.3, **settings):
    return set_apart(
        X, None, settings.pop("groups", None), holdout, 0, features=Features.of(X), **settings
    )


def test_copies_of_a_row_come_to_one_side():
    X = np.random.default_rng(0).normal(size=(100, 3))
    order = np.random.default_rng(1).permutation(500)
    found = apart(np.repeat(X, 5, axis=0)[order])
    assert (len(found.fit_rows), len(found.test_rows), len(found.once)) == (350, 150, 30)
    assert not np.isin(row_hashes(found.test_rows.values), found.seen).any()
    assert found.facts == {
        "copies_counted_once": 120,
        "identical_rows_counted": 0,
        "repeated_rows_left_out": 0,
    }


def test_without_copies_the_split_is_that_of_a_permutation():
    X = np.arange(100.0)[:, None]
    found = apart(X)
    expected = np.sort(np.random.default_rng(0).permutation(100)[:30])
    np.testing.assert_array_equal(found.test.X[:, 0], expected)


def test_a_rare_coincidence_across_the_split_is_chance_and_many_copies_are_not():
    X = np.stack(np.meshgrid(np.arange(12.0), np.arange(12.0)), axis=-1).reshape(-1, 2)
    both = [apart(np.concatenate([X, X[i : i + 1]])) for i in range(20)]
    assert {f.repeated for f in both} == {0}
    assert {int(np.isin(row_hashes(f.test_rows.values), f.seen).sum()) for f in both} == {0, 1}
    elsewhere = X + 12
    with pytest.raises(InvalidInput, match="Training saw 20 of these 60 rows"):
        apart(X, (np.concatenate([X[:20], elsewhere[:40]]), None))
    kept = apart(X, (np.concatenate([X[:2], elsewhere[:58]]), None))
    assert np.isin(row_hashes(kept.test_rows.values), kept.seen).sum() == 2


def test_copies_in_several_groups_count_once_in_each():
    X = np.random.default_rng(0).normal(size=(60, 2))
    found = apart(np.concatenate([X, X]), groups=np.repeat(["a", "b"], 60))
    assert len(found.once) == len(found.test_rows) == 36


def test_sides_are_counted_in_different_rows_and_cases():
    X = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.raises(InvalidInput, match="6 of 20 different rows to set aside"):
        apart(np.repeat(X, 10, axis=0))
    with pytest.raises(InvalidInput, match="9 of 30 different cases to set aside"):
        apart(np.random.default_rng(0).normal(size=(300, 2)), cases=np.arange(300) % 30)
    fresh = np.random.default_rng(1).normal(size=(9, 2))
    with pytest.raises(InvalidInput, match="9 different holdout rows"):
        apart(X, (np.repeat(fresh, 2, axis=0), None))


def oversampled(seed):
    """Whole numbers; the rows of an easy class were written again until they are half of all."""
    rng = np.random.default_rng(seed)
    X = np.round(10 * rng.normal(size=(400, 5)))
    easy = np.flatnonzero(X[:, 0] >= 18)
    return rng.permutation(np.concatenate([X, X[rng.choice(easy, 400 - len(easy))]]))


def hard_and_easy(X):
    hard = np.sin(0.3 * X[:, 1]) + X[:, 2] * X[:, 3] / 100 > 0
    return np.where(X[:, 0] >= 18, 2, hard.astype(int))


@pytest.mark.parametrize("seed", range(3))
def test_what_copies_are_is_judged_on_all_rows_not_on_those_set_aside(seed):
    X = oversampled(seed)
    with pytest.raises(InvalidInput, match='Say which: duplicates="drop"'):
        apart(X)
    found = apart(X, duplicates="drop")
    assert found.duplicates == "drop"
    different = len(np.unique(found.test_rows.values, axis=0))
    assert len(found.once) == different < 0.9 * len(found.test_rows)
    assert found.coincidences == 0
    assert apart(X, duplicates="keep").duplicates == "keep"
    assert apart(np.unique(X, axis=0)).duplicates == "auto"


def test_the_certificate_of_an_oversampled_table_is_about_its_different_rows():
    fresh = np.round(10 * np.random.default_rng(99).normal(size=(20_000, 5)))
    false = 0
    for seed in range(20):
        found = apart(oversampled(seed), duplicates="drop")
        tree = Tree(max_leaves=128).fit(found.fit.X, hard_and_easy(found.fit.X))
        certificate = certify(
            tree, found.test_rows, hard_and_easy(found.test.X), delta=0.1, seen=found.seen,
            duplicates=found.duplicates,
        )  # fmt: skip
        assert certificate.n == len(found.once)
        false += certificate.epsilon < (tree.predict(fresh) != hard_and_easy(fresh)).mean()
    assert false <= 5  # at most a tenth; with copies taken for draws it was 17 of 20


def frequent(n, rng):
    """Short texts of six tokens: 300 different ones, of which some are frequent."""
    pool = np.random.default_rng(7).integers(0, 30, (300, 6)).astype(float)
    share = 1 / np.arange(1, 301) ** 0.8
    return pool[rng.choice(300, n, p=share / share.sum())], pool[:4]


def test_frequent_inputs_are_no_copies_and_the_certificate_counts_their_errors():
    """A student that is wrong on the four most frequent inputs; a guess would certify 7%."""
    fresh, often = frequent(20_000, np.random.default_rng(99))
    wrong = (fresh[:, None] == often).all(axis=2).any(axis=1).mean()
    false = 0
    for seed in range(5):
        X, often = frequent(1500, np.random.default_rng(seed))
        with pytest.raises(InvalidInput, match='duplicates="keep" if each is a draw of its own'):
            apart(X)
        found = apart(X, duplicates="keep")
        tree = Tree(max_leaves=2).fit(found.fit.X, found.fit.X[:, 0] > 14)
        told = (found.test.X[:, 0] > 14) ^ (found.test.X[:, None] == often).all(2).any(1)
        certificate = certify(
            tree, found.test_rows, told, delta=0.1, seen=found.seen, duplicates="keep"
        )
        false += certificate.epsilon < wrong
    assert false <= 2


def test_cases_by_name_are_known_on_both_sides():
    X = pd.DataFrame({"x": np.arange(40.0), "who": np.arange(40) // 2})
    aside = pd.DataFrame({"x": 100 + np.arange(20.0), "who": 50 + np.arange(20)})
    fit, test = split(X, None, None, (aside, None), 0, cases="who")
    np.testing.assert_array_equal(fit.cases, fit.X["who"])
    np.testing.assert_array_equal(test.cases, aside["who"])
    fit, test = split(X, None, None, (aside, None), 0, cases=np.arange(20))
    assert fit.cases is None
    np.testing.assert_array_equal(test.cases, np.arange(20))

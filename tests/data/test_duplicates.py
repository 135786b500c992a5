from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris, load_wine

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.data.duplicates import (
    _beyond_chance,
    _on_grid,
    distinctive,
    find_duplicates,
    hashes_with_near,
    kinds_of,
    round_to_float32,
    row_hashes,
    times_repeated,
)

NUMBERS = ("numeric",) * 5


@given(st.lists(st.floats(-3.0e38, 3.0e38), min_size=1))
def test_rounding_is_that_of_a_cast(values: list[float]) -> None:
    x = np.array(values)
    normal = (np.abs(x) >= 2.0**-126) | (x == 0)  # below, float32 keeps fewer digits
    with np.errstate(over="ignore"):
        cast = x.astype(np.float32).astype(np.float64)
    np.testing.assert_array_equal(round_to_float32(x)[normal], cast[normal])


def test_rounding_keeps_what_float32_cannot_hold_apart() -> None:
    assert (round_to_float32(np.array([1e300, 2e300])) == [1e300, 2e300]).sum() == 0
    assert len(np.unique(round_to_float32(np.array([1e300, 2e300, 1e-300, 2e-300])))) == 4
    assert np.isnan(round_to_float32(np.array([np.nan]))).all()
    assert not np.signbit(round_to_float32(np.array([-0.0])))[0]


def test_rows_cast_to_float32_or_scaled_are_the_same_rows() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 30)) * 10 ** rng.uniform(-8, 8, size=30)
    own = row_hashes(x)
    assert (row_hashes(x.astype(np.float32).astype(float)) == own).all()
    for factor in (1 + 1e-12, 1 - 1e-12):
        scaled = x * factor
        found, up, down = hashes_with_near(scaled)
        assert (found == row_hashes(scaled)).all()
        assert ((row_hashes(scaled) == own) | (up == own) | (down == own)).all()
        assert not (row_hashes(scaled) == own).all()  # the hash alone would miss some


def test_whole_numbers_between_two_float32_are_the_same_when_scaled() -> None:
    """2^24 + 1 lies in the middle between two float32 numbers."""
    x = np.array([[2.0**24 + 1], [2.0**24 + 3]])
    for factor in (1 + 1e-12, 1 - 1e-12):
        found = find_duplicates(np.concatenate([x, x * factor]), ("numeric",), "drop")
        assert found.first.tolist() in ([0, 1, 0, 1], [0, 0, 0, 0])
        assert found.first[2] == 0


@pytest.mark.parametrize("k", [2, 3, 10])
def test_copies_of_continuous_rows_are_found(k: int) -> None:
    rng = np.random.default_rng(k)
    x = rng.normal(size=(300, 5))
    order = rng.permutation(300 * k)
    found = find_duplicates(np.repeat(x, k, axis=0)[order], NUMBERS)
    assert (found.copies, found.coincidences) == (300 * (k - 1), 0)
    groups = np.repeat(np.arange(300), k)[order]
    assert (groups[found.first] == groups).all()
    assert (found.first <= np.arange(300 * k)).all()


def test_copies_within_rounding_are_one_row() -> None:
    x = np.random.default_rng(0).normal(size=(500, 5))
    many = np.concatenate([x, x.astype(np.float32), x * (1 + 1e-12), x * (1 - 1e-12)])
    found = find_duplicates(many, NUMBERS)
    assert (found.first == np.tile(np.arange(500), 4)).all()


def test_discrete_rows_coincide_by_nature() -> None:
    x = np.random.default_rng(0).integers(0, 3, size=(500, 4)).astype(float)
    x[:, 1] = x[:, 1] / 10  # tenths are a grid as well
    x[:, 2] = (x[:, 2] - x[:, 2].mean()) / x[:, 2].std()  # and so are standardized codes
    found = find_duplicates(x, NUMBERS[:4])
    assert found.copies == 0
    assert found.coincidences == 500 - len(np.unique(x, axis=0))
    assert (found.first == np.arange(500)).all()


def test_one_continuous_column_tells_copies() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, size=(200, 3)).astype(float)
    x = np.column_stack([x, rng.normal(size=200)])
    found = find_duplicates(np.concatenate([x, x[:50]]), NUMBERS[:4])
    assert (found.copies, found.coincidences) == (50, 0)
    kinds = ("discrete", "discrete", "discrete", "discrete")
    assert find_duplicates(np.concatenate([x, x[:50]]), kinds).coincidences == 50


def test_values_that_many_rows_share_tell_no_copies() -> None:
    """Rain of 0 mm on a Monday comes twice by nature; 3.172 mm does not."""
    rng = np.random.default_rng(0)
    rain = np.where(rng.random(2000) < 0.8, 0.0, rng.exponential(size=2000))
    rows = np.column_stack([rng.integers(0, 7, 2000), rain])
    found = find_duplicates(rows, NUMBERS[:2])
    assert found.copies == 0
    assert found.coincidences == (rain == 0).sum() - 7
    wet = np.flatnonzero(rain > 0)[:30]
    again = find_duplicates(np.concatenate([rows, rows[wet]]), NUMBERS[:2])
    assert again.copies == 30


def test_measurements_with_one_decimal_are_marked_by_several_values_together() -> None:
    """No value is a row's own, and yet no row comes twice by chance."""
    iris = load_iris().data  # too few columns for that
    with pytest.raises(InvalidInput, match="Each of the 149 different rows occurs 10 times"):
        find_duplicates(np.repeat(iris, 10, axis=0), NUMBERS[:4])
    X = load_wine().data
    assert find_duplicates(np.repeat(X, 10, axis=0), ("numeric",) * 13).copies == 9 * 178
    rows = np.random.default_rng(0).integers(0, 178, 178)
    found = find_duplicates(X[rows], ("numeric",) * 13)
    assert (found.copies, found.coincidences) == (178 - len(np.unique(rows)), 0)
    # standardized codes of 20 values each: a pair of them comes often
    codes = np.random.default_rng(0).integers(0, 20, size=(1000, 2))
    found = find_duplicates((codes - codes.mean(axis=0)) / codes.std(axis=0), NUMBERS[:2])
    assert found.copies == 0
    assert found.coincidences == 1000 - len(np.unique(codes, axis=0))


def test_a_table_of_codes_that_repeats_itself_is_refused() -> None:
    rng = np.random.default_rng(0)
    flags = np.unique(rng.integers(0, 2, size=(300, 9)), axis=0).astype(float)
    with pytest.raises(InvalidInput, match=r"occurs 10 times or a multiple.*duplicates="):
        find_duplicates(np.repeat(flags, 10, axis=0), ("numeric",) * 9)
    x = np.unique(rng.integers(0, 9, size=(300, 4)), axis=0).astype(float)
    with pytest.raises(InvalidInput, match="occurs 10 times or a multiple"):
        find_duplicates(np.repeat(x, 10, axis=0), NUMBERS[:4])
    assert find_duplicates(np.repeat(x, 10, axis=0), NUMBERS[:4], "drop").copies == 9 * len(x)
    kept = find_duplicates(np.repeat(x, 10, axis=0), NUMBERS[:4], "keep")
    assert (kept.copies, kept.coincidences) == (0, 9 * len(x))
    binary = np.repeat([[0.0], [1.0]], 500, axis=0)  # an even split of two values is no repeat
    assert find_duplicates(binary, ("numeric",)).coincidences == 998


def test_signals_are_copies_unless_they_are_flat() -> None:
    x = np.random.default_rng(0).integers(0, 2, size=(40, 6)).astype(float)
    x[:5] = 0.0
    marked = distinctive(np.unique(x, axis=0), ("signal",) * 6)
    assert not marked[0]
    assert marked[1:].all()
    found = find_duplicates(np.concatenate([x, x[5:20]]), ("signal",) * 6)
    assert found.coincidences >= 4
    assert found.copies >= 15


def test_missing_values_mark_nothing() -> None:
    x = np.full((30, 2), np.nan)
    assert find_duplicates(x, NUMBERS[:2]).copies == 0


def test_kinds_are_those_of_the_columns() -> None:
    frame = pd.DataFrame({"a": [0.5, 1.0], "b": [True, False], "c": ["x", "y"]})
    assert kinds_of(Features.of(frame)) == ("numeric", "discrete", "discrete")
    assert kinds_of(Features.of(np.zeros((2, 1, 3)))) == ("signal",) * 3
    with pytest.raises(InvalidInput, match="duplicates is 'dropp'"):
        find_duplicates(np.zeros((2, 1)), ("numeric",), "dropp")  # type: ignore[arg-type]


def whole_numbers(n: int, rng: np.random.Generator) -> np.ndarray:
    """Age, years of school, hours and sex: 229,000 cells, so that rows hardly ever coincide."""
    return np.column_stack(
        [rng.integers(*ends, n) for ends in ((17, 90), (1, 17), (1, 99), (0, 2))]
    ).astype(float)


@pytest.mark.parametrize("seed", range(3))
def test_more_identical_rows_than_chance_gives_must_be_explained(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = whole_numbers(900, rng)
    kinds = ("numeric",) * 4
    drawn = table[rng.integers(0, 900, 900)]  # a bootstrap
    copies = 900 - len(np.unique(drawn, axis=0))
    with pytest.raises(InvalidInput, match=f"{copies} of 900 rows are identical to another one"):
        find_duplicates(drawn, kinds)
    assert find_duplicates(drawn, kinds, "drop").copies == copies
    assert find_duplicates(drawn, kinds, "keep").coincidences == copies
    with pytest.raises(InvalidInput, match='Say which: duplicates="drop"'):
        find_duplicates(np.vstack([table, *[table[:90]] * 4]), kinds)
    assert find_duplicates(table, kinds).copies == 0


def test_a_few_rows_written_many_times_must_be_explained() -> None:
    table = whole_numbers(400, np.random.default_rng(0))
    kinds = ("numeric",) * 4
    with pytest.raises(InvalidInput, match="400 of 800 rows"):
        find_duplicates(np.vstack([table, np.repeat(table[:5], 80, axis=0)]), kinds)
    blank = np.vstack([table, np.zeros((200, 4))])  # one row alone may be common by nature
    found = find_duplicates(blank, kinds)
    assert (found.copies, found.coincidences) == (0, 199)


def test_the_rule_for_parts_is_that_of_the_whole() -> None:
    x = np.random.default_rng(0).normal(size=(30, 3))
    assert find_duplicates(np.vstack([x, x[:5]]), NUMBERS[:3]).rule_for_parts("auto") == "drop"
    assert find_duplicates(x, NUMBERS[:3]).rule_for_parts("auto") == "auto"
    few = np.random.default_rng(0).integers(0, 2, size=(60, 2)).astype(float)
    assert find_duplicates(few, NUMBERS[:2]).rule_for_parts("auto") == "auto"
    assert find_duplicates(np.vstack([x, x]), NUMBERS[:3], "keep").rule_for_parts("keep") == "keep"


def test_coincidences_of_dependent_columns_stay_coincidences() -> None:
    rng = np.random.default_rng(0)
    place = rng.integers(0, 300, 3000)
    zipped = np.column_stack([place, 2 * place, rng.integers(0, 4, 3000)]).astype(float)
    rate = rng.gamma(0.5, 1, size=(3000, 1))
    counts = rng.poisson(rate * np.array([1, 2, 3, 0.5, 5])).astype(float)
    answers = (rng.normal(size=(3000, 20)) + 2 * rng.normal(size=(3000, 1)) > 1).astype(float)
    for table in (zipped, counts, answers):
        found = find_duplicates(table, ("numeric",) * table.shape[1])
        assert found.copies == 0
        assert found.coincidences > 500


def test_halfway_between_two_float32_the_even_one_is_taken() -> None:
    halves = np.array([1 + 2.0**-24, 1 + 3 * 2.0**-24, -1 - 2.0**-24])
    assert round_to_float32(halves).tolist() == halves.astype(np.float32).tolist()


def test_hashes_are_those_of_splitmix64() -> None:
    """Computed once more with Python's whole numbers, which do not overflow."""
    mask = 2**64 - 1

    def mixed(h: int) -> int:
        h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9 & mask
        h = (h ^ (h >> 27)) * 0x94D049BB133111EB & mask
        return h ^ (h >> 31)

    row = np.array([0.5, -3.0])
    h = 2
    for bits in row.view(np.uint64).tolist():
        h = mixed((h ^ bits) + 0x9E3779B97F4A7C15 & mask)
    assert row_hashes(row[None]).tolist() == [h]


@pytest.mark.parametrize(("values", "grid"), [
    ([0, 1, 29], True), ([0, 1, 30], False), ([0, 1, 2.5], False), ([0, 0.1, 0.4], True),
])  # fmt: skip
def test_a_grid_has_a_value_in_every_tenth_cell(values: list[float], grid: bool) -> None:
    assert _on_grid(np.array(values, dtype=float)) is grid


def test_several_rare_values_mark_a_row_and_common_ones_do_not() -> None:
    rng = np.random.default_rng(0)
    kinds = ("numeric",) * 3
    assert distinctive(rng.integers(0, 100, (1000, 3)) / 10, kinds).all()
    assert not distinctive(rng.integers(0, 5, (1000, 3)) / 10, kinds).any()


def repeated(times: list[int], alone: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Rows that occur so many times, and others that occur once, with the number of each row."""
    rows = np.random.default_rng(0).normal(size=(len(times) + alone, 3))
    rows[:, 2] = 1.0  # tells nothing
    label = np.repeat(np.arange(len(rows)), [*times, *[1] * alone])
    return rows[label], label


@pytest.mark.parametrize(("times", "beyond"), [
    ([2] * 19, False), ([2] * 20, True), ([5] * 2, False), ([5] * 3, True), ([4] * 3, False),
])  # fmt: skip
def test_twenty_pairs_or_three_rows_that_occur_five_times_prove_something(
    times: list[int], beyond: bool
) -> None:
    assert _beyond_chance(*repeated(times)) is beyond


def test_rows_that_do_not_occur_say_nothing_of_repeats() -> None:
    assert times_repeated(np.array([2, 2] + [0] * 40)) == 1
    assert times_repeated(np.array([2] * 20)) == 2


@pytest.mark.parametrize(("times", "k"), [
    ([2] * 14, 1), ([2] * 15, 2), ([4] * 7, 1), ([4] * 8, 4), ([4, 6] * 8, 2), ([], 1), ([9], 1),
])  # fmt: skip
def test_a_common_divisor_is_rarer_than_1_in_10000_tables(times: list[int], k: int) -> None:
    """Drawn numbers share the divisor k with probability k^-(m - 1)."""
    assert times_repeated(np.array(times, dtype=np.int64)) == k

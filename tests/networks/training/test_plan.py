from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.training.plan import Plan  # noqa: E402

pytestmark = pytest.mark.torch


@given(
    rows=st.integers(4, 200),
    own=st.integers(1, 6),
    processes=st.integers(1, 4),
    parts=st.integers(1, 3),
)
def test_every_update_is_the_next_batch_of_the_order_shared_equally(rows, own, processes, parts):
    batch = own * processes * parts
    plan = Plan(rows, batch, processes, parts)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(rows))
    shares = [plan.order(order, rank, 0) for rank in range(processes)]
    assert len({len(s) for s in shares}) == 1
    place = 0
    for update in range(plan.updates):
        sizes = plan.sizes(update)
        rows_each = sum(sizes)
        taken = torch.cat([s[place : place + rows_each] for s in shares])
        start = update * batch
        assert torch.equal(taken, order[start : start + len(taken)])
        assert len(taken) == batch or update == plan.updates - 1
        full = update < rows // batch
        assert all(s == plan.micro for s in sizes if full)
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= plan.micro + 1
        assert min(sizes) > 1 or plan.micro == 1 or rows_each == 1
        assert sizes == plan.sizes_from(update)[: len(sizes)]
        place += rows_each
    assert place == len(shares[0])
    left_out = rows - sum(map(len, shares))
    assert left_out < max(processes, 2)


def test_going_on_in_the_middle_leaves_out_what_was_done():
    plan = Plan(10, 4, 2, 1)
    order = torch.arange(10)
    assert plan.order(order, 0, 0).tolist() == [0, 1, 4, 5, 8]
    assert plan.order(order, 1, 1).tolist() == [6, 7, 9]


def test_a_last_batch_of_one_row_is_left_out_but_not_a_batch_size_of_one():
    assert Plan(9, 4).updates == 2
    assert Plan(9, 1).updates == 9
    assert Plan(1, 4).updates == 1
    assert Plan(10, 4).updates == 3


@pytest.mark.parametrize(
    ("parts", "rest", "sizes"),
    [(2, 9, [5, 4]), (2, 13, [7, 6]), (2, 8, [8]), (8, 2, [2]), (8, 3, [3]), (8, 5, [3, 2]),
     (16, 3, [1, 1, 1])],
)  # fmt: skip
def test_parts_of_a_last_shorter_update_are_even_and_never_of_one_row(parts, rest, sizes):
    plan = Plan(48 + rest, 16, parts=parts)
    assert plan.sizes(0) == [plan.micro] * parts
    assert plan.sizes(3) == sizes
    assert plan.sizes_from(2) == [plan.micro] * parts + sizes


def test_what_does_not_split_is_refused():
    with pytest.raises(InvalidInput, match="batch size 10 does not split"):
        Plan(100, 10, 4, 1)
    with pytest.raises(InvalidInput, match="3 samples for 4"):
        Plan(3, 8, 4, 1)

"""Parts of a batch add up to the batch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.modules.batch import IGNORED, Over  # noqa: E402
from limbeck.networks import DIST, Relations, SoftTargets, balanced  # noqa: E402
from limbeck.networks.datasets.batch import Batch  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.filters import Filter  # noqa: E402
from limbeck.networks.losses.loss import Needs, Objective  # noqa: E402
from limbeck.networks.training.engine import Engine  # noqa: E402
from limbeck.networks.training.gradient_accumulation import (  # noqa: E402
    Plan,
    counts,
    part_notes,
    parts_of,
)
from limbeck.networks.training.settings import Training  # noqa: E402

pytestmark = pytest.mark.torch

IDS = [[1 + (i * j) % 19 for j in range(1, 2 + i * 7 % 12)] for i in range(1, 31)]
LABELS = [[t % 3 if j else IGNORED for j, t in enumerate(row)] for row in IDS]


def of(samples: Samples, plan: Plan, task: Task, update: int = 0):
    order = torch.arange(len(samples))[update * plan.batch :]
    with Engine.started(Training(), torch.device("cpu")) as engine:
        found = list(parts_of(samples.batches(order, plan.micro), plan, update, task, engine))
    return [
        (p.batch.index.tolist(), None if p.shares is None else p.shares[Over.OUTPUTS], p.last)
        for p in found
    ]


def test_rows_count_by_their_number() -> None:
    samples = Samples.of((torch.zeros(10, 2), torch.zeros(10)))
    found = of(samples, Plan(10, 6, parts=2), Task.of("classification", 2))
    assert [(len(rows), share, last) for rows, share, last in found] == [
        (3, 0.5, False), (3, 0.5, True), (3, 0.75, False), (1, 0.25, True),
    ]  # fmt: skip
    assert of(samples, Plan(10, 6, parts=2), Task.of("classification", 2), 1) == found[2:]
    whole = of(samples, Plan(10, 6), Task.of("classification", 2))
    assert [(len(rows), share, last) for rows, share, last in whole] == [
        (6, None, True), (4, None, True),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [TaskKind.TOKENS, TaskKind.LANGUAGE])
def test_sequences_count_by_their_tokens(kind) -> None:
    """Of language the first token is not predicted; here it has no label either."""
    samples = Samples.of({"input_ids": IDS, "labels": LABELS})
    tokens = [len(row) - 1 for row in IDS]
    found = of(samples, Plan(30, 8, parts=4), Task.of(kind, 3))
    for rows, share, _ in found:
        update = range(8 * (rows[0] // 8), min(8 * (rows[0] // 8) + 8, 30))
        whole = sum(tokens[i] for i in update)
        assert share == pytest.approx(sum(tokens[i] for i in rows) / whole)
    assert [last for _, _, last in found] == ([False] * 3 + [True]) * 3 + [False] * 2 + [True]


def test_everything_that_losses_are_means_over_is_counted() -> None:
    """Against sums by hand, of one batch of language with a weight a token."""
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    labels = torch.tensor([[5, 6, 7, IGNORED], [5, IGNORED, 7, 8]])
    batch = Batch({"input_ids": labels, "attention_mask": mask}, labels, torch.arange(2))
    weight = torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.0, 2.0, 3.0, 0.0]])  # of predicting a place
    found = dict(zip(Over, counts(batch, weight, Task.of("language", 9)).tolist(), strict=True))
    assert found == {
        Over.OUTPUTS: 4,  # 6 and 7 of the first row, 7 and 8 of the second
        Over.WEIGHTS: 4,
        Over.LABELS: 4,
        Over.REST: 2,
        Over.ROWS: 2,
        Over.ROW_WEIGHTS: pytest.approx(1 / 3 + 5 / 4),
        Over.TOKENS: 7,
        Over.TOKEN_WEIGHTS: 6,
        Over.ENTRY_WEIGHTS: 3 * 1 + 4 * 5,
    }
    plain = dict(zip(Over, counts(batch, None, Task.of("classification", 9)).tolist(), strict=True))
    assert plain == {
        Over.OUTPUTS: 2, Over.WEIGHTS: 2, Over.LABELS: 2, Over.REST: 2, Over.ROWS: 2,
        Over.ROW_WEIGHTS: 2, Over.TOKENS: 7, Over.TOKEN_WEIGHTS: 7, Over.ENTRY_WEIGHTS: 9 + 16,
    }  # fmt: skip


def test_a_filter_is_asked_before_the_first_part_is_learned_and_cannot_see_the_student() -> None:
    class OnStudent(Filter):
        needs = Needs()

        def describe(self) -> str:
            return "that the student gets wrong"

        def __call__(self, step):
            return step.student.logits.sum(-1)

    samples = Samples.of((torch.zeros(8, 2), torch.zeros(8)))
    with (
        Engine.started(Training(), torch.device("cpu")) as engine,
        pytest.raises(
            InvalidInput, match=r"filter reads the student's outputs.*gradient_accumulation_steps=1"
        ),
    ):
        next(parts_of(samples.batches(range(8), 2), Plan(8, 8, parts=4), 0,
                      Task.of("classification", 2), engine, filter=OnStudent()))  # fmt: skip


def test_what_sees_one_part_only_is_told() -> None:
    objective = Relations({"0": "0"}) + SoftTargets() + 0.5 * DIST()
    plain, normed = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    split = Training(batch_size=64, gradient_accumulation_steps=4)
    assert part_notes(objective, plain, Training(batch_size=64)) == []
    relations, dist = part_notes(objective, plain, split)
    assert relations == (
        "Relations compares the rows of a batch with each other: with"
        " gradient_accumulation_steps=4 it"
        " sees 16 rows at a time, not 64."
    )
    assert "DIST correlates" in dist
    assert "Batch normalisation" in part_notes(Objective.of(SoftTargets()), normed, split)[0]
    assert "25 parts" in part_notes(balanced(SoftTargets()), plain, split)[0]
    assert part_notes(Objective.of(SoftTargets()), plain, split) == []


@settings(max_examples=60, deadline=None)
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

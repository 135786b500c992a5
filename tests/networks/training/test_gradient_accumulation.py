"""Parts of a batch add up to the batch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.modules.batch import IGNORED, Goal, Kind, Over  # noqa: E402
from limbeck.networks import DIST, Relations, SoftTargets, balanced  # noqa: E402
from limbeck.networks.datasets.data import Batch, Samples  # noqa: E402
from limbeck.networks.losses.filters import Filter  # noqa: E402
from limbeck.networks.losses.loss import Needs, Objective  # noqa: E402
from limbeck.networks.training.engine import Engine  # noqa: E402
from limbeck.networks.training.gradient_accumulation import counts, part_notes, parts_of  # noqa: E402
from limbeck.networks.training.plan import Plan  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402

pytestmark = pytest.mark.torch

IDS = [[1 + (i * j) % 19 for j in range(1, 2 + i * 7 % 12)] for i in range(1, 31)]
LABELS = [[t % 3 if j else IGNORED for j, t in enumerate(row)] for row in IDS]


def of(samples: Samples, plan: Plan, goal: Goal, update: int = 0):
    order = torch.arange(len(samples))[update * plan.batch :]
    with Engine.started(Training(), torch.device("cpu")) as engine:
        found = list(parts_of(samples.batches(order, plan.micro), plan, update, goal, engine))
    return [
        (p.batch.index.tolist(), None if p.shares is None else p.shares[Over.OUTPUTS], p.last)
        for p in found
    ]


def test_rows_count_by_their_number() -> None:
    samples = Samples.of((torch.zeros(10, 2), torch.zeros(10)))
    found = of(samples, Plan(10, 6, parts=2), Goal(Kind.CLASSES, 2))
    assert [(len(rows), share, last) for rows, share, last in found] == [
        (3, 0.5, False), (3, 0.5, True), (3, 0.75, False), (1, 0.25, True),
    ]  # fmt: skip
    assert of(samples, Plan(10, 6, parts=2), Goal(Kind.CLASSES, 2), 1) == found[2:]
    whole = of(samples, Plan(10, 6), Goal(Kind.CLASSES, 2))
    assert [(len(rows), share, last) for rows, share, last in whole] == [
        (6, None, True), (4, None, True),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [Kind.TOKENS, Kind.LANGUAGE])
def test_sequences_count_by_their_tokens(kind) -> None:
    """Of language the first token is not predicted; here it has no label either."""
    samples = Samples.of({"input_ids": IDS, "labels": LABELS})
    tokens = [len(row) - 1 for row in IDS]
    found = of(samples, Plan(30, 8, parts=4), Goal(kind, 3))
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
    found = dict(zip(Over, counts(batch, weight, Goal(Kind.LANGUAGE, 9)).tolist(), strict=True))
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
    plain = dict(zip(Over, counts(batch, None, Goal(Kind.CLASSES, 9)).tolist(), strict=True))
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
        next(parts_of(samples.batches(range(8), 2), Plan(8, 8, parts=4), 0, Goal(Kind.CLASSES, 2),
                      engine, filter=OnStudent()))  # fmt: skip


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

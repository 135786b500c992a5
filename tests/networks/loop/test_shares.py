"""Parts of a batch add up to the batch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks import GoldLabels, SoftTargets  # noqa: E402
from limbeck.networks.loop.engine import Engine  # noqa: E402
from limbeck.networks.loop.plan import Plan  # noqa: E402
from limbeck.networks.loop.shares import shared  # noqa: E402
from limbeck.networks.loop.train import train  # noqa: E402
from limbeck.networks.loop.training import Training  # noqa: E402
from limbeck.networks.samples.data import Samples  # noqa: E402
from limbeck.networks.views import IGNORED, Goal, Kind  # noqa: E402

pytestmark = pytest.mark.torch

IDS = [[1 + (i * j) % 19 for j in range(1, 2 + i * 7 % 12)] for i in range(1, 31)]
LABELS = [[t % 3 if j else IGNORED for j, t in enumerate(row)] for row in IDS]
TAGS = Goal(Kind.TOKENS, 3)


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(20, 4), nn.Linear(4, 3)

    def forward(self, input_ids):
        return self.head(self.words(input_ids).tanh())


def of(samples: Samples, plan: Plan, goal: Goal, update: int = 0):
    order = torch.arange(len(samples))[update * plan.batch :]
    with Engine.started(Training(), torch.device("cpu")) as engine:
        found = list(shared(samples.batches(order, plan.micro), plan, update, goal, engine))
    return [(b.index.tolist(), share, last) for b, share, last in found]


def test_rows_count_by_their_number() -> None:
    samples = Samples.of((torch.zeros(10, 2), torch.zeros(10)))
    found = of(samples, Plan(10, 6, parts=2), Goal(Kind.CLASSES, 2))
    assert [(len(rows), share, last) for rows, share, last in found] == [
        (3, 0.5, False), (3, 0.5, True), (3, 0.75, False), (1, 0.25, True),
    ]  # fmt: skip
    assert of(samples, Plan(10, 6, parts=2), Goal(Kind.CLASSES, 2), 1) == found[2:]
    whole = of(samples, Plan(10, 6), Goal(Kind.CLASSES, 2))
    assert [(len(rows), share, last) for rows, share, last in whole] == [
        (6, 1.0, True), (4, 1.0, True),
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


def test_a_batch_in_parts_is_the_batch() -> None:
    samples = Samples.of({"input_ids": IDS, "labels": LABELS}).aimed(TAGS)
    torch.manual_seed(1)
    teacher = Tagger()
    one, four = (
        train(
            Tagger, samples, 0.5 * SoftTargets(temperature=2) + 0.5 * GoldLabels(), TAGS,
            teacher=teacher, training=Training(3, 8, optimizer="sgd", lr=0.5, accumulate=parts),
        )
        for parts in (1, 4)
    )  # fmt: skip
    for a, b in zip(one.module.parameters(), four.module.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    for a, b in zip(one.history, four.history, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)

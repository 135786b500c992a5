"""An update in parts is the update: the same weights, whatever the objective, filter and data."""

from __future__ import annotations

from functools import cache

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.modules.batch import IGNORED  # noqa: E402
from limbeck.networks import (  # noqa: E402
    DIST,
    DKD,
    AttentionMaps,
    AttentionTransfer,
    Contrastive,
    Embeddings,
    Exits,
    GoldLabels,
    HiddenStates,
    Interchange,
    JensenShannon,
    LinearSchedule,
    Logits,
    LogitsCosine,
    Relations,
    ReverseKL,
    RowWeights,
    SoftTargets,
    TeacherConfident,
    TeacherCorrect,
    TeacherLabels,
)
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch

ROWS = 28  # updates of 16 and 12 rows
IDS = [[1 + (i * j) % 19 for j in range(1, 3 + i * 7 % 12)] for i in range(1, ROWS + 1)]
TAGS = [[t % 3 if j else IGNORED for j, t in enumerate(row)] for row in IDS]
WEIGHTS = [(i * 5 % 7) / 4 for i in range(ROWS)]
FILTERS = {
    "no filter": None,
    "where right": TeacherCorrect(),
    "where sure": TeacherConfident(0.4),
    "row weights": RowWeights(WEIGHTS),
    "all": TeacherCorrect() & TeacherConfident(0.36) & RowWeights(WEIGHTS),
}


class Reader(nn.Module):
    """Of tokens: a hidden layer, attention maps, and one answer a token or a row."""

    def __init__(self, width: int, outputs: int, by_row: bool) -> None:
        super().__init__()
        self.words, self.middle = nn.Embedding(20, width), nn.Linear(width, width)
        self.attention, self.pooled = nn.Identity(), nn.Identity()
        self.head, self.by_row = nn.Linear(width, outputs), by_row

    def forward(self, input_ids, attention_mask):
        x = self.middle(self.words(input_ids)).tanh()
        there = attention_mask.to(x.dtype)
        scores = x @ x.transpose(1, 2)
        looks = self.attention(scores.masked_fill(attention_mask[:, None] == 0, -1e30).softmax(-1))
        x = x + looks @ x
        row = self.pooled((x * there[..., None]).sum(1) / there.sum(1, keepdim=True))
        return self.head(row if self.by_row else x)


@cache
def tokens(kind: TaskKind) -> tuple[Samples, Task, nn.Module, nn.Module]:
    """Ragged tokens with labels, some of which are absent."""
    by_row = kind is TaskKind.CLASSIFICATION
    outputs = 20 if kind is TaskKind.LANGUAGE else 3
    labels = [sum(row) % 3 for row in IDS] if by_row else IDS if kind is TaskKind.LANGUAGE else TAGS
    torch.manual_seed(1)
    teacher, student = Reader(7, outputs, by_row).double(), Reader(5, outputs, by_row).double()
    with torch.no_grad():
        teacher.head.weight.mul_(6)  # sure of some, not of all
    task = Task.of(kind, outputs)
    samples = Samples.of({"input_ids": IDS, "labels": labels}).aimed(task)
    return samples, task, teacher, student


@cache
def table(kind: TaskKind) -> tuple[Samples, Task, nn.Module, nn.Module]:
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(ROWS, 6, generator=generator, dtype=torch.float64)
    labels = {
        TaskKind.CLASSIFICATION: (x[:, 0] > 0).long() + (x[:, 1] > 0).long(),
        TaskKind.MULTILABEL: (x[:, :3] > 0).double(),
        TaskKind.REGRESSION: x[:, :3] ** 2,
    }[kind]
    torch.manual_seed(1)
    teacher, student = (
        nn.Sequential(nn.Linear(6, w), nn.Tanh(), nn.Linear(w, 3)).double() for w in (8, 5)
    )
    task = Task.of(kind, 3)
    return Samples.of((x, labels)).aimed(task), task, teacher, student


def differs(made, objective, filter_=None, gradient_accumulation_steps=(4,)) -> float:
    """The largest difference in a weight, or in an epoch's loss, from those of whole updates."""
    samples, task, teacher, student = made
    runs = [
        train(student, samples, objective, task, teacher=teacher, filter=filter_,
              training=Training(1, 16, optimizer="sgd", lr=0.3, gradient_accumulation_steps=parts))
        for parts in (1, *gradient_accumulation_steps)
    ]  # fmt: skip
    start = torch.cat([p.detach().flatten() for p in student.parameters()])
    ends = [
        torch.cat([p.detach().flatten() for p in (*r.module.parameters(), *r.maps.parameters())])
        for r in runs
    ]
    assert not torch.equal(ends[0][: len(start)], start)  # something was learned
    losses = torch.tensor([[row["loss"] for row in r.history] for r in runs])
    apart = [(x - x[0]).abs().max() for x in (torch.stack(ends), losses)]
    return float(max(apart))


OUTPUTS = [
    GoldLabels(),
    TeacherLabels(),
    SoftTargets(temperature=LinearSchedule(4, 1)),
    SoftTargets(temperature=2, standardise=True),
    ReverseKL(),
    JensenShannon(2.0),
    DKD(),
    DIST(intra=0),
    Logits(),
    LogitsCosine(),
    0.6 * SoftTargets() + 0.4 * GoldLabels(),
]
LAYERS = [
    HiddenStates({"middle": "middle"}),
    HiddenStates({"middle": "middle", "pooled": "pooled"}, distance="cosine"),
    Embeddings({"words": "words"}),
    AttentionMaps({"attention": "attention"}),
    AttentionTransfer({"middle": "middle"}),
]


KINDS = (TaskKind.CLASSIFICATION, TaskKind.TOKENS, TaskKind.LANGUAGE)


def in_pairs(objectives) -> pytest.MarkDecorator:
    """Every pair of kind, objective and filter; all three in every combination are slow."""
    return pytest.mark.parametrize(
        ("kind", "objective", "filter_"),
        [
            pytest.param(
                kind, objective, filter_, id=f"{kind}-{objective!r}-{name}",
                marks=() if KINDS[(i + j) % 3] is kind else pytest.mark.slow,
            )
            for kind in KINDS
            for i, objective in enumerate(objectives)
            for j, (name, filter_) in enumerate(FILTERS.items())
        ],
    )  # fmt: skip


@in_pairs(OUTPUTS)
def test_outputs_of_ragged_tokens(kind, objective, filter_) -> None:
    assert differs(tokens(kind), objective, filter_) < 1e-7


@in_pairs(LAYERS)
def test_layers_of_ragged_tokens(kind, objective, filter_) -> None:
    made = tokens(kind)
    if isinstance(objective, AttentionTransfer) and kind is not TaskKind.CLASSIFICATION:
        objective = objective + 0.1 * GoldLabels()
    assert differs(made, objective, filter_) < 1e-7


@pytest.mark.parametrize(
    ("objective", "filter_"),
    [
        pytest.param(
            objective, filter_, id=f"{objective!r}-{name}",
            # pairs that the tokens above have in another kind
            marks=() if (i + j) % 3 == 1 else pytest.mark.slow,
        )
        for i, objective in enumerate(OUTPUTS)
        for j, (name, filter_) in enumerate(FILTERS.items())
    ],
)  # fmt: skip
def test_classes_of_a_table(objective, filter_) -> None:
    assert differs(table(TaskKind.CLASSIFICATION), objective, filter_) < 1e-7


def test_parts_of_two_rows_too() -> None:
    objective = 0.6 * SoftTargets() + 0.4 * GoldLabels()
    for made in (tokens(TaskKind.LANGUAGE), table(TaskKind.CLASSIFICATION)):
        assert differs(made, objective, FILTERS["all"], (8,)) < 1e-7


@pytest.mark.parametrize("name", ["where right", "row weights", "all"])
@pytest.mark.parametrize("kind", [TaskKind.CLASSIFICATION, TaskKind.TOKENS, TaskKind.LANGUAGE])
def test_labels_on_the_rest(kind, name) -> None:
    objective = 0.5 * GoldLabels(rest=True) + 0.5 * SoftTargets()
    assert differs(tokens(kind), objective, FILTERS[name]) < 1e-7


@pytest.mark.parametrize("name", ["no filter", "row weights"])
@pytest.mark.parametrize(
    ("kind", "objective"),
    [
        (TaskKind.MULTILABEL, SoftTargets(2.0) + GoldLabels()),
        (TaskKind.MULTILABEL, JensenShannon() + TeacherLabels()),
        (TaskKind.REGRESSION, Logits() + GoldLabels()),
    ],
    ids=repr,
)
def test_labels_that_hold_together_and_numbers(kind, objective, name) -> None:
    assert differs(table(kind), objective, FILTERS[name]) < 1e-7


@pytest.mark.parametrize("name", ["no filter", "row weights", "where right"])
@pytest.mark.parametrize("kind", [TaskKind.CLASSIFICATION, TaskKind.MULTILABEL])
@pytest.mark.parametrize("objective", [GoldLabels(), GoldLabels(rest=True), DKD()], ids=repr)
def test_rows_without_a_label(kind, objective, name) -> None:
    made, task, teacher, student = table(kind)
    batch = made.fetch(range(ROWS))
    labels = batch.labels.clone()
    labels[torch.arange(ROWS) % 5 < 2] = -1
    if kind is TaskKind.MULTILABEL:
        labels[torch.arange(ROWS) % 7 == 0, 1] = -1
        if isinstance(objective, DKD):
            pytest.skip("of one class a row")
    if name == "no filter" and objective == GoldLabels(rest=True):
        pytest.skip("of what a filter leaves out")
    made = Samples.of((batch.inputs, labels)).aimed(task)
    assert differs((made, task, teacher, student), objective, FILTERS[name]) < 1e-7


@pytest.mark.parametrize("kind", [TaskKind.CLASSIFICATION, TaskKind.TOKENS])
def test_exits(kind) -> None:
    samples, task, _, student = tokens.__wrapped__(kind)  # of its own: exits are part of it
    batch = samples.fetch([0, 1]).inputs
    exits = Exits(student, {"words": "auto"}, batch, hint="middle").double()
    objective = exits.objective()
    assert len(objective.parts) == 4
    assert differs((samples, task, None, exits), objective) < 1e-7


@pytest.mark.parametrize(
    ("term", "why"),
    [
        (Relations({"0": "0"}), "compares the rows"),
        (Contrastive({"0": "0"}, width=4), "negatives"),
        (Interchange({"0": "0"}, part=slice(2)), "exchanges"),
        (DIST(), "correlates"),
        (DIST(intra=0), ""),
        (SoftTargets(), ""),
    ],
    ids=repr,
)
def test_losses_between_rows_say_that_they_see_one_part(term, why) -> None:
    assert why in term.between_rows
    assert bool(why) == bool(term.between_rows)
    assert (differs(table(TaskKind.CLASSIFICATION), term) > 1e-6) == bool(why)


@pytest.mark.parametrize(("parts", "rows"), [(2, 41), (8, 35), (4, 37)])
def test_batch_normalisation_never_sees_a_part_of_one_row(parts, rows) -> None:
    x = torch.randn(rows, 6, generator=torch.Generator().manual_seed(0))
    y, task = (x[:, 0] > 0).long(), Task.of("classification", 2)
    torch.manual_seed(0)
    student = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    settings = Training(2, 16, gradient_accumulation_steps=parts)
    found = train(student, Samples.of((x, y)).aimed(task), GoldLabels(), task, training=settings)
    assert found.steps == 6
    assert found.module[1].num_batches_tracked > 6


@pytest.mark.parametrize(
    ("filter_", "rows"),
    [
        pytest.param(
            filter_, rows, id=f"{name}-{rows}",
            # every filter and every number of rows is in some pair that is not slow
            marks=() if i % 3 == j else pytest.mark.slow,
        )
        for i, (name, filter_) in enumerate(FILTERS.items())
        for j, rows in enumerate([25, 19, 21])
    ],
)  # fmt: skip
def test_parts_of_different_size_are_the_same_update(filter_, rows) -> None:
    samples, task, teacher, student = tokens(TaskKind.TOKENS)
    made = samples.subset(range(rows)).aimed(task)
    if isinstance(filter_, RowWeights):
        filter_ = RowWeights(WEIGHTS[:rows])
    elif filter_ is not None and filter_ is FILTERS["all"]:
        filter_ = TeacherCorrect() & TeacherConfident(0.36) & RowWeights(WEIGHTS[:rows])
    objective = 0.6 * SoftTargets() + 0.4 * GoldLabels()
    assert differs((made, task, teacher, student), objective, filter_, (2, 4, 8)) < 1e-7

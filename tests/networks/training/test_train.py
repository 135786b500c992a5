from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.modules.batch import Step  # noqa: E402
from limbeck.networks import (  # noqa: E402
    Exits,
    GoldLabels,
    HiddenStates,
    Interchange,
    LinearSchedule,
    Logits,
    SoftTargets,
    TeacherConfident,
    TeacherCorrect,
)
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.filters import Filter  # noqa: E402
from limbeck.networks.losses.loss import Loss, Needs  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch

TASK = Task.of("classification", 3)
BOTH = 0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels()


def net(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 3)
    )


@pytest.fixture
def teacher() -> nn.Module:
    torch.manual_seed(1)
    return net(16)


@pytest.fixture
def table() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(90, 6, generator=generator)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def weights(module: nn.Module) -> list[torch.Tensor]:
    return list(module.state_dict().values())


def equal(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def by_hand(table, teacher, epochs, seed, gradient_accumulation_steps=1):
    """The loop that one would write: BOTH, SGD with momentum, batches of 32."""
    x, y = table
    torch.manual_seed(seed)
    student = net(8)
    teacher.eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9)
    losses = []
    student.train()
    for epoch in range(epochs):
        for rows in Samples.of(table).order(epoch, seed).split(32):
            with torch.no_grad():
                t = teacher(x[rows])
            s = student(x[rows])
            soft = F.kl_div(
                F.log_softmax(s / 4, -1), F.softmax(t / 4, -1), reduction="batchmean"
            ) * (4 * 4)
            loss = 0.9 * soft + 0.1 * F.cross_entropy(s, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return student.eval(), losses


SGD = Training(
    epochs=7,
    batch_size=32,
    optimizer="sgd",
    lr=0.05,
    weight_decay=0,
    schedule="constant",
    log_every=1,
)


def read(folder):
    lines = (folder / "metrics.csv").read_text().splitlines()
    names = lines[0].split(",")
    return [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]


def test_equal_to_a_loop_by_hand_bit_for_bit(table, teacher, tmp_path):
    student, losses = by_hand(table, teacher, epochs=7, seed=5)
    ours = train(
        lambda: net(8),
        Samples.of(table),
        BOTH,
        TASK,
        training=SGD,
        seed=5,
        teacher=teacher,
        folder=tmp_path,
    )
    assert len(losses) == 21
    assert [float(r["loss"]) for r in read(tmp_path)] == losses
    assert equal(ours.module, student)


def test_an_epoch_ends_with_a_row_of_metrics(table, tmp_path):
    run = train(nn.Linear(6, 3), Samples.of(table), GoldLabels(), TASK, folder=tmp_path,
                training=Training(2, 32, log_every=100), validation=Samples.of(table))  # fmt: skip
    rows = read(tmp_path)
    assert [(r["step"], r["epoch"]) for r in rows] == [("3", "0"), ("6", "1")]
    for row, told in zip(rows, run.history, strict=True):
        assert float(row["gradient_norm"]) > 0
        assert [float(row[k]) for k in ("loss", "lr", "validation")] == [
            told[k] for k in ("loss", "lr", "score")
        ]


def test_a_constant_rate_is_warmed_up_too(table):
    settings = Training(4, 90, lr=0.1, schedule="constant", warmup_ratio=0.5)
    run = train(nn.Linear(6, 3), Samples.of(table), GoldLabels(), TASK, training=settings)
    assert [row["lr"] for row in run.history] == pytest.approx([0.05, 0.1, 0.1, 0.1])


def test_weights_follow_their_schedule(table, tmp_path):
    train(nn.Linear(6, 3), Samples.of(table), LinearSchedule(1, 0) * GoldLabels(), TASK,
          training=Training(4, 90), folder=tmp_path)  # fmt: skip
    rows = read(tmp_path)
    assert [float(r["weight/GoldLabels"]) for r in rows] == [1, 0.75, 0.5, 0.25]
    for row in rows:
        expected = float(row["weight/GoldLabels"]) * float(row["GoldLabels"])
        assert float(row["loss"]) == pytest.approx(expected)


def test_the_same_seed_gives_the_same_student_and_another_seed_another(table, teacher):
    runs = [
        train(
            lambda: net(8),
            Samples.of(table),
            BOTH,
            TASK,
            training=Training(2, 32),
            seed=s,
            teacher=teacher,
        )
        for s in (0, 0, 1)
    ]
    assert equal(runs[0].module, runs[1].module)
    assert runs[0].history == runs[1].history
    assert not equal(runs[0].module, runs[2].module)


def test_nothing_of_the_user_is_changed(table, teacher):
    student = net(8)
    student[0].weight.requires_grad_(False)
    teacher.train()
    teacher[1].eval()
    before, taught = copy.deepcopy(student), copy.deepcopy(teacher)
    state = torch.get_rng_state()
    train(student, Samples.of(table), BOTH, TASK, training=Training(1, 32), teacher=teacher)
    assert torch.equal(state, torch.get_rng_state())
    assert equal(student, before)
    assert equal(teacher, taught)  # batch norm's statistics too
    assert [m.training for m in teacher] == [True, False, True, True, True]
    assert all(p.requires_grad and p.grad is None for p in teacher.parameters())
    assert not any(m._forward_hooks for m in (*teacher.modules(), *student.modules()))


@dataclass(frozen=True)
class Noting(Loss):
    """Cross entropy that notes what it is told of each step."""

    seen: list[Step] = field(default_factory=list)
    level: ClassVar[int] = 0

    @property
    def needs(self) -> Needs:
        return Needs(labels=True)

    def loss(self, step, maps):
        self.seen.append(step)
        return F.cross_entropy(step.student.logits, step.labels)


def test_a_term_is_told_rows_time_and_generator(table, teacher):
    term = Noting()
    train(nn.Linear(6, 3), Samples.of(table), term, TASK, training=Training(2, 32), seed=5)
    dry, *seen = term.seen  # the first is a look at two rows
    assert len(dry.index) == 2
    assert [s.done for s in seen] == [k / 6 for k in range(6)]
    orders = [rows for epoch in (0, 1) for rows in Samples.of(table).order(epoch, 5).split(32)]
    for step, rows in zip(seen, orders, strict=True):
        assert torch.equal(step.index, rows)
        assert torch.equal(step.inputs, table[0][rows])
        assert torch.equal(step.labels, table[1][rows])
    assert {s.generator.initial_seed() for s in term.seen} == {5}


class ByStudent(Filter):
    """Rows on which the student's logits are large."""

    needs = Needs()

    def describe(self):
        return "with large logits"

    def __call__(self, step):
        return step.student.logits.square().sum(-1)


def test_a_filter_is_no_way_to_lower_the_loss(table, teacher):
    term = Noting()
    train(nn.Linear(6, 3), Samples.of(table), term + Logits(), TASK, training=Training(1, 90),
          teacher=teacher, filter=ByStudent())  # fmt: skip
    _, step = term.seen  # the first is a look at two rows
    assert torch.equal(step.weight, step.student.logits.detach().square().sum(-1))
    assert not step.weight.requires_grad


class Shaky(torch.utils.data.Dataset):
    """Rows with an augmentation."""

    def __len__(self):
        return 20

    def __getitem__(self, i):
        return i + torch.randn(6), i % 3


@pytest.mark.parametrize(("views", "seen"), [(None, [0, 1, 2, 3]), (3, [0, 1, 2, 0])])
def test_each_epoch_sees_the_next_view(views, seen):
    term, samples = Noting(), Samples.of(Shaky())
    train(nn.Linear(6, 3), samples, term, TASK, training=Training(4, 20), seed=5, augment_seed=7,
          views=views)  # fmt: skip
    for step, view in zip(term.seen[1:], seen, strict=True):
        expected = samples.fetch(step.index, seed=7, view=view).inputs
        assert torch.equal(step.inputs, expected)


def test_labels_are_shaped_for_the_goal(table):
    (x, y), start = table, nn.Linear(6, 3)
    runs = [
        train(start, Samples.of((x, labels)), GoldLabels(), TASK, training=Training(1))
        for labels in (y, y.float()[:, None])
    ]
    assert equal(runs[0].module, runs[1].module)


class Watching(nn.Module):
    """Notes in which mode, and with or without gradients, it is called."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.seen = inner, []

    def __deepcopy__(self, memo):
        new = Watching(copy.deepcopy(self.inner, memo))
        new.seen = self.seen
        return new

    def forward(self, x):
        modes = {m.training for m in self.modules()}
        self.seen.append((modes, torch.is_grad_enabled(), len(x)))
        return self.inner(x)


def test_students_train_and_teachers_do_not_also_after_validation(table, teacher):
    student, taught = Watching(net(8)).eval(), Watching(teacher).train()
    train(
        student,
        Samples.of(table),
        BOTH,
        TASK,
        training=Training(3, 45),
        teacher=taught,
        validation=Samples.of((table[0][:7], table[1][:7])),
    )
    assert {(frozenset(m), g) for m, g, _ in taught.seen} == {(frozenset({False}), False)}
    training = [(m, g) for m, g, n in student.seen if n == 45]
    assert training == [({True}, True)] * 6
    scoring = [(m, g) for m, g, n in student.seen if n == 7]
    assert scoring == [({False}, False)] * 3


def test_batch_norm_of_the_student_is_moved_by_training_rows_only(table, teacher):
    x, y = table
    far = Samples.of((x + 1000, y))
    one, other = (
        train(
            lambda: net(8),
            Samples.of(table),
            BOTH,
            TASK,
            training=Training(1, 32),
            teacher=teacher,
            validation=v,
        )
        for v in (far, None)
    )
    assert torch.equal(one.module[1].running_mean, other.module[1].running_mean)


def test_parts_of_a_batch_add_up_to_the_batch(table, teacher):
    def plain() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))

    runs = [
        train(
            plain,
            Samples.of(table),
            BOTH,
            TASK,
            teacher=teacher,
            training=Training(3, 32, optimizer="sgd", lr=0.1, gradient_accumulation_steps=a),
        )
        for a in (1, 4)
    ]
    for a, b in zip(*(weights(r.module) for r in runs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    assert runs[0].steps == runs[1].steps == 9
    assert runs[0].history[-1]["loss"] == pytest.approx(runs[1].history[-1]["loss"], rel=1e-5)


def test_clipping_is_that_of_torch(table, teacher):
    max_grad_norm = 0.01
    ours = train(
        nn.Linear(6, 3),
        Samples.of(table),
        GoldLabels(),
        TASK,
        training=Training(
            1, 90, optimizer="sgd", lr=1.0, momentum=0, weight_decay=0, max_grad_norm=max_grad_norm
        ),
    )
    assert ours.steps == 1
    torch.manual_seed(0)
    start = nn.Linear(6, 3)
    made = train(
        start,
        Samples.of(table),
        GoldLabels(),
        TASK,
        training=Training(
            1, 90, optimizer="sgd", lr=1.0, momentum=0, weight_decay=0, max_grad_norm=max_grad_norm
        ),
    )
    moved = torch.cat(
        [
            (a - b).flatten()
            for a, b in zip(made.module.parameters(), start.parameters(), strict=True)
        ]
    )
    assert moved.norm().item() == pytest.approx(max_grad_norm, rel=1e-3)


def test_bf16_computes_in_half_precision_and_learns(table):
    samples = Samples.of(table)
    dtypes = []

    class Told(nn.Linear):
        def forward(self, x):
            out = super().forward(x)
            dtypes.append(out.dtype)
            return out

    start = nn.Sequential(Told(6, 16), nn.ReLU(), nn.Linear(16, 3))
    one = train(
        start, samples, GoldLabels(), TASK, training=Training(8, 32, lr=0.02, precision="bf16")
    )
    assert torch.bfloat16 in dtypes
    assert one.history[-1]["loss"] < 0.8 * one.history[0]["loss"]
    assert all(p.dtype == torch.float32 for p in one.module.parameters())
    assert "forward" not in vars(one.module)
    assert one.module(table[0]).dtype == torch.float32
    full = train(start, samples, GoldLabels(), TASK, training=Training(8, 32, lr=0.02))
    assert one.history[-1]["loss"] == pytest.approx(full.history[-1]["loss"], rel=0.05)


def test_learned_maps_are_trained_and_stay_outside(table, teacher):
    run = train(
        lambda: net(8),
        Samples.of(table),
        HiddenStates({"0": "0"}),
        TASK,
        training=Training(4, 32, lr=0.02),
        teacher=teacher,
    )
    assert sum(p.numel() for p in run.maps.parameters()) > 0
    assert set(run.module.state_dict()) == set(net(8).state_dict())
    again = train(
        lambda: net(8),
        Samples.of(table),
        HiddenStates({"0": "0"}),
        TASK,
        training=Training(1, 90, lr=0.0),
        teacher=teacher,
    )
    assert not equal(run.maps, again.maps)
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_the_best_epoch_of_validation_is_handed_over(table):
    x, y = table
    # Training labels are wrong: validation gets worse as the student learns them.
    start = nn.Linear(6, 3)
    with torch.no_grad():
        start.weight.zero_()
        start.weight[0, :2] = -1
        start.weight[2, :2] = 1
        start.bias.zero_()
    run = train(
        start,
        Samples.of((x, 2 - y)),
        GoldLabels(),
        TASK,
        training=Training(30, 30, lr=0.05, patience=3),
        validation=Samples.of((x, y)),
    )
    scores = [row["score"] for row in run.history]
    assert run.best_epoch == scores.index(max(scores))
    assert len(scores) == run.best_epoch + 4  # patience
    got = (run.module(x).argmax(1) == y).float().mean().item()
    assert got == pytest.approx(max(scores))


def test_labels_are_not_needed_to_learn_from_a_teacher(table, teacher):
    x, _ = table
    run = train(
        net(8),
        Samples.of(x),
        Logits(),
        TASK,
        training=Training(5, 32, lr=0.02),
        teacher=teacher,
        validation=Samples.of(x),
    )
    agreed = (run.module(x).argmax(1) == teacher.eval()(x).argmax(1)).float().mean().item()
    assert run.history[run.best_epoch]["score"] == pytest.approx(agreed)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"samples": "bare"}, "GoldLabels reads labels"),
        ({"teacher": None}, "SoftTargets needs a teacher"),
        ({"training": Training(patience=2)}, "patience is 2"),
        ({"teacher": "wide"}, r"The teacher returned shape \(2, 4\)"),
        ({"student": "wide"}, r"The student returned shape \(2, 4\)"),
        ({"student": "shared"}, "share the weight '0.weight'"),
        ({"student": "frozen"}, "no weights that may be trained"),
        ({"training": Training(precision="fp16")}, "fp16"),
        ({"training": Training(strategy="fsdp")}, "fsdp"),
        (
            {
                "training": Training(batch_size=30, gradient_accumulation_steps=15),
                "filter": TeacherConfident(1.0),
            },
            "no row",
        ),
        (
            {"teacher": None, "objective": GoldLabels(), "filter": TeacherCorrect()},
            "TeacherCorrect needs a teac",
        ),
    ],
)
def test_bad_input_is_refused(table, teacher, wrong, message):
    x, _ = table
    frozen = net(8).requires_grad_(False)
    named = {
        "bare": Samples.of(x),
        "wide": nn.Linear(6, 4),
        "shared": nn.Sequential(teacher[0], nn.Linear(16, 3)),
        "frozen": frozen,
    }
    given = {
        "student": net(8),
        "samples": Samples.of(table),
        "objective": BOTH,
        "task": TASK,
        "teacher": teacher,
        "training": Training(1, 32),
    }
    given |= {k: named.get(v, v) if isinstance(v, str) else v for k, v in wrong.items()}
    if given["student"] is named["shared"]:
        given["student"] = lambda: named["shared"]
    with pytest.raises(InvalidInput, match=message):
        train(**given)


def test_a_loss_that_is_no_number_stops_and_names_the_term(table, teacher, tmp_path):
    x, y = table

    class Breaking(nn.Linear):
        calls = 0

        def forward(self, z):
            Breaking.calls += self.training
            out = super().forward(z)
            return out * float("nan") if Breaking.calls == 5 else out

    samples = Samples.of((x, y))
    with pytest.raises(InvalidInput) as error:
        train(
            Breaking(6, 3),
            samples,
            BOTH,
            TASK,
            training=Training(3, 32),
            teacher=teacher,
            folder=tmp_path,
        )
    assert "SoftTargets and GoldLabels is nan in update 5, in epoch 2" in str(error.value)
    assert str(tmp_path) in error.value.remedy
    assert (tmp_path / "checkpoint.safetensors").exists()  # of epoch 1


def test_weights_that_are_no_numbers_are_not_kept(table, tmp_path):
    x, y = table
    with pytest.raises(InvalidInput, match="Weights are not finite after update 1, in epoch 1"):
        train(
            nn.Linear(6, 3),
            Samples.of((1000 * x, y)),
            GoldLabels(),
            TASK,
            training=Training(1, 90, optimizer="sgd", lr=3e38),
            folder=tmp_path,
        )
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_progress_is_told_to_the_end(table, teacher):
    told = []
    train(
        net(8),
        Samples.of(table),
        BOTH,
        TASK,
        training=Training(2, 32),
        teacher=teacher,
        progress=lambda *a: told.append(a),
    )
    assert told[-1] == ("training", 6, 6)
    assert [t[1] for t in told] == sorted(t[1] for t in told)


def test_interventions_run_both_networks_again(table, teacher):
    def plain(width: int) -> nn.Module:
        return nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, 3))

    torch.manual_seed(3)
    run = train(
        plain(16),
        Samples.of(table),
        Interchange({"1": "1"}),
        TASK,
        training=Training(30, 45, lr=0.02, schedule="constant"),
        teacher=plain(16),
    )
    assert run.history[-1]["loss"] < 0.5 * run.history[0]["loss"]
    assert run.steps == 60


def test_exits_learn_from_the_end(table):
    start = nn.Sequential(
        nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3)
    )
    student = Exits(start, {"1": "auto"}, table[0][:2])
    run = train(
        student, Samples.of(table), student.objective(), TASK, training=Training(20, 30, lr=0.01)
    )
    outputs = run.module.outputs(table[0])
    right = {k: (v.argmax(1) == table[1]).float().mean().item() for k, v in outputs.items()}
    assert min(right.values()) > 0.7, right

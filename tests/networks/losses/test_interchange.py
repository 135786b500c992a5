from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.modules.batch import Step, View  # noqa: E402
from limbeck.modules.capture import Capture, logits_of, run  # noqa: E402
from limbeck.networks.analysis.causal import causal_agreement  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.interchange import (  # noqa: E402
    Interchange,
    exchange,
    windows,
)
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.losses.probabilities import SoftTargets, soft_targets  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
CLASSES = Task.of("classification", 2)


def runner(net, names):
    def call(inputs, edits):
        with Capture(net, names) as capture, capture.editing(edits):
            logits = logits_of(run(net, inputs), "net")
            return View(logits, capture.take())

    return call


def step_of(teacher, student, x, pairs, *, task=CLASSES, seed=0, **more):
    run_teacher = runner(teacher, list(pairs))
    run_student = runner(student, list(pairs.values()))

    def frozen(inputs, edits):
        with torch.no_grad():
            return run_teacher(inputs, edits)

    return Step(
        x,
        None,
        run_student(x, {}),
        frozen(x, {}),
        task,
        generator=torch.Generator().manual_seed(seed),
        run_student=run_student,
        run_teacher=frozen,
        **more,
    )


def linear(first, second):
    """x -> second @ (first @ x), layers "0" and "1"."""
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor(first))
        net[1].weight.copy_(torch.tensor(second))
    return net


ONE = [[1.0, 0.0], [0.0, 1.0]]
TEACHER = linear([[2.0, 0.0], [0.0, 1.0]], ONE)
X = torch.tensor([[1.0, 0.0], [0.0, 3.0]], dtype=torch.float64)


def swap_seed():
    """A seed whose permutation of two rows exchanges them."""
    for seed in range(20):
        g = torch.Generator().manual_seed(seed)
        torch.randint(1, (), generator=g)
        if torch.randperm(2, generator=g).tolist() == [1, 0]:
            return seed
    raise AssertionError


def test_value_by_hand_on_linear_networks():
    # Teacher: hidden (2, 0) and (0, 3); with unit 0 exchanged: (0, 0) and (2, 3).
    # Student: hidden (1, 0) and (0, 3); with unit 0 exchanged: (0, 0) and (1, 3).
    student = linear(ONE, ONE)
    term = Interchange({"0": "0"}, "mse", part=slice(0, 1))
    loss = term.loss(step_of(TEACHER, student, X, {"0": "0"}, seed=swap_seed()), None)
    assert float(loss.detach()) == pytest.approx((0 + 0 + 1 + 0) / 4, abs=1e-15)

    p = 1 / (1 + math.exp(3 - 2))  # the teacher's first class in the second row: logits (2, 3)
    q = 1 / (1 + math.exp(3 - 1))
    kl = p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    term = Interchange({"0": "0"}, part=slice(0, 1))
    loss = term.loss(step_of(TEACHER, student, X, {"0": "0"}, seed=swap_seed()), None)
    assert float(loss.detach()) == pytest.approx(kl / 2, rel=1e-12)


def test_a_part_of_each_network():
    # The student keeps in unit 1 what the teacher keeps in unit 0.
    student = linear([[0.0, 1.0], [2.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
    same = Interchange({"0": "0"}, part=(slice(0, 1), slice(1, 2)))
    other = Interchange({"0": "0"}, part=slice(0, 1))
    seed = swap_seed()
    losses = [
        float(t.loss(step_of(TEACHER, student, X, {"0": "0"}, seed=seed), None).detach())
        for t in (same, other)
    ]
    assert abs(losses[0]) < 1e-15
    assert losses[1] > 0.1


def test_a_whole_layer_of_a_chain_is_the_sources_own_answer():
    student = linear([[1.0, 2.0], [0.5, 1.0]], [[1.0, 1.0], [0.0, 1.0]])
    step = step_of(TEACHER, student, X, {"0": "0"}, seed=swap_seed())
    ordinary = soft_targets(step.student.logits, step.teacher.logits)
    assert torch.allclose(Interchange({"0": "0"}).loss(step, None), ordinary, atol=1e-14)


@pytest.mark.parametrize("part", [None, slice(0, 1), slice(0, None, 2)])
def test_zero_where_the_student_equals_the_teacher(part):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2)).double()
    x = torch.randn(7, 3, dtype=torch.float64)
    step = step_of(net, net, x, {"1": "1"})
    assert abs(float(Interchange({"1": "1"}, part=part).loss(step, None).detach())) < 1e-15


@pytest.mark.parametrize("kind", ["kl", "ce", "mse"])
def test_gradients_flow_through_base_and_source(kind):
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    student = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    x = torch.randn(5, 3, dtype=torch.float64)
    names, values = zip(*student.named_parameters(), strict=True)

    class Bound(nn.Module):
        def __init__(self, given):
            super().__init__()
            self.given = dict(zip(names, given, strict=True))
            self.inner = student

        def forward(self, x):
            return torch.func.functional_call(self.inner, self.given, (x,))

    def loss(*given):
        return term.loss(step_of(teacher, Bound(given), x, {"1": "inner.1"}), None)

    term = Interchange({"1": "inner.1"}, kind, part=slice(1, 3), temperature=2.0)
    assert torch.autograd.gradcheck(loss, [v.detach().requires_grad_() for v in values])


def test_the_whole_gradient_is_that_of_source_alone_where_the_whole_layer_is_exchanged():
    student = linear(ONE, ONE)
    step = step_of(TEACHER, student, X, {"0": "0"}, seed=swap_seed())
    Interchange({"0": "0"}).loss(step, None).backward()
    assert student[0].weight.grad.abs().sum() > 0  # only the source's run reads this weight
    assert TEACHER[0].weight.grad is None


class Halves(nn.Module):
    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.hidden = nn.Sequential(nn.Linear(2, 8), nn.ReLU())
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.hidden(x))


class Tokens(nn.Module):
    """A mean over tokens of a layer, so that exchanged tokens add to the others."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3, bias=False).double()

    def forward(self, x, attention_mask=None):
        return self.layer(x).sum(1)


def test_only_tokens_of_base_and_source_are_exchanged():
    here = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]).bool()
    for at in (0.0, 0.5, 0.999):
        found = windows(here, 0.5, torch.full((3,), at))
        assert found.sum(1).tolist() == [2, 1, 2]  # half of 4, of 2, and of 3 (1.5, rounded)
        assert not (found & ~here).any()
    assert windows(here, 0.5, torch.zeros(3))[2].tolist() == [False, False, True, True, False]
    assert not windows(torch.zeros(1, 4).bool(), 0.5, torch.zeros(1)).any()
    every = torch.ones(1, 4).bool()
    assert windows(every, 0.1, torch.zeros(1)).tolist() == [[True, False, False, False]]  # one
    assert windows(every, 0.5, torch.tensor([0.999])).tolist() == [[False, False, True, True]]


def test_the_place_of_the_run_of_tokens_is_drawn():
    pairs, starts = {"layer": "layer"}, set()
    for seed in range(20):
        x = torch.randn(2, 6, 2, dtype=torch.float64)
        step = step_of(Tokens(), Tokens(), x, pairs, task=Task.of("regression", 3), seed=seed)
        edits, inner = [], step.run_teacher
        step.run_teacher = lambda x, e, inner=inner, edits=edits: edits.append(e) or inner(x, e)
        Interchange(pairs, "mse", share=0.5).loss(step, None)
        taken = edits[0]["layer"](torch.full((2, 6, 3), torch.nan)).isfinite().all(-1)  # (2, 6)
        assert taken.sum(1).tolist() == [3, 3]
        starts |= set(taken.int().argmax(1).tolist())
    assert starts == {0, 1, 2, 3}


def test_tokens_move_and_the_rest_stays():
    torch.manual_seed(0)
    teacher, student = Tokens(), Tokens()
    x = torch.randn(2, 4, 2, dtype=torch.float64)
    pairs = {"layer": "layer"}
    inputs = {"x": x, "attention_mask": torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])}
    step = step_of(teacher, student, inputs, pairs, task=Task.of("regression", 3), seed=swap_seed())
    loss = Interchange(pairs, "mse", share=1.0).loss(step, None)
    mixed = torch.stack(
        [torch.cat([x[1, :3], x[0, 3:]]), torch.cat([x[0, :3], x[1, 3:]])]
    )  # the first three tokens are those that both have
    expected = (teacher(mixed) - student(mixed)).square().mean()
    assert torch.allclose(loss, expected, atol=1e-14)


def test_channels_of_feature_maps():
    base, source = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    out = exchange(source, slice(1, 2), None, "maps")(base)
    assert out[:, 1].min() == 1
    assert out[:, [0, 2]].max() == 0


def test_row_weights_and_the_drawn_pair():
    student = linear(ONE, ONE)
    weight = torch.tensor([0.0, 1.0], dtype=torch.float64)
    step = step_of(TEACHER, student, X, {"0": "0"}, seed=swap_seed(), weight=weight)
    loss = Interchange({"0": "0"}, "mse", part=slice(0, 1)).loss(step, None)
    assert float(loss.detach()) == pytest.approx(0.5)  # the second row alone

    pairs = {"0": "0", "1": "1"}
    seen = set()
    for seed in range(20):
        step = step_of(TEACHER, student, X, pairs, seed=seed)
        asked = []
        inner = step.run_teacher
        step.run_teacher = lambda x, e, inner=inner, asked=asked: asked.extend(e) or inner(x, e)
        Interchange(pairs).loss(step, None)
        seen |= set(asked)
    assert seen == {"0", "1"}


def test_same_seed_same_loss():
    student = linear(ONE, [[1.0, 2.0], [0.0, 1.0]])
    x = torch.randn(9, 2, dtype=torch.float64)
    term = Interchange({"0": "0"}, part=slice(0, 1))
    first, second = (
        term.loss(step_of(TEACHER, student, x, {"0": "0"}, seed=3), None).item() for _ in range(2)
    )
    assert first == second


def test_what_it_refuses():
    with pytest.raises(InvalidInput, match="pairs of layers are"):
        Interchange({})
    with pytest.raises(InvalidInput, match="'kll'"):
        Interchange({"0": "0"}, "kll")
    with pytest.raises(InvalidInput, match="share"):
        Interchange({"0": "0"}, share=0)
    with pytest.raises(InvalidInput, match="temperature"):
        Interchange({"0": "0"}, temperature=0)
    with pytest.raises(InvalidInput, match="regression"):
        Interchange({"0": "0"}).check(Task.of("regression", 1))
    Interchange({"0": "0"}, "mse").check(Task.of("regression", 1))
    step = step_of(TEACHER, linear(ONE, ONE), X, {"0": "0"})
    with pytest.raises(InvalidInput, match="holds none of the 2 units"):
        Interchange({"0": "0"}, part=slice(5, 6)).loss(step, None)
    step.run_teacher = None
    with pytest.raises(InvalidInput, match="stored outputs"):
        Interchange({"0": "0"}).loss(step, None)


def test_layers_of_other_lengths_are_refused():
    teacher, student = Tokens(), Tokens()
    pairs = {"layer": "layer"}
    step = step_of(teacher, student, torch.randn(2, 4, 2).double(), pairs)
    short = runner(student, ["layer"])(torch.randn(2, 3, 2).double(), {})
    step.student = short
    with pytest.raises(InvalidInput, match=r"\(2, 4, 3\).*\(2, 3, 3\)"):
        Interchange(pairs).loss(step, None)


def test_settings_compare_and_are_frozen():
    assert Interchange({"0": "0"}) == Interchange({"0": "0"})
    assert Interchange({"0": "0"}).needs.runs
    assert Interchange({"a": "b"}).needs.teacher_layers == ("a",)
    assert Interchange({"a": "b"}).needs.student_layers == ("b",)
    with pytest.raises(AttributeError):
        Interchange({"0": "0"}).share = 0.5


def test_the_loop_teaches_counterfactual_behaviour():
    """The teacher keeps a in its first units and b in the others; so does the student afterwards.

    Answers alone do not fix where a student keeps what.
    """
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(256, 2, generator=draw)
    teacher = Halves(0).eval()
    with torch.no_grad():  # a + b > 0, from the positive and negative parts of a and of b
        for p in teacher.parameters():
            p.zero_()
        for unit in range(8):
            teacher.hidden[0].weight[unit, unit // 4] = (-1.0) ** unit
        teacher.out.weight[1] = torch.tensor([1.0, -1.0] * 4) * 2
    part = slice(0, 4)
    pairs = {"hidden": "hidden"}
    found = {}
    for name, objective in {
        "answers": Objective.of(SoftTargets()),
        "both": SoftTargets() + Interchange(pairs, part=part),
    }.items():
        trained = train(
            Halves(1), Samples.of(x), objective, CLASSES, teacher=teacher,
            training=Training(epochs=30, batch_size=64, lr=0.04),
        ).module  # fmt: skip
        fresh = torch.randn(400, 2, generator=torch.Generator().manual_seed(1))
        found[name] = causal_agreement(teacher, trained, fresh, pairs, part=part)
    for agreement in found.values():
        assert agreement.ordinary.share > 0.9
    after = {name: a.moved["hidden", "hidden"] for name, a in found.items()}
    assert after["both"].share > 0.85
    assert after["both"].interval[0] > after["answers"].interval[1]


def test_running_statistics_of_the_student_see_its_own_answers_alone():
    """With rate 0 the weights stay, and so the statistics are those of the batches as they are."""
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    student = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 2))
    x = torch.randn(24, 2) * 3
    training = Training(epochs=2, batch_size=8, lr=0.0)
    found = {}
    for name, objective in {
        "answers": Objective.of(SoftTargets()),
        "interchange": Objective.of(Interchange({"1": "1"}, part=slice(0, 2))),
    }.items():
        made = train(
            student, Samples.of(x), objective, CLASSES, teacher=teacher, training=training
        ).module
        found[name] = made[2]
    assert int(found["interchange"].num_batches_tracked) == 6
    assert torch.equal(found["interchange"].running_mean, found["answers"].running_mean)
    assert torch.equal(found["interchange"].running_var, found["answers"].running_var)

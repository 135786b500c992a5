from __future__ import annotations

import resource
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.answers import ScoreKind  # noqa: E402
from limbeck.core.contract import Access, Teacher  # noqa: E402
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.teachers.torch import TorchTeacher  # noqa: E402

pytestmark = pytest.mark.torch


def mlp(d=4, k=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(d, 5), nn.ReLU(), nn.Linear(5, k))


class Returns(nn.Module):
    """Runs a layer and hands its output to a function."""

    def __init__(self, shape, k=3):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, k)
        self.shape = shape

    def forward(self, x):
        return self.shape(self.layer(x))


@dataclass
class Output:
    loss: object
    logits: object


X = np.random.default_rng(0).normal(size=(11, 4)).astype(np.float32)


def plain(module, x=X):
    with torch.no_grad():
        return module(torch.as_tensor(x)).double().numpy()


def test_it_is_a_teacher_and_gives_the_modules_own_outputs():
    module = mlp()
    teacher = TorchTeacher(module, classes=["a", "b", "c"])
    assert isinstance(teacher, Teacher)
    assert teacher.task == Task(("a", "b", "c"))
    assert teacher.name == "Sequential"
    scores = teacher.scores(X)
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(scores, plain(module))
    assert teacher.score_kind is ScoreKind.LOGIT


@pytest.mark.parametrize(
    "shape",
    [
        lambda z: (z, None),
        lambda z: [z],
        lambda z: {"loss": None, "logits": z},
        lambda z: Output(None, z),
        lambda z: SimpleNamespace(logits=z),
        lambda z: ({"logits": z},),
        lambda z: z.to(torch.bfloat16).to(torch.float32).to(torch.float64),
    ],
)
def test_scores_are_found_in_what_modules_return(shape):
    teacher = TorchTeacher(Returns(shape), classes=3)
    assert teacher.scores(X).shape == (11, 3)
    assert teacher.scores(X[:1]).shape == (1, 3)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (lambda z: {"loss": z}, r"mapping|\['loss'\]"),
        (lambda z: "text", "returned a str"),
        (lambda z: [], "returned a list"),
        (lambda z: None, "NoneType"),
        (lambda z: z[:2], r"shape \(2, 3\)"),
        (lambda z: z.argmax(1), "torch.int64"),
        (lambda z: z[:, :, None], r"shape \(11, 3, 1\)"),
        (lambda z: z / 0, "finite number for row 0"),
    ],
)
def test_other_outputs_are_refused(shape, words):
    with pytest.raises(TeacherFailed, match=words):
        TorchTeacher(Returns(shape), classes=3).scores(X)


def test_a_squeezed_single_row_is_read():
    teacher = TorchTeacher(Returns(torch.squeeze), classes=3)
    np.testing.assert_allclose(teacher.scores(X[:1]), teacher.scores(X)[:1], atol=1e-6)
    one = TorchTeacher(Returns(torch.squeeze, 1), regression=True, batch_size=5)
    assert one.scores(X).shape == (11, 1)


def test_one_logit_becomes_two_columns():
    module = mlp(k=1)
    scores = TorchTeacher(module, classes=["no", "yes"], score_kind="logit").scores(X)
    np.testing.assert_array_equal(scores[:, 0], 0)
    np.testing.assert_array_equal(scores[:, 1:], plain(module))
    flat = nn.Sequential(module, nn.Flatten(0))
    again = TorchTeacher(flat, classes=["no", "yes"], score_kind="logit").scores(X)
    np.testing.assert_array_equal(again, scores)


def test_probabilities_are_recognised():
    many = TorchTeacher(nn.Sequential(mlp(), nn.Softmax(1)), classes=3)
    np.testing.assert_allclose(many.scores(X).sum(axis=1), 1, atol=1e-6)
    assert many.score_kind is ScoreKind.PROBABILITY
    one = TorchTeacher(nn.Sequential(mlp(k=1), nn.Sigmoid()), classes=[0, 1])
    np.testing.assert_allclose(one.scores(X).sum(axis=1), 1)
    assert one.score_kind is ScoreKind.PROBABILITY


@pytest.mark.parametrize(
    "shape",
    [
        torch.sigmoid,
        lambda z: torch.sigmoid(z)[:, 0],
        lambda z: torch.sigmoid(z).squeeze(1).clone().view(-1, 1),
        lambda z: torch.sigmoid(z - 9),  # all on one side
        lambda z: 1 / (1 + torch.exp(-z)),  # seen by no name: the values cross one half
    ],
)
def test_a_sigmoid_anywhere_at_the_end_is_recognised(shape):
    module = Returns(shape, k=1)
    for p in module.parameters():
        p.requires_grad_(False)
    teacher = TorchTeacher(module, classes=2)
    np.testing.assert_allclose(teacher.scores(X).sum(axis=1), 1)
    assert teacher.score_kind is ScoreKind.PROBABILITY
    assert "read as the probability of 1" in teacher.note
    assert not any(p.requires_grad for p in module.parameters())


def test_one_output_between_0_and_1_is_not_guessed():
    module = Returns(lambda z: 0.1 + 0.3 * torch.sigmoid(z), k=1)
    with pytest.raises(InvalidInput, match=r"all 11 rows.*score_kind='logit'"):
        TorchTeacher(module, classes=2).scores(X)
    teacher = TorchTeacher(module, classes=2, score_kind="probability")
    np.testing.assert_allclose(teacher.scores(X).sum(axis=1), 1)
    assert teacher.note == ""


def test_a_sigmoid_in_the_middle_makes_no_probabilities():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.turn = nn.Linear(4, 1)
            self.gate = nn.Sigmoid()  # registered last, and not at the end

        def forward(self, x):
            return 4 * self.gate(self.turn(x)) - 2

    teacher = TorchTeacher(Gated(), classes=2)
    teacher.scores(X)
    assert teacher.score_kind is ScoreKind.LOGIT


def test_logits_that_were_called_probabilities_are_refused():
    with pytest.raises(TeacherFailed, match="score_kind='logit'"):
        TorchTeacher(mlp(), classes=3, score_kind="probability").scores(X)


@pytest.mark.parametrize(
    ("options", "k", "words"),
    [
        ({}, 3, "Nothing says"),
        ({"classes": [1, 1]}, 2, "different classes"),
        ({"classes": ["a"]}, 1, "different classes"),
        ({"classes": 2, "regression": True}, 1, "regression=True alone"),
        ({"classes": 2, "score_kind": "label"}, 2, "'label'"),
        ({"classes": 2, "batch_size": 0}, 2, "batch_size"),
        ({"example": X}, 1, "one output"),
    ],
)
def test_unclear_settings_are_refused(options, k, words):
    with pytest.raises(InvalidInput, match=words):
        TorchTeacher(mlp(k=k), **options)


@pytest.mark.parametrize(
    ("options", "k"), [({"classes": 4}, 3), ({"classes": 3}, 1), ({"regression": True}, 2)]
)
def test_outputs_must_match_the_task(options, k):
    with pytest.raises(InvalidInput, match=f"{k} output|one output"):
        TorchTeacher(mlp(k=k), **options).scores(X)


def test_an_example_settles_the_task():
    teacher = TorchTeacher(nn.Sequential(mlp(), nn.Softmax(1)), example=X)
    assert teacher.task == Task((0, 1, 2))
    assert teacher.score_kind is ScoreKind.PROBABILITY


def test_regression_has_a_unit():
    teacher = TorchTeacher(mlp(k=1), unit="mm")
    assert teacher.task == Task(unit="mm")
    assert teacher.score_kind is ScoreKind.VALUE
    assert teacher.scores(X).shape == (11, 1)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 10, 11, 100])
def test_batches_make_no_difference(batch_size):
    whole = TorchTeacher(mlp(), classes=3)
    parts = TorchTeacher(mlp(), classes=3, batch_size=batch_size)
    np.testing.assert_allclose(parts.scores(X), whole.scores(X), atol=1e-6)
    np.testing.assert_allclose(parts.gradient(X, 1), whole.gradient(X, 1), atol=1e-6)
    a, b = parts.activations(X, ["1"]), whole.activations(X, ["1"])
    np.testing.assert_allclose(a["1"], b["1"], atol=1e-6)


def test_rows_may_be_frames_tensors_and_lists():
    teacher = TorchTeacher(mlp(), classes=3)
    wanted = teacher.scores(X)
    frame = pd.DataFrame(X, columns=list("abcd"))
    for rows in (frame, torch.tensor(X), X.astype(np.float64), X.tolist(), X[:, ::-1][:, ::-1]):
        np.testing.assert_allclose(teacher.scores(rows), wanted, atol=1e-6)
    mixed = pd.DataFrame({"a": [True, False], "b": [1, 2], "c": [0.5, 1.5], "d": [1.0, 0.0]})
    assert teacher.scores(mixed).shape == (2, 3)


def test_a_tensor_that_requires_grad_is_left_alone():
    rows = torch.tensor(X, requires_grad=True)
    teacher = TorchTeacher(mlp(), classes=3)
    teacher.scores(rows)
    teacher.gradient(rows, 0)
    assert rows.grad is None
    free = torch.tensor(X)
    teacher.gradient(free, 0)
    assert not free.requires_grad


def test_read_only_rows_are_taken_without_a_warning():
    rows = X.copy()
    rows.flags.writeable = False
    TorchTeacher(mlp(), classes=3).scores(rows)


def test_text_needs_preprocessing():
    frame = pd.DataFrame({"a": ["x", "y"]})
    with pytest.raises(InvalidInput, match="preprocess"):
        TorchTeacher(mlp(1), classes=3).scores(frame)
    teacher = TorchTeacher(mlp(1), classes=3, preprocess=lambda f: (f == "x").to_numpy())
    assert teacher.scores(frame).shape == (2, 3)
    assert Access.GRADIENTS not in teacher.access
    with pytest.raises(AccessDenied, match="preprocessed"):
        teacher.gradient(frame, 0)
    with pytest.raises(InvalidInput, match="made 1 rows of 2"):
        TorchTeacher(mlp(4), classes=3, preprocess=lambda f: X[:1]).scores(frame)


def test_missing_values_are_reported_by_row():
    rows = X.copy()
    rows[7, 2] = np.nan
    with pytest.raises(TeacherFailed, match="row 7"):
        TorchTeacher(mlp(), classes=3, batch_size=4).scores(rows)


def test_integers_go_to_embeddings_as_they_are():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(6, 3), nn.Flatten(), nn.Linear(6, 2))
    teacher = TorchTeacher(module, classes=2)
    rows = np.array([[0, 5], [2, 3]], dtype=np.int16)
    assert teacher.scores(rows).shape == (2, 2)
    assert Access.GRADIENTS not in teacher.access
    assert TorchTeacher(mlp(), classes=3).scores(rows.repeat(2, axis=1)).shape == (2, 3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_rows_take_the_dtype_of_the_parameters(dtype):
    assert TorchTeacher(mlp().to(dtype), classes=3).scores(X).shape == (11, 3)


def test_a_teacher_that_raises_midway_names_the_rows():
    class Fragile(nn.Module):
        def forward(self, x):
            if (x[:, 0] > 8).any():
                raise ValueError("too large")
            return x

    rows = np.arange(11.0)[:, None]
    with pytest.raises(TeacherFailed, match="ValueError on rows 8 to 10: too large") as caught:
        TorchTeacher(Fragile(), regression=True, batch_size=4).scores(rows)
    assert isinstance(caught.value.__cause__, ValueError)


class Half(nn.Module):
    """Dropout, batch normalisation and a part that its owner keeps in eval mode."""

    def __init__(self, fails=False):
        super().__init__()
        torch.manual_seed(0)
        self.frozen = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6))
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(6)
        self.head = nn.Linear(6, 3)
        self.fails = fails
        self.frozen.eval()

    def forward(self, x):
        z = self.head(self.norm(self.drop(torch.relu(self.frozen(x)))))
        if self.fails:
            raise RuntimeError("broken")
        return z


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_of_the_module_changes(fails):
    module = Half(fails)
    module.head.weight.requires_grad_(False)
    module.head.bias.grad = torch.ones(3)
    modes = [m.training for m in module.modules()]
    assert True in modes
    assert False in modes
    needs = [p.requires_grad for p in module.parameters()]
    state = {k: v.clone() for k, v in module.state_dict().items()}
    teacher = TorchTeacher(module, classes=3)
    for ask in (
        lambda: teacher.scores(X),
        lambda: teacher.activations(X, ["frozen.0", "norm"]),
        lambda: teacher.gradient(X, 2),
        lambda: teacher.layers(X),
    ):
        if fails:
            with pytest.raises(TeacherFailed, match="broken"):
                ask()
        else:
            ask()
        assert [m.training for m in module.modules()] == modes
        assert not any(m._forward_hooks for m in module.modules())
        assert [p.requires_grad for p in module.parameters()] == needs
    assert all(torch.equal(v, state[k]) for k, v in module.state_dict().items())
    assert torch.equal(module.head.bias.grad, torch.ones(3))
    assert module.frozen[0].weight.grad is None


def test_dropout_and_batch_norm_are_asked_in_eval_mode():
    teacher = TorchTeacher(Half(), classes=3)
    first = teacher.scores(X)
    np.testing.assert_array_equal(teacher.scores(X), first)
    np.testing.assert_allclose(teacher.scores(X[::-1])[::-1], first, atol=1e-6)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        return x + self.act(self.inner(x))


class Odd(nn.Module):
    """Registered in another order than run; one layer run twice, one never, one a tuple."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Linear(4, 3)
        self.lstm = nn.LSTM(4, 4, batch_first=True)
        self.act = nn.ReLU(inplace=True)
        self.block = Residual()
        self.first = nn.Linear(4, 4)
        self.unused = nn.Linear(4, 4)
        self.still = nn.Sequential(nn.Linear(4, 4))

    def forward(self, x):
        h = self.act(self.first(x))
        h = self.act(self.block(h) - 1)
        h = self.lstm(h[:, None])[0][:, 0]
        return self.head(self.still(h))


def test_layers_come_in_the_order_in_which_they_run():
    teacher = TorchTeacher(Odd(), classes=3)
    assert teacher.layers()[:2] == ("head", "lstm")  # registration, before any row is known
    teacher.scores(X)
    order = ("first", "act", "block.inner", "block.act", "block", "lstm", "still.0", "head")
    assert teacher.layers() == order
    assert TorchTeacher(Odd(), classes=3).layers(X) == order


def test_activations_are_the_layers_outputs():
    module = Odd()
    teacher = TorchTeacher(module, classes=3, batch_size=4)
    found = teacher.activations(X, ["first", "act", "block", "lstm", "head"])
    assert {name: a.shape for name, a in found.items()} == {
        "first": (11, 4), "act": (11, 8), "block": (11, 4), "lstm": (11, 4), "head": (11, 3),
    }  # fmt: skip
    assert all(a.dtype == np.float32 for a in found.values())
    first = plain(module.first)  # before the rectifier, although that works in place
    np.testing.assert_allclose(found["first"], first, atol=1e-6)
    np.testing.assert_allclose(found["act"][:, :4], np.maximum(first, 0), atol=1e-6)
    np.testing.assert_allclose(found["head"], teacher.scores(X), atol=1e-6)


def test_unknown_and_silent_layers_are_refused():
    teacher = TorchTeacher(Odd(), classes=3)
    with pytest.raises(InvalidInput, match=r"no layer 'blok.inner'. Did you mean 'block.inner'"):
        teacher.activations(X, ["blok.inner"])
    with pytest.raises(InvalidInput, match="'unused' returned no tensor"):
        teacher.activations(X, ["unused"])
    assert not any(m._forward_hooks for m in teacher.module.modules())


def test_a_layer_without_rows_first_is_refused():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = nn.Flatten(0)

        def forward(self, x):
            return self.mean(x).reshape(x.shape)

    with pytest.raises(InvalidInput, match=r"shape \(44,\) for 11 rows"):
        TorchTeacher(Last(), classes=4).activations(X, ["mean"])


def test_gradients_are_those_of_finite_differences():
    module = mlp().double()
    teacher = TorchTeacher(module, classes=3)
    for output in range(3):
        slope = teacher.gradient(X, output)
        assert slope.dtype == np.float64
        for j in range(4):
            step = np.zeros(4)
            step[j] = 1e-6
            up, down = teacher.scores(X + step), teacher.scores(X - step)
            np.testing.assert_allclose(slope[:, j], (up - down)[:, output] / 2e-6, atol=1e-6)


def test_gradients_of_one_logit_and_of_unused_inputs():
    teacher = TorchTeacher(mlp(k=1), classes=2, score_kind="logit")
    np.testing.assert_array_equal(teacher.gradient(X, 0), 0)
    assert np.abs(teacher.gradient(X, 1)).max() > 0
    constant = TorchTeacher(Returns(lambda z: torch.ones(len(z), 2)), classes=2)
    np.testing.assert_array_equal(constant.gradient(X, 0), 0)
    with pytest.raises(InvalidInput, match="no output 2"):
        teacher.gradient(X, 2)


def test_what_cannot_be_differentiated_is_the_teachers_failure():
    class Cut(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            return z.clone()

        @staticmethod
        def backward(ctx, g):
            raise RuntimeError("no way back")

    teacher = TorchTeacher(Returns(Cut.apply), classes=3)
    assert teacher.scores(X).shape == (11, 3)
    with pytest.raises(TeacherFailed, match="cannot be differentiated on rows 0 to 10: no way"):
        teacher.gradient(X, 0)


@pytest.mark.parametrize("recurrent", [True, False])
def test_recurrent_layers_are_differentiated_without_cudnn(recurrent, monkeypatch):
    """It refuses in eval mode: "cudnn RNN backward can only be called in training mode"."""
    seen = []

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = nn.GRU(4, 1, batch_first=True) if recurrent else nn.Linear(4, 1)

        def forward(self, x):
            seen.append((torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark))
            out = self.cells(x[:, None])
            return (out[0] if recurrent else out)[:, 0]

    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    teacher = TorchTeacher(Net(), regression=True)
    assert teacher.gradient(X, 0).any()
    assert seen == [(False, False) if recurrent else (True, True)]
    assert torch.backends.cudnn.enabled
    assert torch.backends.cudnn.benchmark


@pytest.mark.parametrize("k", [1, 2, 4])
def test_outputs_may_be_taken_as_they_are(k):
    module = mlp(k=k)
    module.train()
    teacher = TorchTeacher.of_outputs(module, X, batch_size=3)
    assert teacher.task == (Task() if k == 1 else Task(tuple(range(k))))
    np.testing.assert_allclose(teacher.scores(X), plain(module), atol=1e-6)
    assert teacher.batch_size == 3
    assert module.training


def test_probabilities_taken_as_they_are_stay_scores():
    teacher = TorchTeacher.of_outputs(nn.Sequential(mlp(), nn.Softmax(1)), X)
    assert teacher.score_kind is ScoreKind.LOGIT


@pytest.mark.parametrize("rows", [np.zeros(4), np.zeros((0, 4)), 3.0, []])
def test_rows_must_be_a_table(rows):
    with pytest.raises(InvalidInput, match="shape"):
        TorchTeacher(mlp(), classes=3).scores(rows)


def test_a_module_may_be_converted_after_the_teacher_was_made():
    teacher = TorchTeacher(mlp(), classes=3)
    before = teacher.scores(X)
    teacher.module.double()
    np.testing.assert_allclose(teacher.scores(X), before, atol=1e-6)


def test_layers_without_an_output_by_row_are_not_listed():
    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.turn = nn.Linear(4, 3)
            self.weight = nn.Identity()
            self.lstm = nn.LSTM(3, 3)

        def forward(self, x):
            z = self.turn(x) + self.weight(self.turn.bias)
            return self.lstm(z[None])[0][0]

    teacher = TorchTeacher(Turned(), classes=np.array(["a", "b", "c"]))
    assert teacher.task == Task(("a", "b", "c"))
    assert teacher.layers(X) == ("turn",)
    assert teacher.activations(X, teacher.layers())["turn"].shape == (11, 3)


def test_a_large_query_is_streamed():
    rows = np.zeros((60_000, 100), dtype=np.float32)  # 24 MB
    rows += 1
    wide = nn.Sequential(nn.Linear(100, 512), nn.ReLU(), nn.Linear(512, 2))
    teacher = TorchTeacher(wide, classes=2)
    teacher.scores(rows[:8192])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    teacher.scores(rows)
    teacher.activations(rows[:30_000], ["2"])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50_000  # kB; all hidden activations at once would be 120,000

from __future__ import annotations

import itertools

import numpy as np
import pytest

import limbeck
from limbeck.core.columns import Features
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.status import StatusCode
from limbeck.methods.relu_regions import ReluRegions

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from limbeck.teachers.torch import TorchTeacher  # noqa: E402


def rows(n=300, d=5):
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


def net(*widths, last=()):
    torch.manual_seed(0)
    parts = []
    for a, b in itertools.pairwise(widths):
        parts += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*parts[:-1], *last)


@pytest.mark.parametrize("kind", ["two logits", "one logit", "three", "value", "softmax"])
@pytest.mark.parametrize("into", ["oblique_tree", "tree"])
def test_the_student_is_the_network_everywhere(kind, into):
    outputs = {"two logits": 2, "three": 3, "softmax": 2}.get(kind, 1)
    module = net(5, 4, outputs, last=[nn.Softmax(dim=1)] if kind == "softmax" else ())
    y = None if kind == "value" else np.arange(300) % max(outputs, 2)
    given = {"regression": True} if kind == "value" else {"classes": list(range(max(outputs, 2)))}
    if kind == "one logit":
        given["score_kind"] = "logit"
    result = limbeck.distill(
        module, rows(), y, into=into, method="relu_regions", progress=False, **given
    )
    fresh = rows(20_000 if into == "tree" else 1000) * 3
    with torch.no_grad():
        said = module.double()(torch.tensor(fresh).double()).numpy()
    if kind == "value":
        np.testing.assert_allclose(result.student.predict(fresh), said[:, 0], rtol=1e-5, atol=1e-5)
    else:
        answers = said.argmax(axis=1) if said.shape[1] > 1 else (said[:, 0] > 0).astype(int)
        assert (result.student.predict(fresh) == answers).all()
    assert result.status.code is StatusCode.EXACT
    assert result.certificate.n > 0


def test_normalisation_is_folded_and_layers_without_relu_are_one():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(5, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 4),
        nn.Linear(4, 2),
    )  # fmt: skip
    module.train()(torch.tensor(rows()))
    module.eval()
    teacher = TorchTeacher(module, classes=[0, 1])
    table = Features.of(rows()).rows(rows())
    student = ReluRegions().distill(teacher, table, np.random.default_rng(0), quiet).student
    expected = module(torch.tensor(rows())).detach().numpy()
    np.testing.assert_allclose(student.outputs(rows()), expected, atol=1e-5)


class Twice(nn.Module):
    """More than its layers."""

    def __init__(self):
        super().__init__()
        self.inner = net(5, 3, 2)

    def forward(self, x):
        return self.inner(x) * 2 + x[:, :2]


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (Twice(), "does more"),
        (nn.Sequential(nn.Linear(5, 3), nn.Tanh(), nn.Linear(3, 2)), "Tanh"),
        (nn.Sequential(nn.Linear(5, 2), nn.ReLU()), "end in a linear"),
        (net(5, 8, 8, 2), "max_regions"),
    ],
)
def test_what_is_no_small_relu_network_is_refused(module, said):
    teacher = TorchTeacher(module.eval(), classes=[0, 1])
    table = Features.of(rows()).rows(rows())
    with pytest.raises(InvalidInput, match=said):
        ReluRegions(max_regions=20).distill(teacher, table, np.random.default_rng(0), quiet)


def test_a_teacher_without_weights_or_with_preprocess_is_refused():
    y = np.arange(300) % 2
    with pytest.raises(AccessDenied, match="weights"):
        limbeck.distill(lambda X: X[:, 0] > 0, rows(), y, into="oblique_tree", progress=False)
    with pytest.raises(InvalidInput, match="first layer"):
        limbeck.distill(
            net(5, 3, 2), rows(), y, into="oblique_tree", preprocess=lambda X: X, progress=False
        )
    with pytest.raises(InvalidInput):
        ReluRegions(max_regions=0)

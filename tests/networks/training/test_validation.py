from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.modules.runner import Network  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.training.engine import Engine  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.validation import Validation  # noqa: E402

pytestmark = pytest.mark.torch
generator = torch.Generator().manual_seed(0)
X = torch.randn(23, 4, generator=generator)
IDS = torch.randint(0, 6, (11, 5), generator=generator)


class Words(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.table = nn.Embedding(6, outputs)

    def forward(self, input_ids, attention_mask=None):
        return self.table(input_ids)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def score(samples, task, student, teacher=None):
    with Engine.started(Training(), torch.device("cpu")) as engine:
        network = None if teacher is None else Network(teacher, None, "The teacher", torch.no_grad)
        rows = Samples.of(samples).aimed(task)
        validation = Validation(rows, task, 4, engine, network)
        asked = []
        if teacher is not None:
            teacher.register_forward_hook(lambda *_: asked.append(1))
        student.train()
        first = validation(student)
        assert all(m.training for m in student.modules())
        assert validation(student) == first
        assert len(asked) in (0, -(-len(rows) // 4))  # answers of the teacher are kept
        return first.score


def losses(samples, task, student):
    """The student's loss, and that of the best constant answer."""
    with Engine.started(Training(), torch.device("cpu")) as engine:
        validation = Validation(Samples.of(samples).aimed(task), task, 4, engine, None)
        return validation(student).loss, validation.constant


def test_losses_are_those_of_torch_and_of_the_best_constant():
    """Entropy of the labels, or their variance: what a student that learned nothing reaches."""
    student, y = nn.Linear(4, 3), torch.randint(0, 3, (23,))
    loss, constant = losses((X, y), Task.of("classification", 3), student)
    assert loss == pytest.approx(F.cross_entropy(student(X), y).item(), rel=1e-5)
    shares = torch.bincount(y) / 23
    assert constant == pytest.approx(F.cross_entropy(shares.log().expand(23, 3), y).item())

    y = torch.randint(0, 2, (23, 3))
    loss, constant = losses((X, y), Task.of("multilabel", 3), student)
    want = F.binary_cross_entropy_with_logits(student(X), y.float())
    assert loss == pytest.approx(want.item(), rel=1e-5)
    shares = y.float().mean(0).expand(23, 3)
    assert constant == pytest.approx(F.binary_cross_entropy(shares, y.float()).item())

    y = torch.randn(23, 3)
    loss, constant = losses((X, y), Task.of("regression", 3), student)
    assert loss == pytest.approx(F.mse_loss(student(X), y).item(), rel=1e-5)
    assert constant == pytest.approx(F.mse_loss(y.mean(0).expand(23, 3), y).item(), rel=1e-5)

    words = Words(6)
    loss, constant = losses({"input_ids": IDS, "labels": IDS}, Task.of("language", 6), words)
    told = words(IDS)[:, :-1].flatten(0, 1), IDS[:, 1:].flatten()
    assert loss == pytest.approx(F.cross_entropy(*told).item(), rel=1e-5)
    shares = torch.bincount(told[1]) / len(told[1])
    assert constant == pytest.approx(
        F.cross_entropy(shares.log().expand(len(told[1]), -1), told[1]).item()
    )


def test_classes():
    student, y = nn.Linear(4, 3), torch.randint(0, 3, (23,))
    want = (student(X).argmax(1) == y).float().mean().item()
    assert score((X, y), Task.of("classification", 3), student) == pytest.approx(want)


def test_labels():
    student, y = nn.Linear(4, 3), torch.randint(0, 2, (23, 3))
    want = ((student(X) > 0) == y.bool()).float().mean().item()
    assert score((X, y), Task.of("multilabel", 3), student) == pytest.approx(want)


def test_numbers():
    student, y = nn.Linear(4, 2), torch.randn(23, 2)
    want = -F.mse_loss(student(X), y).item()
    assert score((X, y), Task.of("regression", 2), student) == pytest.approx(want, rel=1e-5)


def test_tokens_and_language_leave_out_what_does_not_count():
    labels = IDS.clone()
    labels[:, 3:] = -100
    student = Words(6)
    logits = student(IDS)
    right = (logits.argmax(-1) == IDS)[:, :3].float().mean().item()
    data = {"input_ids": IDS, "labels": labels}
    assert score(data, Task.of("tokens", 6), student) == pytest.approx(right)
    entropy = F.cross_entropy(logits[:, :2].flatten(0, 1), IDS[:, 1:3].flatten())
    assert score(data, Task.of("language", 6), student) == pytest.approx(-entropy.item(), rel=1e-5)


@pytest.mark.parametrize("kind", list(TaskKind))
def test_without_labels_agreement_with_the_teacher(kind):
    sequential = kind in (TaskKind.TOKENS, TaskKind.LANGUAGE)
    student, teacher = (Words(6), Words(6)) if sequential else (nn.Linear(4, 6), nn.Linear(4, 6))
    x = {"input_ids": IDS} if sequential else X
    s, t = (student(IDS), teacher(IDS)) if sequential else (student(X), teacher(X))
    if kind is TaskKind.LANGUAGE:
        s, t = s[:, :-1], t[:, :-1]
    if kind is TaskKind.REGRESSION:
        want = -F.mse_loss(s, t).item()
    elif kind is TaskKind.MULTILABEL:
        want = ((s > 0) == (t > 0)).float().mean().item()
    else:
        want = (s.argmax(-1) == t.argmax(-1)).float().mean().item()
    assert score(x, Task.of(kind, 6), student, teacher) == pytest.approx(want, rel=1e-5)


def test_neither_labels_nor_a_teacher():
    with pytest.raises(InvalidInput, match="no labels"):
        score(X, Task.of("classification", 3), nn.Linear(4, 3))

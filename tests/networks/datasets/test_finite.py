"""Numbers that are none are told by row and column, and not blamed on the learning rate."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput, LimbeckError, TeacherFailed  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import Logits, ReverseKL, SoftTargets, TeacherCache  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.datasets.finite import check_inputs  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
TASK = Task.of("classification", 3)


class Bad(nn.Module):
    """A teacher that answers a value to rows with a large first number, in output 1."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value, self.inner = value, nn.Linear(4, 3)

    def forward(self, x):
        z = self.inner(x).clone()
        z[x[:, 0] > 50, 1] = self.value
        return z


class Items(torch.utils.data.Dataset):
    """Rows one by one, which are not read before they are met."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


@pytest.fixture
def table():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(200, 4, generator=generator)
    return x, (x[:, 0] > 0).long()


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_inputs_are_refused_before_work_by_row_and_column(table, value) -> None:
    x, y = table
    x[17, 2] = x[171, 0] = value
    with pytest.raises(InvalidInput, match=rf"not finite.*row (17|171) has {value} in column [20]"):
        limbeck.distill(small(), x, y, into=small(), epochs=1, timing=False)
    samples = Samples.of((x, y)).subset(torch.arange(150, 200))  # places are those of the data
    with pytest.raises(InvalidInput, match=rf"One of the test rows .* row 171 has {value} in col"):
        check_inputs(samples, "test", {"student": small()})
    check_inputs(Samples.of((x, y)).subset(torch.arange(18, 100)), "training", {"s": small()})


def test_networks_that_fill_them_in_are_left_to_it(table) -> None:
    class Filling(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 3)

        def forward(self, x):
            return self.inner(x.nan_to_num())

    x, y = table
    x[17, 2] = float("nan")
    check_inputs(Samples.of((x, y)), "training", {"student": Filling()})


@pytest.mark.parametrize("eager", [True, False])
def test_inputs_of_data_sets_are_told_when_they_are_met(table, eager, monkeypatch) -> None:
    if not eager:  # as on a GPU, where losses are read later
        from limbeck.networks.training import trainer as session

        ledger = session.Ledger
        monkeypatch.setattr(session, "Ledger", lambda names, _, *rest: ledger(names, False, *rest))
    x, y = table
    x[17, 2] = float("nan")
    samples = Samples.of(Items(x, y)).subset(torch.arange(10, 200))
    with pytest.raises(InvalidInput, match=r"loss of Soft.*row 17 has nan in column 2") as e:
        train(small(), samples, SoftTargets(), TASK, teacher=small(), training=Training(2, 32))
    assert "lr" not in str(e.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_teachers_answers_are_told(table, value) -> None:
    x, y = table
    x[33, 0] = 99.0
    with pytest.raises(InvalidInput, match=rf"teacher's answers .*row 33 has {value} in output 1"):
        train(small(), Samples.of((x, y)), SoftTargets(), TASK, teacher=Bad(value),
              training=Training(1, 64))  # fmt: skip


@pytest.mark.parametrize("term", [Logits(), ReverseKL()], ids=repr)
def test_outputs_that_the_teacher_rules_out_are_told(table, term) -> None:
    x, y = table
    x[33, 0] = 99.0
    samples = Samples.of((x, y))
    with pytest.raises(InvalidInput, match=r"rules out .*row 33 has -inf in output 1.*SoftTargets"):
        train(small(), samples, term, TASK, teacher=Bad(float("-inf")), training=Training(1, 64))
    run = train(small(), samples, SoftTargets(), TASK, teacher=Bad(float("-inf")),
                training=Training(1, 64))  # fmt: skip
    assert run.steps == 4


def test_a_learning_rate_is_blamed_where_all_else_is_in_order(table) -> None:
    x, y = table
    with pytest.raises(InvalidInput, match="Lower lr"):
        train(small(), Samples.of((x, y)), Logits(), TASK, teacher=small(),
              training=Training(20, 64, optimizer="sgd", lr=1e9))  # fmt: skip


def test_a_cache_and_a_certificate_are_not_made_of_what_is_no_number(table, tmp_path) -> None:
    x, y = table
    x[33, 0] = 99.0
    samples = Samples.of((x, y)).subset(torch.arange(20, 60))
    with pytest.raises(TeacherFailed, match="row 33 has nan in output 1"):
        TeacherCache(tmp_path).fill(Bad(float("nan")), samples)
    with pytest.raises(LimbeckError, match="has nan in output 1"):
        limbeck.distill(Bad(float("nan")), x[:100], into=small(), epochs=1, timing=False,
                        test=x[20:60].clone() * 1.01)  # fmt: skip

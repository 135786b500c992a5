from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import BornAgain, GoldLabels, HiddenStates, SoftTargets  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.datasets.seeding import mixed  # noqa: E402
from limbeck.networks.strategies.together import train_together  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
TASK = Task.of("classification", 3)
BOTH = SoftTargets(temperature=2) + GoldLabels()
SGD = Training(2, 20, optimizer="sgd", lr=0.2, momentum=0, weight_decay=0, schedule="constant")


def net(width: int = 8) -> nn.Module:
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 3))


def table():
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def weights(module: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.mark.parametrize("taught", [False, True])
def test_students_that_teach_each_other_against_a_loop_by_hand(taught):
    x, y = table()
    torch.manual_seed(1)
    teacher = net(16) if taught else None
    starts = [net(), net(5), net(6)]
    got = train_together(
        starts, Samples.of((x, y)), BOTH, TASK, training=SGD, seed=4, teacher=teacher
    )
    optimizers = [torch.optim.SGD(s.parameters(), lr=0.2) for s in starts]
    for epoch in range(2):
        for rows in Samples.of((x, y)).order(epoch, 4).split(20):
            logits = [s(x[rows]) for s in starts]
            answers = [z.detach().softmax(-1) for z in logits]
            if teacher is not None:
                answers.append(teacher(x[rows]).detach().softmax(-1))
            for i, (z, optimizer) in enumerate(zip(logits, optimizers, strict=True)):
                others = [a for j, a in enumerate(answers) if j != i]
                peers = torch.stack(others).mean(0)
                soft = F.softmax(peers.log() / 2, -1)
                kl = (soft * (soft.log() - F.log_softmax(z / 2, -1))).sum(-1).mean() * 4
                optimizer.zero_grad()
                (kl + F.cross_entropy(z, y[rows])).backward()
                optimizer.step()
    for trained, start in zip(got, starts, strict=True):
        torch.testing.assert_close(weights(trained.module), weights(start), rtol=1e-4, atol=1e-5)


def test_two_students_write_and_go_on_in_one_folder(tmp_path):
    samples = Samples.of(table())
    runs = [
        train_together([net, net], samples, BOTH, TASK, training=SGD, folder=folder)
        for folder in (None, tmp_path, tmp_path)
    ]
    assert (tmp_path / "student_1" / "metrics.csv").exists()
    for i in range(2):
        first = weights(runs[0][i].module)
        assert all(torch.equal(weights(r[i].module), first) for r in runs)
    assert not torch.equal(weights(runs[0][0].module), weights(runs[0][1].module))


def test_each_student_is_scored_by_its_own_answers():
    x, y = table()
    torch.manual_seed(1)
    got = train_together(
        [net(), net(5)], Samples.of((x, y)), BOTH, TASK, training=SGD, validation=Samples.of((x, y))
    )
    scores = [trained.history[trained.best_epoch]["score"] for trained in got]
    shares = [(t.module(x).argmax(1) == y).float().mean().item() for t in got]
    assert scores == pytest.approx(shares)
    assert scores[0] != scores[1]


class Still(nn.Module):
    """A student that cannot learn."""

    def __init__(self):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return 0 * self.idle.expand(len(x), 1)


def test_training_stops_when_no_student_gets_better_any_more():
    x, _ = table()
    rows, numbers = Samples.of((x, x[:, :1])), Task.of("regression", 1)
    settings = Training(6, 20, optimizer="sgd", lr=0.02, weight_decay=0, patience=1)
    got = train_together(
        [nn.Linear(4, 1), Still()], rows, GoldLabels(), numbers, training=settings, validation=rows
    )
    assert [len(trained.history) for trained in got] == [6, 6]
    assert [trained.best_epoch for trained in got] == [5, 0]


def test_generations_teach_the_next():
    samples = Samples.of(table())
    got = BornAgain(3).run(net, samples, BOTH, TASK, training=SGD, seed=7)
    seeds = [mixed(7, 2) >> 32, mixed(7, 1) >> 32, 7]  # the last has the seed of the control
    zero = train(net, samples, GoldLabels(), TASK, training=SGD, seed=seeds[0])
    one = train(net, samples, BOTH, TASK, training=SGD, seed=seeds[1], teacher=zero.module)
    two = train(net, samples, BOTH, TASK, training=SGD, seed=seeds[2], teacher=one.module)
    for mine, theirs in zip(got, (zero, one, two), strict=True):
        assert torch.equal(weights(mine.module), weights(theirs.module))


def test_bad_input_is_refused():
    samples = Samples.of(table())
    with pytest.raises(InvalidInput, match="1 students are to teach each other"):
        train_together([net], samples, BOTH, TASK)
    with pytest.raises(InvalidInput, match="students that teach each other share only"):
        train_together([net, net], samples, HiddenStates({"0": "0"}), TASK)
    with pytest.raises(InvalidInput, match="generations is 0"):
        BornAgain(0)
    with pytest.raises(InvalidInput, match="without a teacher"):
        BornAgain(2).run(net, samples, SoftTargets(temperature=2), TASK)

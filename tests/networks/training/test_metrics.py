"""Metrics of one's own see every validation row once, with its label."""

from __future__ import annotations

import csv

import pytest

torch = pytest.importorskip("torch")
from sklearn.metrics import f1_score, roc_auc_score  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import GoldLabels, Training  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.training.metrics import check_metrics, metric_values  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
X = torch.randn(70, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] + 0.3 * X[:, 1] > 0.4).long()


def f1(outputs, labels):
    return f1_score(labels, outputs.argmax(-1))


def auc(outputs, labels):
    return roc_auc_score(labels, outputs.softmax(-1)[:, 1])


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 2))


def run(folder=None, metrics=None, validation=(X[40:], Y[40:]), epochs=3):
    return train(
        net, Samples.of((X[:40], Y[:40])), GoldLabels(), Task.of("classification", 2),
        folder=folder, training=Training(epochs=epochs, batch_size=8, metrics=metrics),
        validation=None if validation is None else Samples.of(validation),
    )  # fmt: skip


def test_metrics_are_those_of_scikit_learn_on_the_student(tmp_path):
    trained = run(tmp_path, {"f1": f1, "auc": auc})
    with torch.no_grad():
        outputs = trained.module(X[40:])
    row = trained.history[trained.best_epoch]
    assert row["auc"] == pytest.approx(auc(outputs, Y[40:]), abs=1e-12)
    assert row["f1"] == pytest.approx(f1(outputs, Y[40:]), abs=1e-12)
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [r["auc"] for r in rows if r["validation"]] == [str(r["auc"]) for r in trained.history]


def test_metrics_change_no_loss_and_may_be_added_to_a_training_that_goes_on(tmp_path):
    def draws(outputs, labels):
        return torch.rand(1)

    plain, with_metric = run(), run(metrics={"draws": draws})
    for own, other in zip(plain.history, with_metric.history, strict=True):
        assert own == {k: v for k, v in other.items() if k != "draws"}
    run(tmp_path)
    assert run(tmp_path, {"draws": draws}).history == plain.history  # finished; not refused


def test_rows_without_a_label_are_left_out():
    labels = Y[40:].clone()
    labels[::3] = -1
    seen = []

    def count(outputs, found):
        seen.append((len(outputs), found.tolist()))
        return len(found)

    trained = run(metrics={"count": count}, validation=(X[40:], labels), epochs=1)
    known = labels[labels >= 0].tolist()
    assert seen == [(len(known), known)] * 2  # before training, and after the epoch
    assert trained.history[0]["count"] == len(known)


def test_tokens_that_are_padded_are_left_out():
    ids = torch.randint(0, 6, (10, 5), generator=torch.Generator().manual_seed(1))
    labels = ids % 2
    labels[:, 3:] = -100

    def shape(outputs, found):
        assert tuple(outputs.shape) == (30, 2)
        return (found == ids[:, :3].reshape(-1) % 2).float().mean()

    trained = train(
        nn.Embedding(6, 2), Samples.of((ids, labels)), GoldLabels(), Task.of("tokens", 2),
        training=Training(epochs=1, batch_size=5, metrics={"same": shape}),
        validation=Samples.of((ids, labels)),
    )  # fmt: skip
    assert trained.history[0]["same"] == 1.0


def test_a_metric_that_fails_is_named_before_anything_is_trained(monkeypatch):
    from limbeck.networks.training.training_step import Learner

    monkeypatch.setattr(Learner, "update", None)  # an update would be a TypeError

    def wrong(outputs, labels):
        return outputs @ labels

    with pytest.raises(InvalidInput, match=r"metric 'wrong' raised .* outputs of shape \(30, 2\)"):
        run(metrics={"wrong": wrong})
    with pytest.raises(InvalidInput, match="'many' returned a Tensor, not one number"):
        run(metrics={"many": lambda outputs, labels: outputs})
    with pytest.raises(InvalidInput, match="metrics names f1, and there are no validation rows"):
        run(metrics={"f1": f1}, validation=None)
    with pytest.raises(InvalidInput, match="'GoldLabels' is a loss of the objective"):
        run(metrics={"GoldLabels": f1})


def test_what_is_not_a_finite_number_is_none():
    values = metric_values(
        {"nan": lambda o, y: float("nan"), "one": lambda o, y: torch.tensor(1)},
        torch.zeros(2, 2), torch.zeros(2),
    )  # fmt: skip
    assert values == {"nan": None, "one": 1.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([f1], "metrics is a list"),
        ({"loss": f1}, "'loss' is a column of every training"),
        ({"f1": 0.5}, "The metric 'f1' is a float"),
        ({"": f1}, "has no name"),
    ],
)
def test_what_is_no_metric_is_refused(given, message):
    with pytest.raises(InvalidInput, match=message):
        check_metrics(given)

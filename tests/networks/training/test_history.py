from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.training.checkpoint import NAME  # noqa: E402
from limbeck.networks.training.history import History, Ledger  # noqa: E402
from limbeck.networks.training.validation import Scored  # noqa: E402

pytestmark = pytest.mark.torch


def test_the_first_of_the_best_scores_keeps_its_weights():
    record, weight = History(), torch.zeros(2)
    for epoch, score in enumerate([0.1, 0.5, 0.5, 0.4]):
        weight.fill_(epoch)
        scored = Scored(score, 1.0)
        record.add(epoch, 10 * epoch, {"loss": 1.0}, 0.1, scored, lambda: {"w": weight})
    assert record.best_epoch == 1
    assert torch.equal(record.best["w"], torch.ones(2))
    other = History()
    other.restore(record.state())
    other.add(4, 40, {"loss": 1.0}, 0.1, Scored(0.45, 0.1), lambda: {"w": weight})
    assert other.best_epoch == 1
    assert [row["score"] for row in other.history] == [0.1, 0.5, 0.5, 0.4, 0.45]


def test_of_equal_scores_the_smaller_validation_loss_is_better():
    """Accuracy of few rows is the same in many epochs, the first of which are untrained."""
    record, losses = History(), [0.9, 0.5, 0.4, 0.6, 0.3]
    for epoch, (score, loss) in enumerate(zip([0.5, 1.0, 1.0, 1.0, 0.9], losses, strict=True)):
        record.add(epoch, epoch, {}, 0.1, Scored(score, loss), dict)
    assert record.best_epoch == 2
    assert [row["validation_loss"] for row in record.history] == losses


def test_without_scores_the_last_epoch_counts_and_no_weights_are_kept():
    record = History()
    for epoch in range(3):
        record.add(epoch, epoch, {}, 0.1, None, dict)
    assert (record.best_epoch, record.best) == (2, None)


def ledger(eager: bool) -> Ledger:
    return Ledger(["a", "b"], eager, lambda x: x, updates=10)


def add(to: Ledger, step: int, a: float, b: float, last: bool = True) -> None:
    losses = {"a": torch.tensor(a), "b": torch.tensor(b)}
    to.add(step, last, losses, losses["a"] + 2 * losses["b"])


@pytest.mark.parametrize("eager", [True, False])
def test_means_of_windows_and_epochs_over_updates_in_parts(eager):
    book = ledger(eager)
    add(book, 0, 1.0, 2.0)
    add(book, 1, 0.75, 1.0, last=False)
    add(book, 1, 5.25, 6.0)
    assert book.window() == {"a": 3.5, "b": 4.5, "loss": 12.5}
    add(book, 2, 2.0, 0.0)
    assert book.window() == {"a": 2.0, "b": 0.0, "loss": 2.0}
    assert book.epoch() == {"a": 3.0, "b": 3.0, "loss": 9.0}


def test_losses_are_means_over_processes():
    """Another process has six times the loss of this one."""
    book = Ledger(["a", "b"], False, lambda here: (here + 6 * here) / 2, updates=10)
    add(book, 0, 0.5, 1.0)
    assert book.window() == {"a": 1.75, "b": 3.5, "loss": 8.75}


@pytest.mark.parametrize("eager", [True, False])
def test_what_is_pending_is_in_the_state(eager):
    book, other = ledger(eager), ledger(eager)
    add(book, 0, 1.0, 2.0)
    other.restore(book.state())
    for one in (book, other):
        add(one, 1, 3.0, 4.0)
    assert book.epoch() == other.epoch() == {"a": 2.0, "b": 3.0, "loss": 8.0}


def test_eager_stops_at_once_and_otherwise_at_the_next_reading():
    with pytest.raises(InvalidInput, match="loss of b is inf in update 13, in epoch 2"):
        add(ledger(True), 12, 1.0, float("inf"))
    book = ledger(False)
    add(book, 11, 1.0, 1.0)
    add(book, 12, float("nan"), 1.0)
    add(book, 13, float("nan"), float("nan"))
    with pytest.raises(InvalidInput, match="loss of a is nan in update 13, in epoch 2"):
        book.settle()


def test_a_checkpoint_is_named_where_there_is_one(tmp_path):
    book = Ledger(["a", "b"], True, lambda x: x, 10, tmp_path)
    with pytest.raises(InvalidInput, match=r"that term reads\.$"):
        add(book, 0, float("nan"), 1.0)
    (tmp_path / NAME).touch()
    with pytest.raises(InvalidInput, match="The last good checkpoint is in"):
        add(book, 11, float("nan"), 1.0)

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.training.history import Record  # noqa: E402
from limbeck.networks.training.validation import Scored  # noqa: E402

pytestmark = pytest.mark.torch


def test_the_first_of_the_best_scores_keeps_its_weights():
    record, weight = Record(), torch.zeros(2)
    for epoch, score in enumerate([0.1, 0.5, 0.5, 0.4]):
        weight.fill_(epoch)
        scored = Scored(score, 1.0)
        record.add(epoch, 10 * epoch, {"loss": 1.0}, 0.1, scored, lambda: {"w": weight})
    assert record.best_epoch == 1
    assert torch.equal(record.best["w"], torch.ones(2))
    other = Record()
    other.restore(record.state())
    other.add(4, 40, {"loss": 1.0}, 0.1, Scored(0.45, 0.1), lambda: {"w": weight})
    assert other.best_epoch == 1
    assert [row["score"] for row in other.history] == [0.1, 0.5, 0.5, 0.4, 0.45]


def test_of_equal_scores_the_smaller_validation_loss_is_better():
    """Accuracy of few rows is the same in many epochs, the first of which are untrained."""
    record, losses = Record(), [0.9, 0.5, 0.4, 0.6, 0.3]
    for epoch, (score, loss) in enumerate(zip([0.5, 1.0, 1.0, 1.0, 0.9], losses, strict=True)):
        record.add(epoch, epoch, {}, 0.1, Scored(score, loss), dict)
    assert record.best_epoch == 2
    assert [row["validation_loss"] for row in record.history] == losses


def test_without_scores_the_last_epoch_counts_and_no_weights_are_kept():
    record = Record()
    for epoch in range(3):
        record.add(epoch, epoch, {}, 0.1, None, dict)
    assert (record.best_epoch, record.best) == (2, None)

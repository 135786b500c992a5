"""What networks say of rows they never saw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, r2_score
from torch import Tensor, nn

from limbeck.core.task import Task
from limbeck.evaluation.intervals import mean_over
from limbeck.evaluation.networks import (
    Said,
    agreement,
    ask,
    by_true_class,
    gaps,
    mistakes,
    right,
)
from limbeck.modules.batch import IGNORED
from limbeck.networks.datasets.data import Samples

CLASSES = Task.of("classification", 3)


class Table(nn.Module):
    """Answers the row that its input names."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)
        self.drop = nn.Dropout(0.9)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.logits[x[:, 0].long()])


def said(answers: list[int], labels: list[int] | None, sure: list[float] | None = None) -> Said:
    n = len(answers)
    return Said(
        np.array(answers),
        np.ones(n) if sure is None else np.array(sure),
        None if labels is None else np.array(labels),
        np.arange(n),
        CLASSES,
    )


def asked(logits: Tensor, labels: Tensor | None, task: Task, size: int = 2) -> Said:
    rows = torch.arange(len(logits)).float()[:, None]
    samples = Samples.of(rows, labels).aimed(task)
    net = Table(logits).train()
    found = ask(net, samples.batches(range(len(samples)), size), task)
    assert net.training
    assert net.drop.training
    return found


def test_classes_are_asked_in_eval_mode_over_batches() -> None:
    torch.manual_seed(0)
    logits, y = torch.randn(7, 3), torch.randint(0, 3, (7,))
    found = asked(logits, y, CLASSES)
    np.testing.assert_array_equal(found.answers, logits.argmax(1))
    np.testing.assert_allclose(found.confidence, logits.softmax(1).max(1).values, rtol=1e-6)
    assert right(found).mean() == accuracy_score(y, logits.argmax(1))


def test_numbers_score_what_adds_up_to_r_squared() -> None:
    torch.manual_seed(0)
    z, y = torch.randn(9, 1), torch.randn(9, 1)
    found = asked(z, y, Task.of("regression", 1))
    assert right(found).mean() == pytest.approx(r2_score(y, z), rel=1e-5)


def test_tokens_that_do_not_count_are_left_out() -> None:
    logits = torch.zeros(2, 3, 2)
    logits[:, :, 1] = 1.0  # says 1 everywhere
    y = torch.tensor([[1, 0, IGNORED], [1, IGNORED, IGNORED]])
    found = asked(logits, y, Task.of("tokens", 2), size=1)
    assert found.row.tolist() == [0, 0, 1]
    assert right(found).tolist() == [0.5, 1.0]


def test_language_answers_the_next_token() -> None:
    tokens = torch.tensor([[0, 1, 2, 0]])
    logits = nn.functional.one_hot(torch.tensor([[1, 2, 1, 0]]), 3).float()
    found = asked(logits, tokens, Task.of("language", 3))
    assert found.answers.tolist() == [1, 2, 1]
    assert right(found).tolist() == pytest.approx([2 / 3])


def test_labels_that_hold_together_count_one_by_one() -> None:
    found = asked(
        torch.tensor([[1.0, -1.0], [2.0, 2.0]]),
        torch.tensor([[1, 1], [1, 1]]),
        Task.of("multilabel", 2),
    )
    assert right(found).tolist() == [0.5, 1.0]
    assert found.confidence[0] == pytest.approx(1 / (1 + np.exp(-1)))


def test_gaps_are_accuracy_less_confidence_by_bins() -> None:
    # two bins: 0.95 sure and half right, 0.55 sure and all right
    found = said([0, 0, 1, 1], [0, 2, 1, 1], [0.95, 0.95, 0.55, 0.55])
    expected = np.zeros(15)
    expected[[14, 8]] = -0.5 * 0.45, 0.5 * 0.45
    np.testing.assert_allclose(gaps(found), expected)
    assert gaps(found, np.array([1, 0, 0, 0])).sum() == pytest.approx(0.05)


def test_a_calibrated_network_has_little_error() -> None:
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 20_000)
    correct = rng.random(20_000) < sure
    found = Said(np.zeros(20_000), sure, np.where(correct, 0, 1), np.arange(20_000), CLASSES)
    assert np.abs(gaps(found)).sum() < 0.02


def test_mistakes_are_told_apart_and_add_up() -> None:
    teacher = said([0, 1, 2, 0], None)
    student = said([0, 1, 0, 1], [0, 2, 2, 2])
    found = mistakes(student, teacher)
    assert (found.inherited, found.own, found.other) == (0.25, 0.25, 0.25)
    assert mistakes(said([0], None), said([0], None)) is None


def test_by_class_counts_by_the_true_class() -> None:
    found = by_true_class(said([0, 1, 1], [0, 0, 1]), said([0, 0, 1], None))
    assert found == {
        0: {"places": 2, "accuracy": 0.5, "agreement": 0.5},
        1: {"places": 1, "accuracy": 1.0, "agreement": 1.0},
    }


def test_agreement_is_with_the_answers_of_the_teacher() -> None:
    assert agreement(said([0, 1], None), said([0, 2], None)).tolist() == [1.0, 0.0]


def test_rows_without_a_place_that_counts_are_left_out() -> None:
    answers, row = np.array([1, 1, 0]), np.array([0, 0, 2])  # nothing counts in row 1
    tokens = Said(answers, np.ones(3), np.array([1, 0, 0]), row, Task.of("tokens", 2))
    np.testing.assert_allclose(right(tokens), [0.5, 1.0])


def test_several_numbers_are_scored_one_by_one() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(30, 2)) * [1, 10] + [0, 500]
    told = truth + rng.normal(size=(30, 2)) * [0.5, 9]
    task = Task.of("regression", 2)
    found = Said(told.ravel(), np.ones(60), truth.ravel(), np.arange(30).repeat(2), task)
    scores = right(found)
    assert scores is not None
    assert scores.shape == (30,)
    assert scores.mean() == pytest.approx(r2_score(truth, told))


def test_a_vocabulary_is_no_list_of_classes() -> None:
    words = Said(np.array([1]), np.ones(1), np.array([1]), np.zeros(1, int), Task.of("language", 9))
    assert by_true_class(words, words) == {}


def test_intervals_of_r_squared_cover_over_rows() -> None:
    """Numbers with variance 1 and an error apart from them with variance 0.25: R squared is 0.75.

    Scores 1 - e^2 / V, which take V for known, cover in 83% of all runs.
    """
    rng, hits, runs = np.random.default_rng(0), 0, 400
    for _ in range(runs):
        labels = rng.normal(size=200)
        answers = labels + 0.5 * rng.normal(size=200)
        one = Said(answers, np.ones(200), labels, np.arange(200), Task.of("regression", 1))
        score = right(one)
        assert score is not None
        assert score.mean() == pytest.approx(r2_score(labels, answers))
        found = mean_over(score[None], 0.05)
        hits += found.low <= 0.75 <= found.high
    assert hits / runs > 0.95 - 3 * (0.05 * 0.95 / runs) ** 0.5


def test_places_without_a_label_are_told() -> None:
    labels = torch.tensor([[0.0, float("nan")], [1.0, 0.0]])
    found = asked(torch.tensor([[0.0, 1.0], [2.0, -1.0]]), labels, Task.of("multilabel", 2))
    assert found.known is not None
    assert found.known.tolist() == [True, False, True, True]
    assert found.answers.tolist() == [0, 1, 1, 0]  # even odds are no
    assert asked(torch.zeros(2, 2), torch.zeros(2, 2), Task.of("multilabel", 2)).known is None


def test_constant_labels_are_explained_by_right_answers_alone() -> None:
    values = np.array([1.0, 1.0, 3.0])
    task = Task.of("regression", 1)
    found = right(Said(values, np.ones(3), np.ones(3), np.arange(3), task))
    assert found is not None
    assert found.tolist() == [1.0, 1.0, 0.0]


def test_reliability_adds_up_to_accuracy_and_to_the_calibration_error() -> None:
    import numpy as np

    from limbeck.core.task import Task, TaskKind
    from limbeck.evaluation.networks import Said, gaps, reliability

    rng = np.random.default_rng(0)
    task = Task(kind=TaskKind.CLASSIFICATION, outputs=2, classes=(0, 1))
    answers, labels = rng.integers(2, size=(2, 300))
    known = rng.random(300) < 0.8
    said = Said(answers, rng.uniform(0.5, 1, 300), labels, np.arange(300), task, known)
    sure, right, share = np.array(reliability([said])).T
    assert share.sum() == pytest.approx(1)
    assert (right * share).sum() == pytest.approx((answers == labels)[known].mean())
    error = np.abs(gaps(said)).sum()
    assert (np.abs(right - sure) * share).sum() == pytest.approx(error)
    assert np.allclose(reliability([said, said]), reliability([said]))

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import IGNORED, Step, View
from limbeck.networks import GoldLabels, Logits, RowWeights, TeacherConfident, TeacherCorrect

GENERATOR = torch.Generator().manual_seed(5)


def step(
    teacher: Tensor,
    labels: Tensor | None = None,
    kind: TaskKind = TaskKind.CLASSIFICATION,
    **more: object,
) -> Step:
    view = View(teacher)
    return Step(None, labels, view, view, Task.of(kind, teacher.shape[-1]), **more)  # type: ignore[arg-type]


def test_where_right_by_hand() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 5.0, 2.0]])
    assert TeacherCorrect()(step(logits, torch.tensor([0, 1, 1]))).tolist() == [1, 0, 1]
    several = torch.tensor([[1, 1, 1], [0, 1, 1], [1, 1, 1]])
    # a logit of 0 is a probability of 1/2, which says no
    assert TeacherCorrect()(step(logits, several, TaskKind.MULTILABEL)).tolist() == [1, 1, 0]


def test_where_sure_is_numpys() -> None:
    logits = 2 * torch.randn(40, 3, generator=GENERATOR)
    z = logits.numpy()
    for threshold in (0.5, 0.9):
        sure = TeacherConfident(threshold)
        assert sure(step(logits)).tolist() == (softmax(z, 1).max(1) >= threshold).tolist()
        p = expit(z)
        expected = (np.maximum(p, 1 - p) >= threshold).all(1)
        assert sure(step(logits, kind=TaskKind.MULTILABEL)).tolist() == expected.tolist()
    assert TeacherConfident(0.5)(step(torch.zeros(1, 2))).tolist() == [1]  # at least


def test_tokens_and_language() -> None:
    logits = torch.log(torch.tensor([[[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]]))
    labels = torch.tensor([[0, IGNORED, 0]])
    assert TeacherCorrect()(step(logits, labels, TaskKind.TOKENS)).tolist() == [[1, 0, 0]]
    assert TeacherConfident(0.7)(step(logits, None, TaskKind.TOKENS)).tolist() == [[1, 0, 1]]
    # places 0 and 1 predict tokens 1 and 2
    labels = torch.tensor([[1, 0, 0]])
    assert TeacherCorrect()(step(logits, labels, TaskKind.LANGUAGE)).tolist() == [[0, 1, 0]]
    assert TeacherConfident(0.7)(step(logits, None, TaskKind.LANGUAGE)).tolist() == [[0, 1, 0]]


def test_in_language_the_weights_meet_the_places_they_judge() -> None:
    teacher = torch.randn(2, 5, 4, generator=GENERATOR)
    labels = torch.randint(4, (2, 5), generator=GENERATOR)
    labels[:, 1] = teacher[:, 0].argmax(-1)
    now = step(teacher, labels, TaskKind.LANGUAGE)
    now.weight = TeacherCorrect()(now)
    aligned = now.aligned
    assert aligned.teacher is not None
    assert aligned.labels is not None
    right = aligned.teacher.argmax(-1) == aligned.labels
    assert aligned.weight is not None
    assert aligned.weight.tolist() == right.double().tolist()
    assert right.any()
    assert not right.all()


def test_row_weights_follow_the_samples_through_a_shuffle() -> None:
    weights = RowWeights(np.array([0.0, 1.0, 2.5, 0.5]))
    found = weights(step(torch.zeros(3, 2), index=torch.tensor([2, 0, 3])))
    assert found.tolist() == [2.5, 0, 0.5]
    again = weights(step(torch.zeros(2, 2), index=torch.tensor([1, 1])))
    assert again.tolist() == [1, 1]


def test_row_weights_are_a_copy_that_can_be_told_apart() -> None:
    given = np.ones(5000, dtype=np.float32)
    first = RowWeights(given)
    given[2500] = 3.0
    assert first(step(torch.zeros(1, 2), index=torch.tensor([2500]))).tolist() == [1]
    assert repr(first) == repr(RowWeights([1.0] * 5000))
    assert repr(first) != repr(RowWeights(given))
    assert repr(RowWeights(given)) in repr(TeacherCorrect() & RowWeights(given))


def test_filters_combine_by_product() -> None:
    logits = torch.tensor([[3.0, 0.0], [0.1, 0.0], [3.0, 0.0]])
    labels, index = torch.tensor([0, 0, 1]), torch.tensor([1, 2, 0])
    both = TeacherCorrect() & TeacherConfident(0.9)
    assert both(step(logits, labels)).tolist() == [1, 0, 0]
    three = both & RowWeights([5.0, 7.0, 9.0])
    assert three(step(logits, labels, index=index)).tolist() == [7, 0, 0]
    assert both.needs.labels
    assert both.needs.teacher
    assert (RowWeights([1.0]) & TeacherCorrect()).needs.labels
    assert not RowWeights([1.0]).needs.teacher
    with pytest.raises(TypeError):
        both & 3


def test_a_weight_a_row_meets_a_weight_a_token() -> None:
    logits, labels = torch.zeros(2, 3, 2), torch.tensor([[0, 1, 0], [0, 0, 1]])
    now = step(logits, labels, TaskKind.TOKENS, index=torch.tensor([0, 1]))
    rows, right = RowWeights([2.0, 3.0]), TeacherCorrect()
    expected = [[2, 0, 2], [3, 3, 0]]
    assert (rows & right)(now).tolist() == expected
    assert (right & rows)(now).tolist() == expected


def test_each_row_has_one_source() -> None:
    """The logits of right answers only, plain training on the rest."""
    teacher = torch.tensor([[3.0, 0.0], [3.0, 0.0], [0.0, 2.0]])
    student, labels = torch.randn(3, 2, generator=GENERATOR), torch.tensor([0, 1, 1])
    now = Step(None, labels, View(student), View(teacher), Task.of("classification", 2))
    now.weight = TeacherCorrect()(now)
    objective = Logits() + GoldLabels(rest=True)
    losses = objective.losses(now, objective.maps(now))
    right = ((student - teacher)[[0, 2]] ** 2).mean()
    torch.testing.assert_close(losses["Logits"], right)
    expected = torch.nn.functional.cross_entropy(student[1:2], labels[1:2])
    torch.testing.assert_close(losses["GoldLabels"], expected)


def test_an_empty_filter_can_say_so() -> None:
    both = TeacherCorrect() & TeacherConfident(0.99)
    assert not both(step(torch.zeros(4, 2), torch.ones(4).long())).any()
    error = both.nothing_passed()
    assert isinstance(error, InvalidInput)
    assert "where the teacher is right and where the teacher's probability" in error.problem
    assert "at least 0.99" in error.problem
    assert "2 of 3" in RowWeights([0.0, 1.0, 2.0]).describe()


def test_what_makes_no_sense_is_refused() -> None:
    numbers = Task.of("regression", 1)
    for filter_ in (
        TeacherCorrect(),
        TeacherConfident(0.9),
        RowWeights([1.0, 1.0]) & TeacherCorrect(),
    ):
        with pytest.raises(InvalidInput, match="regression"):
            filter_.check(numbers, 2)
    RowWeights([1.0, 1.0]).check(numbers, 2)
    TeacherConfident(1.0).check(Task.of("language", 9), 2)
    with pytest.raises(InvalidInput, match="2 weights and 3 samples"):
        (TeacherCorrect() & RowWeights([1.0, 1.0])).check(Task.of("classification", 2), 3)
    with pytest.raises(InvalidInput, match="2 weights and 1 samples"):
        RowWeights([1.0, 1.0]).check(Task.of("classification", 2), 1)
    for bad in ([-1.0, 1.0], [float("nan"), 1.0], [0.0, 0.0], [[1.0]], 1.0):
        with pytest.raises(InvalidInput, match="weights"):
            RowWeights(bad)
    for threshold in (0, 1.5, float("nan")):
        with pytest.raises(InvalidInput, match="threshold"):
            TeacherConfident(threshold)


def test_weights_of_rows_need_no_teacher() -> None:
    view = View(torch.zeros(2, 3))
    own = Step(None, None, view, None, Task.of("classification", 3), index=torch.tensor([2, 0]))
    assert RowWeights([1.0, 0.0, 2.0])(own).tolist() == [2, 1]
    with pytest.raises(TypeError):
        RowWeights([1.0], {})  # type: ignore[call-arg]

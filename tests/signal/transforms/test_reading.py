from __future__ import annotations

import numpy as np
import pytest
import torch

from limbeck.core.errors import TeacherFailed
from limbeck.signal.transforms import Components, Fourier
from limbeck.signal.transforms.reading import TransformedTeacher, batches
from limbeck.teachers import CallableTeacher
from limbeck.teachers.torch import TorchTeacher


def reading(teacher, transform, X, outputs):
    _, x, s, residual = next(batches(transform, X, len(X)))
    return (
        TransformedTeacher(teacher, transform, lambda rows: rows, np.asarray(outputs), residual),
        x,
        s,
    )


def test_batches_are_rows_in_order_with_what_the_inverse_loses():
    X = np.random.default_rng(0).normal(size=(5, 4))
    transform = Components(2).fit(X)
    found = list(batches(transform, X, 2))
    assert [part for part, *_ in found] == [slice(0, 2), slice(2, 4), slice(4, 5)]
    for part, x, s, residual in found:
        np.testing.assert_array_equal(x, X[part])
        np.testing.assert_allclose(transform.inverse(s) + residual, X[part])
        assert s.shape[1] == 2


def test_each_row_is_read_at_its_own_output():
    X = np.eye(3)
    net = torch.nn.Linear(3, 2, bias=False).double()
    teacher = TorchTeacher(net, classes=2, score_kind="logit")
    transform = Fourier(1).fit(X)
    read, x, s = reading(teacher, transform, X, [1, 0, 1])
    expected = transform.forward(net.weight.detach()[[1, 0, 1]]).numpy()
    np.testing.assert_allclose(read.slope(s, x), expected, atol=1e-12)
    np.testing.assert_allclose(read.mean_slope(s, 3), expected, atol=1e-12)  # linear
    widths = np.full(3, 0.1)
    np.testing.assert_allclose(read.differences(s, widths, 4), expected, atol=1e-9)


def test_differences_ask_two_questions_a_coefficient_and_keep_to_the_batch():
    X = np.random.default_rng(0).normal(size=(2, 6))
    asked = []

    def model(rows):
        asked.append(len(rows))
        return (rows**2).sum(axis=1)

    read, _, s = reading(CallableTeacher(model), Fourier().fit(X), X, [0, 0])
    found = read.differences(s, np.full(6, 1e-3), 9)
    np.testing.assert_allclose(found, 2 * s.numpy(), atol=1e-8)  # the norm of an orthogonal s
    assert sum(asked) == 2 * 6 * 2
    assert max(asked) <= 9


def test_what_fails_says_that_scores_would_do():
    class Broken(TorchTeacher):
        def gradient(self, X, output):
            raise TeacherFailed("It broke.", "Mend it.")

    X = np.ones((1, 2))
    teacher = Broken(torch.nn.Linear(2, 1).double(), regression=True)
    read, x, s = reading(teacher, Fourier().fit(X), X, [0])
    with pytest.raises(TeacherFailed, match=r'It broke. Mend it.*attribution="differences"'):
        read.slope(s, x)

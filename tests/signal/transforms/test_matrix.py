from __future__ import annotations

import numpy as np
import torch

from limbeck.signal.transforms.matrix import MatrixTransform


class Halves(MatrixTransform):
    """Sum and difference of two inputs, a channel at a time."""

    def _learn(self, rows):
        self.centre = np.array([1.0, 0.0])
        self.forth = np.array([[1.0, 1.0], [1.0, -1.0]])
        self.back = self.forth / 2
        channels = rows.shape[1:-1]
        return [("sum", (*channels, 1)), ("difference", (*channels, 1))]


def test_channels_are_transformed_apart_and_bands_hold_all_channels():
    X = np.array([[[3.0, 1.0], [5.0, 2.0]]])
    transform = Halves().fit(X)
    x = torch.from_numpy(X)
    s = transform.forward(x)
    np.testing.assert_array_equal(s, [[3, 6, 1, 2]])  # (2, 1) and (4, 2) after the centre
    torch.testing.assert_close(transform.inverse(s), x)


def test_rows_without_channels():
    transform = Halves().fit([[3.0, 1.0]])
    s = transform.forward(torch.tensor([[3.0, 1.0]]))
    np.testing.assert_array_equal(s, [[3, 1]])
    np.testing.assert_array_equal(transform.inverse(s), [[3, 1]])

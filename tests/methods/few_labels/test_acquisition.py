from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from limbeck.methods.few_labels.acquisition import next_batch, uncertainty


def test_doubt_is_one_less_the_margin_of_the_first_two():
    soft = np.array([[0.4, 0.35, 0.25], [0.05, 0.9, 0.05]])
    np.testing.assert_allclose(uncertainty(soft), [0.95, 0.15])


def test_the_most_doubtful_come_first_and_copies_of_them_last():
    same = np.zeros((6, 4))
    same[:3, 0] = 1.0  # three equal texts of most doubt
    same[3, 1] = same[4, 2] = same[5, 3] = 1.0
    doubt = np.array([1.0, 1.0, 1.0, 0.5, 0.4, 0.3])
    chosen = next_batch(csr_array(same), doubt, np.arange(6), 4, np.random.default_rng(0))
    assert sorted(chosen[1:].tolist()) == [3, 4, 5]
    assert chosen[0] in (0, 1, 2)


def test_only_free_texts_are_chosen_each_once():
    rng = np.random.default_rng(0)
    design = csr_array(rng.random((50, 5)))
    free = np.arange(10, 30)
    chosen = next_batch(design, np.ones(50), free, 40, rng)
    assert sorted(chosen.tolist()) == free.tolist()

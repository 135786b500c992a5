from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.tree.formula import formula


@pytest.mark.parametrize("task", ["text", "value"])
def test_a_formula_answers_as_the_plainest_words_do(forest, task: str) -> None:
    for seed in range(5):
        tree = forest.tree(seed, 12, forest.tasks[task])
        rows = forest.rows(np.random.default_rng(seed), 60).values
        made = formula(tree.nodes_, forest.features, forest.tasks[task])
        leaves = [forest.leaf(tree.nodes_, row) for row in rows]
        assert (made.outputs(rows) == tree.nodes_.value[leaves]).all()
        if task == "text":
            assert (made.positions(rows) == tree.nodes_.value[leaves].argmax(axis=1)).all()

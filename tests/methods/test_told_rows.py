"""Rows that count are told once, and weigh what they and their class weigh."""

from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.methods.budgets import check_leaf_rows
from limbeck.methods.told_rows import told_rows
from limbeck.teachers import CallableTeacher

X = np.arange(12.0)[:, None]


def told(seen: list[int], **given):
    def model(rows):
        seen.append(len(rows))
        return (rows[:, 0] > 2).astype(int)

    teacher = CallableTeacher(model, classes=[0, 1])
    rows = Features.of(X).rows(X)
    return told_rows(teacher, rows, 10, np.random.default_rng(0), quiet, **given)


def test_rows_of_weight_0_are_not_asked_about_and_classes_weigh_on_top():
    seen: list[int] = []
    weight = np.array([0.0, 3.0, *np.ones(10)])
    out = told(seen, sample_weight=weight[:12], class_weight={1: 2.0})
    assert sum(seen[-1:]) == len(out.rows) == 10  # eleven count, ten are used
    place = out.rows.values[:, 0].astype(int)
    assert 0 not in place
    assert out.answers.tolist() == (place > 2).tolist()
    assert out.weight.tolist() == (weight[place] * np.where(place > 2, 2.0, 1.0)).tolist()
    assert out.by_class is not None
    assert out.by_class.tolist() == [1.0, 2.0]


def test_what_the_rows_cannot_give_is_refused_before_the_teacher_is_asked():
    seen: list[int] = []
    with pytest.raises(InvalidInput, match="there are 10 rows"):
        told(seen, check=lambda n: check_leaf_rows(6, n))
    assert seen == []

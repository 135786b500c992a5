from __future__ import annotations

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.evaluation.generated_control import against_real_rows, split_real_rows

rng = np.random.default_rng(0)
WORDS = np.array(["good", "fine", "bad", "dull", *(f"w{i}" for i in range(40))])


def texts(n: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join([draw.choice(WORDS[:4]), *draw.choice(WORDS[4:], 6)]) for _ in range(n)]


def scores(some):
    return np.eye(2)[[int(t.split()[0] in ("good", "fine")) for t in some]]


teacher = limbeck.as_teacher(scores, classes=["no", "yes"], score_kind="probability")


def test_equal_texts_come_to_one_side():
    rows = texts(100, 0) * 3
    found = split_real_rows(rows, np.arange(300), 0.3, 0)
    assert not set(found.train) & set(found.test)
    assert len(found.train) + len(found.test) == len(set(rows))
    for text, place in zip(found.test, found.test_y, strict=True):
        assert rows[place] == text
    with pytest.raises(LimbeckError, match="Give at least 67 real texts"):
        split_real_rows(rows[:40], None, 0.3, 0)


def test_good_texts_are_no_worse_and_useless_ones_hurt():
    real = split_real_rows(texts(600, 1), None, 0.4, 0)
    alike, n, told = against_real_rows(teacher, texts(150, 2), real)
    assert (n, alike.verdict) == (150, "no evidence")
    assert told.tolist() == scores(texts(150, 2)).argmax(axis=1).tolist()
    useless = [" ".join(np.random.default_rng(i).choice(WORDS[4:], 7)) for i in range(150)]
    poor, _, _ = against_real_rows(teacher, useless, real)  # none of the words that decide
    assert poor.verdict == "hurt"
    assert poor.entries[1].agreement.value < 0.7 < poor.entries[2].agreement.value


def test_both_learn_from_as_many_texts():
    real = split_real_rows(texts(120, 1), None, 0.4, 0)
    found, n, _ = against_real_rows(teacher, texts(500, 2), real)
    assert n == len(real.train)
    assert f"{n} generated" in found.entries[1].model
    with pytest.raises(LimbeckError, match="too few"):
        against_real_rows(teacher, texts(5, 2), real)

from __future__ import annotations

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.certificates.binomial import upper_bound

WORDS = ["late", "broken", "refund", "angry", "hello", "order", "box", "blue", "the", "my"]


def corpus(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [f"{' '.join(rng.choice(WORDS, 5))} n{i}" for i in range(n)]


TEXTS = corpus(260)
LABELS = ["delivery", "money", "mood"]


def topics(X) -> np.ndarray:
    groups = (("late", "broken"), ("refund",), ("angry",))
    has = np.array([[any(w in t for w in words) for words in groups] for t in X], float)
    return 0.05 + 0.9 * has


@pytest.fixture(scope="module")
def result():
    y = (topics(TEXTS) > 0.5).astype(int)
    y[:30] = 1 - y[:30]
    return limbeck.distill(
        topics, TEXTS, y, into="text_classifier", labels=LABELS, ngrams="words", progress=False
    )


def test_bounds_of_all_labels_hold_at_once(result):
    assert list(result.parts) == LABELS
    assert result.n == 78
    assert all(p.certificate.delta == pytest.approx(0.05 / 4) for p in result.parts.values())
    texts = result.parts["money"].holdout.rows.native()
    wrong = (result.student.predict(texts) != (topics(texts) > 0.5)).any(axis=1).sum()
    assert result.wrong == wrong
    assert result.any_bound == upper_bound(int(wrong), 78, 0.05 / 4)
    assert "another set of labels" in " ".join(str(result).split())
    assert result.student.predict_proba(["late refund"]).shape == (1, 3)
    assert result.student.predict(["late refund box"])[0].tolist() == [True, True, False]
    assert "agreement of" in str(result)
    assert len(str(result).splitlines()) < 30  # verdicts stand below the table, not in a cell
    assert "verdict  mood: " in " ".join(result.sheet().notes)


def test_it_saves_loads_and_each_label_verifies(result, tmp_path):
    again = limbeck.load(result.save(tmp_path / "out"))
    assert str(again) == str(result)
    assert (tmp_path / "out" / "report.html").is_file()
    np.testing.assert_array_equal(again.student.predict(TEXTS), result.student.predict(TEXTS))
    part = again.parts["mood"]
    assert limbeck.verify(part.certificate, part.student, part.holdout.rows, part.holdout.answers)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": ["a"]}, "two labels or more"),
        ({"labels": ["a", "b"]}, "shape"),
        ({"labels": LABELS, "budget": 100}, "budget=126 or more, or a larger epsilon"),
        ({"labels": LABELS, "y": [[0, 1, 2]] * 260}, "other numbers"),
        ({"labels": LABELS, "y": [0] * 260}, "shape"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(LimbeckError, match=message):
        limbeck.distill(topics, TEXTS, into="text_classifier", progress=False, **settings)


def test_with_a_budget_only_so_many_texts_are_asked_about(tmp_path):
    texts, asked = corpus(1500), []

    def counted(X) -> np.ndarray:
        asked.extend(X)
        return topics(X)

    found = limbeck.distill(
        counted, texts, topics(texts).round(), into="text_classifier", labels=LABELS,
        ngrams="words", budget=400, epsilon=0.2, progress=False,
    )  # fmt: skip
    assert len(asked) == len(set(asked)) <= 400
    assert found.n == 100
    assert f"Bill: {len(asked)} questions of a budget of 400" in found.notes[1]
    assert found.wrong <= 5
    assert found.any_bound == upper_bound(found.wrong, found.n, 0.05 / 4)
    assert limbeck.load(found.save(tmp_path / "out")).notes == found.notes
    for part in found.parts.values():
        assert part.rows_seen == len(asked) - 100


def test_numbers_outside_zero_and_one_need_a_word():
    def logits(X):
        return 4 * topics(X) - 2

    with pytest.raises(LimbeckError, match="score_kind='logit'"):
        limbeck.distill(logits, TEXTS, into="text_classifier", labels=LABELS, progress=False)

from __future__ import annotations

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.few_labels.labelling import different_rows
from limbeck.methods.few_labels.method import FewLabels
from limbeck.methods.few_labels.questions import CountedQuestions

WORDS = [f"w{i}" for i in range(40)]


def corpus(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 8)) for _ in range(n)]


def good(texts) -> np.ndarray:
    """More words of the first half than of the second."""
    halves = [[int(w[1:]) < 20 for w in t.split()] for t in texts]
    return np.array([sum(h) > 4 for h in halves])


TEXTS = corpus(3000)


def teacher():
    return limbeck.as_teacher(good, classes=(False, True))


def run(method: FewLabels, texts=TEXTS, most=None, seed=0):
    rows = Features.of(texts).rows(texts)
    questions = CountedQuestions(teacher(), method.budget)
    rng = np.random.default_rng(seed)
    return questions, *method.labelled(questions, rows, rng, quiet, most or method.budget)


def test_the_beginning_is_a_random_sample_and_each_text_is_asked_about_once():
    questions, result, found = run(FewLabels(budget=600, ngrams="words"))
    rows = Features.of(TEXTS).rows(TEXTS)
    order = different_rows(rows, np.random.default_rng(0))
    np.testing.assert_array_equal(found.rows[: found.random], order[: found.random])
    assert len(set(found.rows.tolist())) == len(found.rows) == questions.asked <= 600
    assert result.trace["labels"] == len(found.rows)


def test_equal_texts_are_one_question():
    texts = ["w1 w2", "w30 w31"] * 50 + corpus(200, 1)
    questions, _, found = run(FewLabels(budget=1000, ngrams="words"), texts)
    assert questions.asked <= len(set(texts))
    assert len({texts[i] for i in found.rows}) == len(found.rows)


def test_labels_end_where_they_teach_nothing_more():
    _, result, _ = run(FewLabels(budget=3000, ngrams="words", patience=2))
    assert result.trace["labels"] < 3000
    assert "did not move the agreement" in result.status.message
    moved = [m for _, _, m in result.trace["learning_curve"]]
    assert moved[-2:] == [False, False]


def test_distill_with_a_budget_certifies_with_few_questions_and_sends_the_bill():
    result = limbeck.distill(
        teacher(), TEXTS, good(TEXTS), into="text_classifier", ngrams="words", budget=1500,
        epsilon=0.25,
    )  # fmt: skip
    assert result.certificate.reached
    labels, asked = result.trace["labels"], result.certificate.n
    assert labels + asked <= 1500
    assert asked < 300  # of 900 texts set aside
    assert len(result.holdout.rows) == asked
    bill = next(note for note in result.notes if note.startswith("Bill"))
    total = int(bill.split()[1].replace(",", ""))
    assert 0 <= total - labels - asked < 8  # they are asked eight at a time
    names = [e.model for e in result.comparison.entries]
    assert names[-2:] == ["hard labels", "as many random texts"]


def test_its_certificate_is_verified_by_its_file(tmp_path):
    result = limbeck.distill(
        teacher(), TEXTS, into="text_classifier", ngrams="words", budget=900, epsilon=0.25
    )
    folder = result.save(tmp_path / "run")
    again = limbeck.load(folder)
    assert str(again) == str(result)
    import pandas as pd

    holdout = pd.read_parquet(folder / "holdout.parquet")
    answers = holdout.pop("teacher_label")
    found = limbeck.verify(result.certificate, result.student, holdout[["text"]], answers)
    assert found.ok, found


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"budget": 100}, "too small for epsilon=0.05: 66"),
        ({"budget": 1000, "epsilon": 0.001}, "too small for epsilon=0.001"),
        ({"budget": 500, "labelling": "best"}, "labelling is 'best'"),
        ({"budget": 500, "batch": 0}, "batch"),
        ({"budget": -1}, "budget"),
        ({"budget": 500, "sample_weight": np.ones(3000)}, "counts all rows alike"),
    ],
)
def test_settings_are_refused_before_any_question(settings, said):
    asked = []
    counted = limbeck.as_teacher(lambda X: asked.append(len(X)) or good(X), classes=(False, True))
    with pytest.raises(LimbeckError, match=said):
        limbeck.distill(counted, TEXTS, into="text_classifier", **settings)
    assert not asked


def test_a_teacher_no_better_than_chance_is_refused_after_a_few_questions():
    labels = np.random.default_rng(5).random(len(TEXTS)) > 0.5
    with pytest.raises(LimbeckError, match="no better than chance"):
        limbeck.distill(teacher(), TEXTS, labels, into="text_classifier", budget=500)


def test_a_class_that_is_never_answered_is_named():
    three = limbeck.as_teacher(
        lambda X: np.column_stack([good(X), ~good(X), np.zeros(len(X))]).astype(float),
        classes=("a", "b", "c"), score_kind="probability",
    )  # fmt: skip
    result = limbeck.distill(
        three, TEXTS, into="text_classifier", budget=400, ngrams="words", compare_random=False
    )
    assert any("never answered 'c'" in note for note in result.notes)


def test_numbers_are_labelled_too():
    weights = {w: i / 40 for i, w in enumerate(WORDS)}
    number = limbeck.as_teacher(
        lambda X: np.array([[sum(weights[w] for w in t.split())] for t in X]), regression=True
    )
    result = limbeck.distill(
        number, TEXTS, into="text_classifier", budget=900, ngrams="words", compare_random=False
    )
    assert result.certificate.n >= 200
    assert result.trace["learning_curve"][-1][1] > 0.9

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.errors import FileRefused, InvalidInput, TeacherFailed
from limbeck.students import TextClassifier, load

RNG = np.random.default_rng(0)
GOOD, BAD = ["good", "great", "schön", "好电影"], ["bad", "awful", "schlecht", "坏电影"]
FILL = ["the", "a", "of", "film", "story", "with", "actors", "und", "sehr", "很"]


def texts(n: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Sentences of ten words, one or two of which decide."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    rows = [
        " ".join(rng.permutation([*rng.choice(FILL, 8), *rng.choice((BAD, GOOD)[c], 2)])) for c in y
    ]
    return rows, y


def teacher(rows) -> np.ndarray:
    """Probabilities of no and yes, by the words that decide."""
    z = np.array([
        sum(t.count(w) for w in GOOD) - sum(t.count(w) for w in BAD) for t in rows
    ])  # fmt: skip
    p = 1 / (1 + np.exp(-2.0 * z))
    return np.column_stack([1 - p, p])


@pytest.fixture(scope="module")
def result():
    X, y = texts(600)
    labels = np.where(y == 1, "yes", "no")
    return limbeck.distill(
        teacher,
        X,
        labels,
        into="text_classifier",
        method="ngrams",
        classes=["no", "yes"],
        progress=False,
    )


def test_a_teacher_of_texts_is_distilled_certified_saved_and_verified(result, tmp_path):
    roles = [(e.role, e.model) for e in result.comparison.entries]
    assert roles == [
        ("teacher", "teacher"), ("student", "text_classifier"), ("control", "text_classifier"),
        ("baseline", "hard labels"),
    ]  # fmt: skip
    assert result.certificate.n == 180
    assert result.certificate.epsilon < 0.05
    X, _ = texts(200, seed=1)
    assert (result.student.predict(X) == np.array(["no", "yes"])[teacher(X).argmax(1)]).all()
    folder = result.save(tmp_path / "run")
    again = limbeck.load(folder)
    assert str(again) == str(result)
    student = load(folder / "student.json")
    assert student.fingerprint() == result.student.fingerprint()
    assert (student.predict_proba(X) == result.student.predict_proba(X)).all()
    frame = pd.read_parquet(folder / "holdout.parquet")
    rows, answers = frame.drop(columns="teacher_label"), frame["teacher_label"]
    assert limbeck.verify(folder / "certificate.json", student, rows, answers).ok
    changed = rows.assign(text=["x", *rows["text"].tolist()[1:]])
    assert not limbeck.verify(folder / "certificate.json", student, changed, answers).ok


def test_training_texts_are_refused_by_certify(result):
    X, _ = texts(600)
    rows = list(dict.fromkeys(X))
    told = np.array(["no", "yes"])[teacher(rows).argmax(1)]
    with pytest.raises(InvalidInput, match="Training saw"):
        limbeck.certify(result.student, rows, told, seen=result.holdout.seen)


def test_words_that_decide_are_shown_for_each_class(result):
    text = result.student.text()
    no, yes = text.split("for yes")
    assert all(word in yes and word not in no for word in ("good", "great", "schön"))
    assert all(word in no for word in ("bad", "awful", "schlecht"))
    found = result.student.explain("a great film")
    assert found[0][0].strip("“”").strip() in "great"
    total = result.student.decision_function(["a great film"])[0]
    level = float(result.student.model_.intercept[0])
    assert sum(added for _, added in found) + level == pytest.approx(total)


def test_it_is_drawn(result):
    mpl = pytest.importorskip("matplotlib")
    mpl.use("agg")
    axes = result.student.plot()
    assert [ax.get_title() for ax in axes] == ["for no", "for yes"]


@pytest.mark.parametrize("ngrams", ["words", "characters", "both"])
def test_classes_and_values(ngrams):
    X, y = texts(160)
    three = np.array(["no", "yes", "empty"])[np.where([" the " in t for t in X], 2, y)]
    student = TextClassifier(ngrams).fit(X, three)
    assert student.score(X, three) > 0.9
    assert np.allclose(student.predict_proba(X).sum(axis=1), 1)
    value = TextClassifier(ngrams).fit(X, np.array([len(t) + 0.5 for t in X]))
    assert value.score(X, [len(t) + 0.5 for t in X]) > 0.9
    assert not hasattr(value, "predict_proba")
    assert "for a higher value" in value.text()
    for one in (student, value):
        again = TextClassifier.from_dict(json.loads(json.dumps(one.to_dict())))
        assert (again.predict(X) == one.predict(X)).all()


def test_a_text_of_unknown_ngrams_gets_the_level(result):
    student = result.student
    p = student.predict_proba(["", "qqqq"])
    assert p[0] == pytest.approx(p[1])
    noted = TextClassifier("words").fit(["good", "bad", "", " "] * 5, ["y", "n", "n", "n"] * 5)
    (note,) = noted.notes(noted.features_.rows(["good", "", " "]))
    assert note == "2 of 3 training texts are empty."


@pytest.mark.parametrize(
    "change",
    [
        {"weights": [[1.0]]}, {"intercept": [None]}, {"families": []},
        {"families": [{"unit": "lines", "terms": ["a"], "idf": [1.0]}]},
        {"families": [{"unit": "words", "terms": ["a", "a"], "idf": [1.0, 1.0]}]},
        {"families": [{"unit": "words", "terms": ["a"], "idf": [-1.0]}]},
        {"families": 3},
    ],
)  # fmt: skip
def test_malformed_files_are_refused(result, change):
    with pytest.raises(FileRefused):
        TextClassifier.from_dict({**result.student.to_dict(), **change})


def test_bad_settings_and_rows_are_refused():
    X, y = texts(40)
    with pytest.raises(InvalidInput, match="words"):
        TextClassifier("word").fit(X, y)
    with pytest.raises(InvalidInput, match="No n-gram"):
        TextClassifier("words").fit(["a", "b"], [0, 1])
    with pytest.raises(InvalidInput, match="reads texts"):
        TextClassifier().fit(np.zeros((4, 2)), [0, 1, 0, 1])
    frame = pd.DataFrame({"text": X, "n": range(40)})
    with pytest.raises(TeacherFailed, match="for rows"):  # this teacher reads texts, and no table
        limbeck.distill(teacher, frame, into="text_classifier", classes=2, progress=False)
    with pytest.raises(InvalidInput, match="are no texts"):
        limbeck.distill(teacher, frame.assign(text=1), into="text_classifier", progress=False)


def test_weights_and_cases_are_those_of_every_student():
    X, y = texts(300)
    result = limbeck.distill(
        teacher, pd.DataFrame({"review": X, "who": np.repeat(np.arange(60), 5)}), y,
        into="text_classifier", classes=[0, 1], cases="who", class_weight="balanced",
        ngrams="words", epsilon=0.3, progress=False,
    )  # fmt: skip
    assert result.certificate.settings["cases"]
    assert result.student.features_.names == ("review",)


def test_texts_that_are_all_empty_are_refused_before_the_teacher_is_asked():
    asked = []

    def count(X):
        asked.append(len(X))
        return [0] * len(X)

    with pytest.raises(limbeck.LimbeckError, match="All 40 texts are empty"):
        limbeck.distill(count, ["", " "] * 20, into="text_classifier", progress=False)
    assert not asked

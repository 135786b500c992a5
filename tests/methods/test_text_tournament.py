from __future__ import annotations

import sys

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.text_method import AnsweredTexts
from limbeck.methods.text_tournament import KINDS, DistillTexts

pytest.importorskip("tokenizers")
WORDS = [f"w{i}" for i in range(40)]


def corpus(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 8)) for _ in range(n)]


TEXTS = corpus(200)


def good(texts) -> np.ndarray:
    return np.array([sum(int(w[1:]) < 20 for w in t.split()) > 4 for t in texts])


def answered(texts, soft, task) -> AnsweredTexts:
    rows = Features.of(texts).rows(texts)
    return AnsweredTexts(rows, soft, np.ones(len(texts)), task)


def test_the_result_shows_each_kind_with_bytes_and_time_and_saves(tmp_path):
    result = limbeck.distill(
        good, TEXTS, good(TEXTS), classes=(False, True), into="text_classifier", ngrams="words",
        among=KINDS[:-1], width=8, progress=False,
    )  # fmt: skip
    rows = result.trace["text_students"]
    assert [r["kind"] for r in rows] == list(KINDS[:-1])
    assert sum(r["chosen"] for r in rows) == 1
    taken = next(r for r in rows if r["chosen"])
    path = result.student.save(tmp_path / "student.json")
    assert path.stat().st_size == taken["bytes"] + 1  # its last line ends
    best = max(r["agreement"] for r in rows)
    near = [r for r in rows if r["agreement"] >= best - 0.0051]
    assert taken["bytes"] == min(r["bytes"] for r in near)
    assert "text_students" in result.tables()
    assert "ms a text" in str(result)
    result.save(tmp_path / "out")
    assert str(limbeck.load(tmp_path / "out")) == str(result)


def test_texts_that_only_characters_tell_apart_are_for_ngrams():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abcdefgh"), 9)) for _ in range(240)]  # no word comes twice
    y = np.array(["ab" in t or "cd" in t for t in texts]).astype(int)
    found = DistillTexts(width=8).fitted(
        answered(texts + texts[:60], np.eye(2)[np.append(y, y[:60])], Task((0, 1))), 0, quiet
    )
    assert found.trace["kind"] == "ngrams"


def test_values_are_chosen_by_r_squared():
    value = np.array([sum(int(w[1:]) for w in t.split()) / 8 for t in TEXTS])
    found = DistillTexts(among=("ngrams", "embeddings"), ngrams="words", width=40).fitted(
        answered(TEXTS, value[:, None], Task(unit="m")), 0, quiet
    )
    rows = found.trace["text_students"]
    assert all(0.5 < r["agreement"] <= 1 for r in rows)
    assert np.corrcoef(found.student.predict(TEXTS), value)[0, 1] > 0.9


def test_without_tokenizers_the_others_are_listed_and_n_grams_taken(monkeypatch):
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, package=None: None if name == "tokenizers" else 1
    )
    found = DistillTexts(ngrams="words", among=KINDS[:-1]).fitted(
        answered(TEXTS, np.eye(2)[good(TEXTS).astype(int)], Task((False, True))), 0, quiet
    )
    assert found.trace["kind"] == "ngrams"
    assert "tokenizers" in found.message


@pytest.mark.slow
def test_predicting_imports_no_torch(tmp_path):
    import subprocess

    found = DistillTexts(among="network", width=8).fitted(
        answered(TEXTS, np.eye(2)[good(TEXTS).astype(int)], Task((False, True))), 0, quiet
    )
    path = found.student.save(tmp_path / "student.json")
    code = (
        "import sys, limbeck.students as s; m = s.load(sys.argv[1]);"
        "print(m.predict(['w1 w2 w3']).tolist(), 'torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == [str(found.student.predict(["w1 w2 w3"]).tolist()), "False"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"among": ("ngram",)}, "no kind 'ngram'"),
        ({"among": ()}, "among is empty"),
        ({"width": 0}, "width"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(LimbeckError, match=message):
        DistillTexts(**settings)

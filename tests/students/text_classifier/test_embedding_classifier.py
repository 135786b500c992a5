from __future__ import annotations

import json

import numpy as np
import pytest

from limbeck.core.errors import FileRefused
from limbeck.students.files import load
from limbeck.students.text_classifier.embedding_classifier import EmbeddingClassifier

pytest.importorskip("tokenizers")
TEXTS = ["good film", "a good play", "bad film", "a bad play", "so so", "a so so film"] * 6
Y = ["yes", "yes", "no", "no", "maybe", "maybe"] * 6


@pytest.fixture(scope="module", params=["linear", "network"])
def student(request):
    return EmbeddingClassifier(head=request.param, width=5).fit(TEXTS, Y)


def test_it_learns_saves_and_loads(student, tmp_path):
    assert (student.predict(TEXTS) == np.array(Y)).all()
    again = load(student.save(tmp_path / "s.json"))
    np.testing.assert_array_equal(again.predict_proba(TEXTS), student.predict_proba(TEXTS))
    assert again.fingerprint() == student.fingerprint()
    assert again.text() == student.text()


def test_its_words_decide_and_what_is_left_out_moves_the_sum(student):
    assert student.text().split("for yes\n")[1].split()[1] == "good"
    told = student.explain("a bad play")
    total = student.decision_function(["a bad play", "a   play"])
    at = list(student.classes_).index("no")
    assert dict(told)["bad"] == pytest.approx(total[0, at] - total[1, at])
    assert told[0][0] == "bad"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": [2, 2]}, "malformed"),
        ({"table": "!!"}, "malformed"),
        ({"unknown": 10**6}, "no token"),
        ({"model": {"weights": [[1.0]], "intercept": [0.0]}}, "shape"),
        ({"model": {"weights": [[1.0]]}}, "none of those known"),
        ({"tokenizer": "{}"}, "tokenizer"),
    ],
)
def test_damaged_files_are_refused(tmp_path, change, message):
    student = EmbeddingClassifier(width=3).fit(TEXTS, Y)
    path = tmp_path / "s.json"
    path.write_text(json.dumps(student.to_dict() | change))
    with pytest.raises(FileRefused, match=message):
        load(path)

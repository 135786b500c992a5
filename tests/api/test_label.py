from __future__ import annotations

import json

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError

TEXTS = ["good film", "bad film", "", "good film", "  ", "so so"]


class Counted:
    """A teacher that may be stopped after some texts."""

    def __init__(self, stop: int = 10**9) -> None:
        self.asked: list[str] = []
        self.stop = stop

    def __call__(self, X):
        if len(self.asked) + len(X) > self.stop:
            raise KeyboardInterrupt
        self.asked += list(X)
        return np.array([[0.2, 0.8] if "good" in t else [0.7, 0.3] for t in X])


def made(counted: Counted):
    return limbeck.as_teacher(counted, classes=("no", "yes"), score_kind="probability")


def test_each_different_text_that_is_not_empty_is_labelled_once(tmp_path):
    counted = Counted()
    found = limbeck.label(made(counted), TEXTS, out=tmp_path / "l.jsonl", progress=False)
    assert counted.asked == ["good film", "bad film", "so so"]
    lines = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    assert lines[0] == {
        "text": "good film", "label": "yes", "probabilities": {"no": 0.2, "yes": 0.8}
    }  # fmt: skip
    assert [line["label"] for line in lines] == ["yes", "no", "no"]
    assert "2 empty texts left out" in str(found)
    assert "1 text equal to others" in str(found)


def test_a_run_that_was_cut_off_goes_on(tmp_path):
    texts = [f"text {i}" for i in range(1000)]
    out = tmp_path / "l.jsonl"
    first = Counted(stop=600)
    with pytest.raises(KeyboardInterrupt):
        limbeck.label(made(first), texts, out=out, name="counted", progress=False)
    assert not out.exists()
    second = Counted()
    limbeck.label(made(second), texts, out=out, name="counted", progress=False)
    assert sorted(first.asked + second.asked) == sorted(texts)
    assert len(out.read_text().splitlines()) == 1000
    assert [p.name for p in tmp_path.iterdir()] == ["l.jsonl"]


def test_another_teacher_takes_nothing_of_the_first(tmp_path):
    texts = [f"text {i}" for i in range(600)]
    out = tmp_path / "l.jsonl"
    with pytest.raises(KeyboardInterrupt):
        limbeck.label(made(Counted(stop=300)), texts, out=out, progress=False)
    other = Counted()
    teacher = limbeck.as_teacher(other, classes=("a", "b"), score_kind="probability")
    limbeck.label(teacher, texts, out=out, progress=False)
    assert len(other.asked) == 600


def test_a_budget_takes_a_random_sample():
    texts = [f"text {i}" for i in range(100)]
    counted = Counted()
    limbeck.label(made(counted), texts, budget=20, progress=False)
    assert len(counted.asked) == 20
    assert counted.asked != texts[:20]


def test_classes_never_answered_are_named():
    three = limbeck.as_teacher(
        lambda X: np.tile([0.6, 0.4, 0.0], (len(X), 1)), classes="abc", score_kind="probability"
    )
    assert "Never answered: b, c." in str(limbeck.label(three, TEXTS, progress=False))


@pytest.mark.parametrize(
    ("texts", "settings", "said"),
    [
        (["", " "], {}, "All 2 texts are empty"),
        ([], {}, "no text"),
        (TEXTS, {"out": "labels.csv"}, "labels.csv"),
        (TEXTS, {"budget": 0}, "budget"),
        ("nowhere.jsonl", {}, "no file"),
    ],
)
def test_bad_input_is_refused_unasked(texts, settings, said):
    counted = Counted()
    teacher = made(counted)
    with pytest.raises(LimbeckError, match=said):
        limbeck.label(teacher, texts, progress=False, **settings)
    assert not counted.asked


def cut_off(n: int):
    """A function of a name that all of them share, which fails at its n-th block."""
    calls = []

    def topic(X):
        calls.append(len(X))
        if len(calls) > n:
            raise RuntimeError("cut off")
        return [t.endswith("1") for t in X]

    return topic


def test_functions_of_one_name_do_not_share_their_answers(tmp_path):
    texts, out = [f"text {i}" for i in range(600)], tmp_path / "out.jsonl"

    def topic(X):
        if X[0] != "text 0":
            raise RuntimeError("cut off")
        return [t.endswith("1") for t in X]

    first = topic
    with pytest.raises(Exception, match="cut off"):
        limbeck.label(first, texts, out=out, classes=(False, True), progress=False)

    def topic(X):
        return [t.endswith("2") for t in X]

    found = limbeck.label(topic, texts, out=out, classes=(False, True), progress=False)
    assert "held 256 answers of another teacher" in str(found)
    assert found.labels.sum() == 60
    assert all(t.endswith("2") for t, y in zip(found.texts, found.labels, strict=True) if y)


def test_a_named_teacher_goes_on_and_another_name_does_not(tmp_path):
    texts, out = [f"text {i}" for i in range(600)], tmp_path / "out.jsonl"
    with pytest.raises(Exception, match="cut off"):
        limbeck.label(
            cut_off(2), texts, out=out, name="v1", classes=(False, True), progress=False
        )  # as_teacher asks once, then one block
    again = limbeck.label(
        cut_off(9), texts, out=out, name="v1", classes=(False, True), progress=False
    )
    assert "256 texts answered by a run before" in str(again)


def test_a_teacher_that_cannot_be_told_apart_must_be_named(tmp_path):
    import threading

    lock = threading.Lock()  # is not pickled

    def topic(X):
        with lock:
            if len(X) == 256 and X[0] != "text 0":
                raise RuntimeError("cut off")
            return [t.endswith("1") for t in X]

    texts, out = [f"text {i}" for i in range(600)], tmp_path / "out.jsonl"
    with pytest.raises(Exception, match="cut off"):
        limbeck.label(topic, texts, out=out, classes=(False, True), progress=False)
    with pytest.raises(limbeck.LimbeckError, match="nothing tells whether"):
        limbeck.label(topic, texts, out=out, classes=(False, True), progress=False)

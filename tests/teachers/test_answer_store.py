from __future__ import annotations

import pickle
import sqlite3
import stat
import time

import pytest

from limbeck.core.errors import FileRefused
from limbeck.teachers.answer_store import AnswerStore, default_store, question_key


def test_the_first_answer_stays(tmp_path):
    store, key = AnswerStore(tmp_path / "a.sqlite"), question_key([1])
    store.add("t", [(key, {"label": "first"})], 0.5)
    store.add("t", [(key, {"label": "second"})], 0.25)
    assert store.get([key]) == {key: {"label": "first"}}
    assert store.spent("t") == (2, 2, 0.75)
    assert len(pickle.loads(pickle.dumps(store))) == 1


@pytest.mark.parametrize("statement", ["DELETE FROM answers", "UPDATE answers SET answer = '1'"])
def test_it_only_grows(tmp_path, statement):
    store = AnswerStore(tmp_path / "a.sqlite")
    store.add("t", [(question_key(1), 1)])
    connection = sqlite3.connect(store.path)
    with pytest.raises(sqlite3.IntegrityError, match="answers are never"):
        connection.execute(statement)
    connection.close()


def test_it_is_private_and_its_place_can_be_set(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMBECK_ANSWERS", str(tmp_path / "x" / "answers.sqlite"))
    store = AnswerStore()
    store.add("t", [])
    assert store.path == default_store() == tmp_path / "x" / "answers.sqlite"
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    monkeypatch.delenv("LIMBECK_ANSWERS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_store() == tmp_path / "limbeck" / "answers.sqlite"


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(FileRefused, match="cannot be used to store answers"):
        AnswerStore(tmp_path / "a.sqlite").get([b"x"])
    connection = sqlite3.connect(tmp_path / "b.sqlite")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(FileRefused, match="version 99"):
        AnswerStore(tmp_path / "b.sqlite").get([b"x"])


def test_an_answer_takes_less_than_a_millisecond(tmp_path):
    store = AnswerStore(tmp_path / "a.sqlite")
    store.add("t", [])
    started = time.process_time()
    for i in range(300):
        store.add("t", [(question_key([i, "a question of some length" * 10]), {"p": [0.5, 0.5]})])
    assert (time.process_time() - started) / 300 < 1e-3


def test_keys_differ_by_every_part():
    asked = {"model": "m", "row": [1, "a"], "draw": 0}
    others = [{**asked, "model": "n"}, {**asked, "row": [1, "b"]}, {**asked, "draw": 1}]
    assert len({question_key(one) for one in [asked, *others]}) == 4
    assert question_key({"row": "\ud800"}) != question_key({"row": "?"})

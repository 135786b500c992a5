from __future__ import annotations

import io
import json
import logging
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from typing import Any

import numpy as np
import pytest

from limbeck import LimbeckError
from limbeck.core.errors import TeacherFailed
from limbeck.teachers import Endpoint
from limbeck.teachers.endpoints.retries import Retries

X = np.arange(40.0).reshape(20, 2)
KEY = "sk-Very-Secret-0123456789"


def made(service: Any, tmp_path: Any, **settings: Any) -> Endpoint:
    settings = {"batch": 1, "retries": Retries(4, base=0.01), **settings}
    return Endpoint(service.url, store=tmp_path / "answers.sqlite", **settings)


def good(reply: Any, body: Any, **settings: Any) -> Any:
    return reply({"predictions": [sum(row) for row in body["instances"]]}, **settings)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503},
        {"status": 529},
        {"hang_up": True},
        {"raw": b'{"predictions": [1'},
        {"raw": b"\xff\xfe<html>"},
        {"raw": b""},
        {"body": {"predictions": []}},
        {"body": {"error": "busy"}},
        {"body": [1, 2, 3]},
    ],
)
def test_faults_that_pass_are_tried_again(service, reply, tmp_path, fault):
    service.respond = lambda body, n: reply(**fault) if n <= 2 else good(reply, body)
    found = made(service, tmp_path).answers(X[:1])
    assert found.scores.tolist() == [[1.0]]
    assert found.requests == 3


def test_what_never_passes_is_no_answer(service, reply, tmp_path):
    def respond(body: Any, n: int) -> Any:
        return reply({}, status=500) if body["instances"][0][0] == 4 else good(reply, body)

    service.respond = respond
    found = made(service, tmp_path).answers(X)
    assert [m.row for m in found.missing] == [2]
    assert "status 500" in found.missing[0].reason
    assert sum(body["instances"][0][0] == 4 for _, body in service.requests) == 5
    service.respond = lambda body, n: good(reply, body)
    later = made(service, tmp_path).answers(X)
    assert (later.asked, later.missing) == (1, ())


def test_retry_after_is_waited_for(service, reply, tmp_path):
    def respond(body: Any, n: int) -> Any:
        return good(reply, body) if n > 1 else reply({}, status=429, headers={"retry-after": "0.3"})

    service.respond = respond
    started = time.monotonic()
    assert made(service, tmp_path).answers(X[:2]).answered.all()
    assert time.monotonic() - started >= 0.3


def test_retry_after_of_hours_is_not_waited_for(service, reply, tmp_path):
    service.respond = lambda body, n: reply({}, status=429, headers={"retry-after": "7200"})
    found = made(service, tmp_path).answers(X[:1])
    assert "asked to wait 7200 seconds" in found.missing[0].reason


@pytest.mark.parametrize("slow", [{"delay": 5.0}, {"drip": 0.05}, {"hold": True}])
def test_time_is_limited_for_a_request_in_all(service, reply, tmp_path, slow):
    service.respond = lambda body, n: good(reply, body, **slow)
    started = time.monotonic()
    found = made(service, tmp_path, timeout=0.1, retries=1).answers(X[:1])
    assert found.missing[0].reason == "no answer within 0.1 seconds"
    assert time.monotonic() - started < 4


def test_a_service_that_is_not_there(tmp_path):
    pytest.importorskip("httpx2")
    teacher = Endpoint("http://127.0.0.1:9/", store=tmp_path / "a.sqlite", retries=0)
    found = teacher.answers(X[:1])
    assert found.missing[0].reason == "ConnectError while talking to the service"


def test_the_rate_is_kept(service, reply, tmp_path):
    service.respond = lambda body, n: good(reply, body)
    started = time.monotonic()
    made(service, tmp_path, concurrency=3, requests_per_second=50).scores(X)
    assert time.monotonic() - started >= 19 / 50


def test_a_service_that_fails_throughout_is_not_asked_on(service, reply, tmp_path):
    service.respond = lambda body, n: reply({}, status=500)
    rows = np.arange(400.0).reshape(200, 2)
    with pytest.raises(TeacherFailed, match="20 requests in a row got no answer"):
        made(service, tmp_path, retries=0, concurrency=4).answers(rows)
    assert len(service.requests) < 30


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404])
def test_what_all_questions_share_stops_at_once(service, reply, tmp_path, status):
    service.respond = lambda body, n: reply(
        {"error": "no"}, status=status, headers={"location": "http://127.0.0.1:1/"}
    )
    with pytest.raises(TeacherFailed, match=f"status {status}"):
        made(service, tmp_path, concurrency=1).answers(X)
    assert len(service.requests) == 1


@pytest.fixture
def logged():
    """All that any library logs."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


def test_a_key_is_sent_and_shown_nowhere(service, reply, tmp_path, monkeypatch, logged, capfd):
    monkeypatch.setenv("SERVICE_KEY", KEY)

    def respond(body: Any, n: int) -> Any:  # services repeat a key in errors, and in answers
        if n == 1:
            return reply({"error": f"Incorrect key {KEY}"}, status=500)
        if n == 2:
            return reply({"predictions": [f"{KEY}"]})
        return reply({"error": f"Incorrect key {KEY}"}, status=401)

    service.respond = respond
    teacher = made(
        service, tmp_path, api_key_env="SERVICE_KEY", classes=["a", "b"], score_kind="label"
    )
    shown = [repr(teacher), repr(vars(teacher)), repr(teacher.client)]
    shown += [str(teacher.answers(X[:1])), pickle.dumps(teacher).decode("latin1")]
    with pytest.raises(TeacherFailed) as caught:
        teacher.answers(X[1:2])
    shown += ["".join(traceback.format_exception(caught.value)), logged.getvalue()]
    shown += capfd.readouterr()
    assert service.requests[0][0]["authorization"] == f"bearer {KEY.lower()}"
    assert "HTTP Request: POST" in logged.getvalue()
    assert "Incorrect key [key]" in shown[5]
    teacher.store.close()
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 1
    assert not any(KEY.encode() in content for content in written)
    assert not any(KEY in text for text in shown)


def test_a_key_given_for_its_name_is_not_repeated():
    for setting in ({"api_key_env": KEY}, {"api_key_env": "hf_abcDEF"}):
        with pytest.raises(LimbeckError, match="api_key_env is not the name") as caught:
            Endpoint("http://127.0.0.1:9/", **setting)
        assert setting["api_key_env"] not in "".join(traceback.format_exception(caught.value))
    for url in (f"http://u:{KEY}@h/", f"http://h/?api_key={KEY}", f"ftp://{KEY}"):
        with pytest.raises(LimbeckError) as caught:
            Endpoint(url)
        assert KEY not in str(caught.value)
    with pytest.raises(LimbeckError, match="holds a secret") as caught:
        Endpoint("http://h/", headers={"Authorization": KEY})
    assert KEY not in str(caught.value)


def test_a_key_that_is_not_set_is_said_before_any_call(service, tmp_path, monkeypatch):
    monkeypatch.delenv("SERVICE_KEY", raising=False)
    with pytest.raises(LimbeckError, match="variable SERVICE_KEY is not set"):
        made(service, tmp_path, api_key_env="SERVICE_KEY").answers(X)
    assert not service.requests


PROGRAM = """
import sys, numpy as np
from limbeck.teachers import Endpoint
rows = np.arange(2000.0).reshape(1000, 2)
teacher = Endpoint(sys.argv[1], batch=1, concurrency=32, store=sys.argv[2], timeout=100)
assert np.array_equal(teacher.scores(rows)[:, 0], rows.sum(axis=1))
"""


@pytest.mark.slow
def test_a_killed_run_loses_no_answer(service, reply, tmp_path):
    reached = threading.Event()

    def respond(body: Any, n: int) -> Any:
        if n > 500 and not reached.is_set():
            if n > 531:  # 32 are under way: all earlier ones have been answered
                held.set()
            return reply(hold=True)
        return good(reply, body)

    held = threading.Event()
    service.respond = respond
    command = [sys.executable, "-c", PROGRAM, service.url, str(tmp_path / "a.sqlite")]
    process = subprocess.Popen(command, env=os.environ)
    assert held.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    stored = sqlite3.connect(tmp_path / "a.sqlite")
    assert stored.execute("SELECT COUNT(*) FROM answers").fetchone()[0] == 500
    stored.close()
    reached.set()
    subprocess.run(command, env=os.environ, check=True, timeout=60)
    assert len(service.answered) == 1000
    assert set(service.answered.values()) == {1}
    assert len(service.requests) == 1000 + 32  # those in flight at the kill were never answered


@pytest.mark.slow
def test_two_processes_share_the_store(service, reply, tmp_path):
    service.respond = lambda body, n: good(reply, body, delay=0.001)
    command = [sys.executable, "-c", PROGRAM, service.url, str(tmp_path / "a.sqlite")]
    both = [subprocess.Popen(command, env=os.environ) for _ in range(2)]
    assert [p.wait(100) for p in both] == [0, 0]
    assert len(service.answered) == 1000
    asked = sum(service.answered.values())
    assert subprocess.run(command, env=os.environ, check=True, timeout=60).returncode == 0
    assert sum(service.answered.values()) == asked


def test_json_of_a_request_is_whole(service, reply, tmp_path):
    service.respond = lambda body, n: good(reply, body)
    made(service, tmp_path).scores(X[:1])
    headers, body = service.requests[0]
    assert headers["content-type"] == "application/json"
    assert json.dumps(body) == '{"instances": [[0.0, 1.0]]}'


def test_sigterm_in_the_shell_says_where_the_answers_are(service, reply, tmp_path, logged):
    import os
    import signal

    from typer.testing import CliRunner

    from limbeck.cli.app import app

    def respond(body, n):
        if n == 30:
            os.kill(os.getpid(), signal.SIGTERM)
        choice = {"message": {"role": "assistant", "content": "B"}}
        return reply({"choices": [choice]})

    service.respond = respond
    texts, chat = tmp_path / "texts.csv", tmp_path / "chat.yaml"
    texts.write_text("text\n" + "".join(f"film {i}\n" for i in range(400)))
    chat.write_text(
        f'model: m\nbase_url: {service.base_url}\nprompt: "Good? {{text}}"\nclasses: [no, yes]\n'
        f"store: {tmp_path / 'kept.sqlite'}\n"
    )
    command = ["label", str(texts), "--teacher", str(chat), "--out", str(tmp_path / "l.jsonl")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 143
    assert f"what is finished is kept in {tmp_path / 'kept.sqlite'}. To go on:" in done.output
    assert "Traceback" not in logged.getvalue()

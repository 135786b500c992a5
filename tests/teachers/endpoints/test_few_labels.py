"""A chat model labels texts for a student: what is asked, counted by a server on loopback."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.teachers import Chat
from limbeck.teachers.endpoints.retries import Retries
from limbeck.teachers.endpoints.spending import Price

SCRIPT = """
import json, sys
import limbeck
from limbeck.teachers import Chat

base_url, store, texts, out = sys.argv[1:]
teacher = Chat(model="m", base_url=base_url, prompt="Good? {text}", classes=["no", "yes"],
               store=store, progress=False)
result = limbeck.distill(teacher, json.load(open(texts)), into="text_classifier", ngrams="words",
                         budget=600, epsilon=0.2, progress=False)
json.dump([str(result.student.fingerprint()), list(result.notes)], open(out, "w"))
"""


def corpus(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(f"w{i}" for i in rng.integers(0, 30, 7)) for _ in range(n)]


def good(text: str) -> bool:
    return sum(int(w[1:]) < 15 for w in text.split()) > 3


TEXTS = corpus(900)


@pytest.fixture
def labeller(service, reply):
    service.outside = 0

    def respond(body: Any, n: int) -> Any:
        text = body["messages"][-1]["content"].split("Good? ")[1].splitlines()[0]
        p = 0.9 if good(text) else 0.1
        listed = [{"token": t, "logprob": math.log(q)} for t, q in (("B", p), ("A", 0.99 - p))]
        listed.sort(key=lambda one: -one["logprob"])
        if service.outside and n % service.outside == 0:
            listed = [{"token": "Perhaps", "logprob": -0.01}]
        choice = {
            "message": {"role": "assistant", "content": listed[0]["token"]},
            "logprobs": {"content": [{**listed[0], "top_logprobs": listed}]},
        }
        usage = {"prompt_tokens": 40, "completion_tokens": 1}
        return reply({"choices": [choice], "usage": usage})

    service.respond = respond
    return service


def chat(service: Any, tmp_path: Any, **settings: Any) -> Chat:
    settings = {"prompt": "Good? {text}", "retries": Retries(2, base=0.01), **settings}
    return Chat(
        model="m", base_url=service.base_url, classes=["no", "yes"],
        store=tmp_path / "answers.sqlite", **settings,
    )  # fmt: skip


@pytest.mark.slow
def test_a_killed_run_goes_on_without_asking_twice(labeller, tmp_path):
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS))
    (tmp_path / "run.py").write_text(SCRIPT)
    command = [
        sys.executable, str(tmp_path / "run.py"), labeller.base_url,
        str(tmp_path / "answers.sqlite"), str(tmp_path / "texts.json"), str(tmp_path / "out.json"),
    ]  # fmt: skip
    process = subprocess.Popen(command, env=os.environ)
    until = time.monotonic() + 60
    while len(labeller.requests) < 250 and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = sum(labeller.answered.values())
    assert not (tmp_path / "out.json").exists()
    assert 200 <= before < 500
    subprocess.run(command, env=os.environ, check=True, timeout=60)
    twice = [body for body, times in labeller.answered.items() if times > 1]
    probing = 6  # the probe asks two questions three times, as further draws
    assert len(twice) <= 8 + probing  # what was under way when it was killed
    _, notes = json.loads((tmp_path / "out.json").read_text())
    bill = next(note for note in notes if note.startswith("Bill"))
    total = int(bill.split()[1])
    assert total <= 600
    assert len(labeller.answered) == total + 1  # and the probe's question with a text twice
    again = sum(labeller.answered.values())
    subprocess.run(command, env=os.environ, check=True, timeout=60)
    assert sum(labeller.answered.values()) == again  # a third run asks nothing


def test_the_bill_counts_what_was_paid_and_what_is_outside_the_classes(labeller, tmp_path):
    labeller.outside = 10
    teacher = chat(labeller, tmp_path, price=Price(per_request=0.01))
    result = limbeck.distill(
        teacher, TEXTS, into="text_classifier", ngrams="words", budget=400, epsilon=0.2
    )
    before, bill = (next(n for n in result.notes if n.startswith(w)) for w in ("Before", "Bill"))
    assert "about 4 USD" in before
    outside = int(bill.split("answers outside")[0].split()[-1])
    assert 10 <= outside <= 60
    learnt = result.trace["labels"] + result.certificate.n
    assert abs(int(bill.split()[1]) - learnt - outside) < 8
    spent = sum(labeller.answered.values()) * 0.01
    assert teacher.spending.cost == pytest.approx(spent)


def test_a_teacher_with_less_money_than_the_budget_asks_for_is_refused_unasked(labeller, tmp_path):
    teacher = chat(labeller, tmp_path, budget=100)
    with pytest.raises(LimbeckError, match="of the budget of 100"):
        limbeck.distill(teacher, TEXTS, into="text_classifier", budget=400)
    assert not labeller.requests

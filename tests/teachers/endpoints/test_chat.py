from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck import LimbeckError
from limbeck.core.answers import ScoreKind
from limbeck.core.errors import TeacherFailed
from limbeck.teachers import Chat
from limbeck.teachers.endpoints.retries import Retries
from limbeck.teachers.endpoints.spending import Price

TEXTS = [f"{'good' if i % 2 else 'bad'} film {i}" for i in range(30)]


def made(service: Any, tmp_path: Any, **settings: Any) -> Chat:
    settings = {
        "prompt": "Is this review positive? {text}",
        "classes": ["no", "yes"],
        "retries": Retries(2, base=0.01),
        **settings,
    }
    return Chat(model="m", base_url=service.base_url, store=tmp_path / "answers.sqlite", **settings)


def chat(reply: Any, text: str, top: dict[str, float] | None = None, **usage: int) -> Any:
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}}
    if top is not None:
        listed = [{"token": t, "logprob": math.log(p)} for t, p in top.items()]
        choice["logprobs"] = {"content": [{**listed[0], "top_logprobs": listed}]}
    counted = usage or {"prompt_tokens": 50, "completion_tokens": 1}
    return reply({"choices": [choice], "usage": counted})


def good(body: Any) -> bool:
    return "good film" in body["messages"][-1]["content"]


@pytest.fixture
def honest(service, reply):
    def respond(body: Any, n: int) -> Any:
        words = len(body["messages"][-1]["content"].split())
        p = 0.8 if good(body) else 0.1
        top = {"B": 0.75 * p, " B": 0.25 * p, "A": 0.9 - p, "The": 0.05}
        text = max(top, key=lambda t: top[t])
        return chat(reply, text, top, prompt_tokens=words + 21, completion_tokens=1)

    service.respond = respond
    return service


def test_classes_are_read_from_log_probabilities_of_all_spellings(honest, tmp_path):
    teacher = made(honest, tmp_path)
    found = teacher.answers(TEXTS)
    assert honest.path == "/v1/chat/completions"
    assert (found.scores[:, 1] > 0.5).tolist() == [i % 2 == 1 for i in range(30)]
    low, high = found.low[1], found.high[1]
    assert low[1] == pytest.approx(0.8 / (0.8 + 0.15))  # the rest, 0.05, could all be " A"
    assert high[1] == pytest.approx(0.85 / 0.95)
    assert (found.low <= found.scores).all()
    assert (found.scores <= found.high).all()
    assert not found.undecided.any()
    assert teacher.score_kind is ScoreKind.PROBABILITY
    body = honest.requests[0][1]
    assert (body["max_tokens"], body["top_logprobs"], body["temperature"]) == (1, 20, 0.0)
    assert body["messages"][0]["content"].endswith("A. no\nB. yes\n\nAnswer with A or B only.")


def test_the_probe_says_what_the_server_does_and_costs_nothing_again(honest, tmp_path):
    teacher = made(honest, tmp_path)
    probe = teacher.probe(TEXTS)
    assert (probe.mode, probe.fault, probe.repeats, probe.template) == ("logprobs", "", True, "")
    assert probe.questions == len(honest.requests) == 7
    assert probe.tokens_added == 21 + 10  # of the server, and the words of the options
    assert made(honest, tmp_path).probe(TEXTS).questions == 0
    assert made(honest, tmp_path).answers(TEXTS[:2]).asked == 0


def test_a_server_that_ignores_the_flag_is_asked_for_structured_output(service, reply, tmp_path):
    def respond(body: Any, n: int) -> Any:
        if "response_format" not in body:
            return chat(reply, "A")
        assert body["response_format"]["json_schema"]["schema"]["properties"]["answer"]["enum"]
        return chat(reply, '{"answer": "yes"}' if good(body) else '{"answer": "no"}')

    service.respond = respond
    teacher = made(service, tmp_path)
    found = teacher.scores(TEXTS)
    assert found[:, 1].tolist() == [i % 2 for i in range(30)]
    assert teacher.score_kind is ScoreKind.LABEL
    assert "the server returns no log-probabilities" in teacher.note


@pytest.mark.parametrize(
    ("top", "fault"),
    [({"A": 1.0}, "of one token only"), ({"A": 0.5, "B": 0.5}, "the same log-probability")],
)
def test_false_log_probabilities_are_not_used(service, reply, tmp_path, top, fault):
    service.respond = lambda body, n: chat(reply, "Yes." if good(body) else "no", top)
    teacher = made(service, tmp_path)
    teacher.probe(TEXTS)
    assert teacher.mode == "text"
    assert fault in teacher.note
    with pytest.raises(TeacherFailed, match="mode is 'logprobs', and"):
        made(service, tmp_path, mode="logprobs").answers(TEXTS)


def test_answers_outside_the_classes_are_listed_and_never_taken_for_one(service, reply, tmp_path):
    said = ["<think>no?</think> Yes", "not yes", "I cannot say.", "", '"no".', "YES", "yes or no"]
    rows = [f"row {i}" for i in range(len(said))]

    def respond(body: Any, n: int) -> Any:
        text = body["messages"][-1]["content"]
        return chat(reply, next(s for s, r in zip(said, rows, strict=True) if r in text))

    service.respond = respond
    found = made(service, tmp_path, mode="text").answers(rows)
    assert [m.row for m in found.missing] == [1, 2, 3, 6]
    assert all(m.outside for m in found.missing)
    assert found.scores[[0, 4, 5], 1].tolist() == [1, 0, 1]
    assert "4 rows answered by no class" in str(found)
    with pytest.raises(TeacherFailed, match="no usable answer to 4 rows of 7"):
        made(service, tmp_path, mode="text").scores(rows)


def test_a_first_token_that_is_no_option_is_outside(service, reply, tmp_path):
    service.respond = lambda body, n: chat(reply, "The", {"The": 0.5, "A": 0.3, "B": 0.1})
    found = made(service, tmp_path, mode="logprobs").answers(TEXTS[:3])
    assert len(found.missing) == 3
    assert "'The', which is no option" in found.missing[0].reason


def test_a_teacher_that_changes_its_answer_is_no_function(service, reply, tmp_path):
    rng = np.random.default_rng(0)

    def respond(body: Any, n: int) -> Any:
        sure = "film 1" in body["messages"][-1]["content"]
        return chat(reply, "yes" if sure or rng.random() < 0.5 else "no")

    service.respond = respond
    teacher = made(service, tmp_path, mode="text")
    found = teacher.repeatability(TEXTS[:20], times=6)
    assert not found.is_function
    assert 5 <= found.changed <= 9  # of the nine without film 1
    assert "not a function of its rows" in str(found)
    steady = made(service, tmp_path, mode="text").repeatability(TEXTS[10:15], times=3)
    assert steady.is_function
    assert steady.at_most == pytest.approx(1 - 0.05 ** (1 / 5))


def test_tokens_are_paid_and_estimated_before(honest, tmp_path):
    price = Price(per_million_input_tokens=1e6, per_million_output_tokens=2e6)
    teacher = made(honest, tmp_path, price=price)
    estimate = teacher.estimate(TEXTS)
    assert (estimate.requests, estimate.output_tokens) == (30, 30)
    found = teacher.answers(TEXTS)
    words = [len(body["messages"][0]["content"].split()) for _, body in honest.requests]
    assert teacher.spending.cost == sum(words) + len(words) * (21 + 2)
    assert found.currency == "USD"
    poor = made(honest, tmp_path, price=price, budget_cost=10.0, revision="2")
    before = len(honest.requests)
    with pytest.raises(LimbeckError, match="of the budget of 10 are left"):
        poor.answers(TEXTS)
    assert len(honest.requests) == before


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"prompt": "Is it good?"}, "names no column"),
        ({"prompt": "<|im_start|>user {text}"}, "a mark of a chat template"),
        ({"prompt": "[INST] {text} [/INST]"}, "a mark of a chat template"),
        ({"classes": ["a"] * 2}, "classes"),
        ({"classes": [str(i) for i in range(27)]}, "27 classes"),
        ({"mode": "logits"}, "mode is 'logits'"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"extra": {"messages": []}}, "extra holds 'messages'"),
        ({"budget": -1}, "budget is -1"),
        ({"budget_cost": 1.0}, "nothing has a price"),
    ],
)
def test_bad_settings_are_refused(tmp_path, settings, match):
    settings = {"prompt": "{text}", "classes": [0, 1], **settings}
    with pytest.raises(LimbeckError, match=match):
        Chat(model="m", base_url="http://127.0.0.1:9/v1", **settings)


def test_prompts_are_filled_from_columns(honest, tmp_path):
    frame = pd.DataFrame({"title": ["{0.__class__}"], "n": [3]})
    teacher = made(honest, tmp_path, prompt="{{{title}}} has {n}", mode="logprobs")
    teacher.answers(frame)
    assert honest.requests[0][1]["messages"][0]["content"].startswith("{{0.__class__}} has 3\n")
    with pytest.raises(LimbeckError, match="the column 'titel'"):
        made(honest, tmp_path, prompt="{titel}").estimate(frame)


def test_answers_to_other_options_are_not_taken(honest, tmp_path):
    first = made(honest, tmp_path).answers(TEXTS[:4])
    turned = made(honest, tmp_path, classes=["yes", "no"])
    found = turned.answers(TEXTS[:4])
    assert found.asked == 2  # the probe asked about the first two
    assert np.allclose(found.scores, first.scores)  # this server answers A and B as before
    assert made(honest, tmp_path, classes=["yes", "no"]).answers(TEXTS[:4]).asked == 0

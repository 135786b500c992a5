from __future__ import annotations

from typing import Any

import pytest

from limbeck.teachers import Chat
from limbeck.teachers.completions import Sampling
from limbeck.teachers.endpoints.chat_completions import ChatWriter
from limbeck.teachers.endpoints.retries import Retries
from limbeck.teachers.endpoints.spending import Price


@pytest.fixture
def echo(service, reply):
    def respond(body: Any, n: int) -> Any:
        text = body["messages"][-1]["content"]
        choice = {"message": {"content": f"{text}!"}, "finish_reason": "length"}
        usage = {"prompt_tokens": 7, "completion_tokens": 2}
        return reply({"choices": [choice], "usage": usage}, 400 if "fail" in text else 200)

    service.respond = respond
    return service


def writer(service: Any, tmp_path: Any, **settings: Any) -> ChatWriter:
    return ChatWriter(
        Chat(model="m", base_url=service.base_url, store=tmp_path / "a.sqlite", prompt="Is {text}?",
             classes=["no", "yes"], retries=Retries(0), **settings)
    )  # fmt: skip


def ask(one: ChatWriter, prompts: list[str], sampling: Sampling, draw: int = 0) -> list[Any]:
    return one.complete(prompts, sampling, [draw] * len(prompts), lambda n: None)


def test_answers_are_kept_by_prompt_sampling_and_draw(echo, tmp_path):
    own = writer(echo, tmp_path, price=Price(per_request=0.5))
    found = ask(own, ["a", "b", "a", "fail"], Sampling(9))
    assert [(c.text, c.finish) for c in found[:3]] == [
        ("a!", "length"), ("b!", "length"), ("a!", "length"),
    ]  # fmt: skip
    assert "status 400" in found[3].failed
    assert len(echo.requests) == 3  # equal prompts are one
    bill = own.bill()
    assert (bill.requests, bill.cost, bill.input_tokens, bill.output_tokens) == (3, 1.0, 14, 4)
    ask(own, ["a", "b"], Sampling(9))
    assert len(echo.requests) == 3
    ask(own, ["a"], Sampling(9), draw=1)
    ask(own, ["a"], Sampling(10))
    ask(own, ["a"], Sampling(9, stop=("x",)))
    assert len(echo.requests) == 6
    assert echo.requests[-1][1]["stop"] == ["x"]


def test_the_teachers_own_limit_of_length_is_not_taken_over(echo, tmp_path):
    extra = {"max_tokens": None, "max_completion_tokens": 1, "temperature": None, "seed": 5}
    ask(writer(echo, tmp_path, extra=extra, system="Be brief."), ["a"], Sampling(9))
    body = echo.requests[0][1]
    assert body["max_completion_tokens"] == 9
    assert "max_tokens" not in body
    assert "temperature" not in body
    assert body["seed"] == 5
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_budget_is_spent(echo, tmp_path):
    own = writer(echo, tmp_path, budget=2)
    found = ask(own, ["a", "b", "c"], Sampling(9))
    assert own.spent()
    assert sum(bool(c.failed) for c in found) == 1

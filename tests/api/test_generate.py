"""A language model behind a real server on loopback writes sets; runs are killed and go on."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.teachers import Chat
from limbeck.teachers.endpoints.retries import Retries
from limbeck.teachers.endpoints.spending import Price

_PLACE = Path(__file__).resolve().parent.parent / "teachers" / "endpoints" / "conftest.py"
_spec = importlib.util.spec_from_file_location("loopback_service", _PLACE)
assert _spec is not None
assert _spec.loader is not None
loopback = importlib.util.module_from_spec(_spec)
sys.modules["loopback_service"] = loopback
_spec.loader.exec_module(loopback)
service = loopback.service

THINGS = [f"{a}{b}" for a in ("river", "poet", "law", "tool", "star", "game", "song", "city")
          for b in ("s", "names", "lists", "ideas", "rules", "facts")]  # fmt: skip
SEEDS = [
    {"id": f"s{i}", "instruction": f"Write about {thing} in your own words, number {i}.",
     "instances": [{"input": "" if i % 2 else f"{thing}", "output": f"About {thing}."}],
     "is_classification": i % 4 == 0}
    for i, thing in enumerate(THINGS[:20])
]  # fmt: skip


def answer(prompt: str) -> str:
    """What the model says: a function of the prompt, so that runs can be compared."""
    draw = random.Random(prompt)
    if prompt.startswith("Come up with a series of tasks"):
        tasks = [" ".join(draw.sample(THINGS, 6)).capitalize() + "." for _ in range(3)]
        return "\n".join(
            [f" {tasks[0]}", f"10. {tasks[1]}", f"11. {tasks[2]}", "12. Draw a map of it."]
        )
    if prompt.startswith("Can the following"):
        return " Yes" if draw.random() < 0.3 else " No"
    if prompt.startswith("Given the classification"):
        return f"Class label: a\n{draw.choice(THINGS)}\nClass label: b\n{draw.random()}"
    if prompt.startswith("Come up with examples"):
        return f"Example 1\n{draw.random()}\nOutput: {draw.random()}\nExample 2\nx\nOutput: x"
    words = ["fine", "great", "lovely"] if "'yes'" in prompt else ["dull", "bad", "poor"]
    lines = [f"{draw.choice(words)} film of {' '.join(draw.sample(THINGS, 4))}" for _ in range(4)]
    return "\n".join([f" {lines[0]}", *(f"{i}. {line}" for i, line in enumerate(lines[1:], 2))])


def reply(text: str, prompt: str, finish: str = "stop") -> Any:
    usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(text) // 4}
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return loopback.Reply({"choices": [choice], "usage": usage})


def prompt_of(body: Any) -> str:
    return str(body["messages"][-1]["content"])


@pytest.fixture
def model(service):
    service.respond = lambda body, n: reply(answer(prompt_of(body)), prompt_of(body))
    return service


def chat(service: Any, tmp_path: Path, **settings: Any) -> Chat:
    settings = {"prompt": "Is this film good? {text}", "classes": ["no", "yes"],
                "retries": Retries(1, base=0.001), **settings}  # fmt: skip
    return Chat(model="m", base_url=service.base_url, store=tmp_path / "a.sqlite", **settings)


def test_a_set_of_tasks_counts_everything_and_is_read_again(model, tmp_path):
    teacher = chat(model, tmp_path, price=Price(per_request=0.01))
    found = limbeck.generate(teacher, SEEDS, n=30, out=tmp_path / "set")
    instructions = {row.instruction for row in found.rows}
    assert len(instructions) == 30
    assert found.bill.requests == len(model.requests) == len(found.requests)
    assert found.bill.cost == pytest.approx(0.01 * len(model.requests))
    counts = {(line.unit, line.what): line.count for line in found.funnel}
    asked = counts["prompts", "writing instructions"]
    assert counts["instructions", "dropped: asks for more than text ('map')"] <= asked
    assert counts["instructions", "kept"] == 30
    assert counts["instructions", "written"] == 30 + sum(
        c for (unit, what), c in counts.items() if unit == "instructions" and "dropped" in what
    )
    assert counts["instances", "dropped: output equal to input"] > 0
    assert counts["rows", "kept"] == len(found)
    for row in found.rows:  # traced to seeds, prompts and model
        stages = [found.requests[number].stage for number in row.requests]
        assert stages == ["writing instructions", "telling classification tasks",
                          "writing instances"]  # fmt: skip
        assert len(row.prompt_tasks) == 8
        prompt = found.requests[row.requests[0]].prompt
        assert prompt.count("\n") == 9
        assert row.model == "m"
        assert row.output in found.requests[row.requests[2]].answer
    again = limbeck.load(tmp_path / "set")
    assert str(again) == str(found)
    assert again.rows == found.rows
    assert again.dropped == found.dropped
    assert (tmp_path / "set" / "report.html").stat().st_size > 2000
    assert len(found.to_frame("rows")) == len(found)


def test_prompts_hold_six_seeds_and_two_of_its_own(model, tmp_path):
    found = limbeck.generate(chat(model, tmp_path), SEEDS, n=25)
    prompts = Counter(row.requests[0] for row in found.rows)
    kinds = [[name.startswith("row_") for name in row.prompt_tasks] for row in found.rows]
    assert {sum(kind) for kind in kinds} == {0, 2}  # none while nothing was kept
    assert len(prompts) > 5
    bodies = [body for _, body in model.requests]
    first, rest = bodies[0], bodies[-1]
    assert (first["temperature"], first["top_p"], first["presence_penalty"]) == (0.7, 0.5, 2.0)
    assert first["stop"] == ["\n\n", "\n16", "16.", "16 ."]
    assert (rest["temperature"], rest["presence_penalty"]) == (0.0, 1.5)
    assert rest["stop"] == ["Example 6", "Task:"]
    assert "logprobs" not in first


def test_the_same_answers_give_the_same_set_and_cost_nothing(model, tmp_path):
    first = limbeck.generate(chat(model, tmp_path), SEEDS, n=12)
    asked = len(model.requests)
    second = limbeck.generate(chat(model, tmp_path), SEEDS, n=12)
    assert len(model.requests) == asked
    assert second.rows == first.rows
    assert (second.bill.requests, second.bill.stored) == (0, asked)
    more = limbeck.generate(chat(model, tmp_path), SEEDS, n=20)
    assert {r.instruction for r in first.rows} <= {r.instruction for r in more.rows}
    other = limbeck.generate(chat(model, tmp_path), SEEDS, n=12, seed=1)
    assert other.rows != first.rows


def rewriting(body: Any, n: int) -> Any:
    """Rewrites, leaks the prompt, refuses, and answers, as a function of the prompt."""
    prompt = prompt_of(body)
    draw = random.Random(f"{prompt}{n if body['temperature'] else ''}")
    if "nothing else." in prompt:
        parent = prompt.split("\n\n")[1]
        words = " ".join(draw.sample(THINGS, 7))
        return reply(draw.choice([f"{words}.", parent, f"#Rewritten Prompt#: {words}"]), prompt)
    return reply(draw.choice(["Sorry, I cannot.", "A good answer.", "..."]), prompt)


@pytest.mark.parametrize("method", ["evolve", "rewrite"])
def test_variants_rewrite_and_answer(service, tmp_path, method):
    service.respond = rewriting
    found = limbeck.generate(chat(service, tmp_path), SEEDS, n=20, method=method)
    why = {d.filter for d in found.dropped}
    assert {"words of the prompt", "ROUGE-L above 0.7", "an answer that says sorry",
            "an answer without letters"} == why  # fmt: skip
    assert found.rows
    assert {row.output for row in found.rows} == {"A good answer."}
    parents = {row.prompt_tasks[0] for row in found.rows}
    assert any(p.startswith("s") for p in parents)
    assert len([r for r in found.requests if r.stage == "answering"]) == 20
    asked = {r.prompt.split("\n\n")[0] for r in found.requests if r.stage != "answering"}
    assert len(asked) == (5 if method == "evolve" else 1)


def test_a_server_cannot_be_asked_with_an_empty_prompt(service, tmp_path):
    service.respond = lambda body, n: pytest.fail("asked")
    with pytest.raises(LimbeckError, match="cannot be asked with an empty prompt"):
        limbeck.generate(chat(service, tmp_path), n=3, method="empty_prompt")


def test_an_answer_that_was_cut_off_is_dropped_whole(service, tmp_path):
    def respond(body: Any, n: int) -> Any:
        prompt = prompt_of(body)
        cut = prompt.startswith("Come up with a series") and random.Random(prompt).random() < 0.5
        return reply(answer(prompt), prompt, "length" if cut else "stop")

    service.respond = respond
    found = limbeck.generate(chat(service, tmp_path), SEEDS, n=10)
    cut = [one for one in found.dropped if one.filter == "cut at the length limit"]
    assert cut
    lost = {one.request for one in cut}
    assert not any(row.requests[0] in lost for row in found.rows)


def test_a_request_that_failed_fails_again_when_the_run_is_repeated(
    service, reply_or_fail, tmp_path
):
    service.respond = reply_or_fail
    first = limbeck.generate(chat(service, tmp_path), SEEDS, n=10, out=tmp_path / "set")
    silent = [r.number for r in first.requests if r.finish == "none"]
    assert silent
    noted = [json.loads(x) for x in (tmp_path / "set/failed.jsonl").read_text().splitlines()]
    assert [one["request"] for one in noted] == silent
    service.respond = lambda body, n: pytest.fail("asked twice")
    again = limbeck.generate(chat(service, tmp_path), SEEDS, n=10, out=tmp_path / "set")
    assert again.rows == first.rows
    assert any("no answer" in line.what for line in again.funnel)


@pytest.fixture
def reply_or_fail():
    def respond(body: Any, n: int) -> Any:
        prompt = prompt_of(body)
        if prompt.startswith("Come up with a series") and random.Random(prompt).random() < 0.3:
            return loopback.Reply({}, status=400)
        return reply(answer(prompt), prompt)

    return respond


def test_a_budget_ends_the_run_and_more_budget_goes_on(model, tmp_path):
    whole = limbeck.generate(chat(model, tmp_path / "a"), SEEDS, n=15)
    short = limbeck.generate(
        chat(model, tmp_path / "b", budget=20), SEEDS, n=15, out=tmp_path / "set"
    )
    assert short.bill.requests == 20
    assert short.stopped == "the budget is spent"
    assert "Fewer than was asked for (15): the budget is spent." in str(short)
    more = limbeck.generate(
        chat(model, tmp_path / "b", budget=500), SEEDS, n=15, out=tmp_path / "set"
    )
    assert more.rows == whole.rows
    assert more.bill.requests + 20 == len(whole.requests)
    few = limbeck.generate(chat(model, tmp_path / "c"), SEEDS, n=15, max_requests=9)
    assert few.stopped == "max_requests=9 was reached"
    assert not few.rows


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_without_asking_twice(model, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, limbeck\n"
        "from limbeck.teachers import Chat\n"
        "teacher = Chat(model='m', base_url=sys.argv[1], prompt='Is this film good? {text}',\n"
        "               classes=['no', 'yes'], store=sys.argv[2], concurrency=2)\n"
        "print(len(limbeck.generate(teacher, sys.argv[3], n=25, out=sys.argv[4])))\n"
    )
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("\n".join(map(json.dumps, SEEDS)))
    command = [sys.executable, str(script), model.base_url, str(tmp_path / "answers.sqlite"),
               str(seeds), str(tmp_path / "set")]  # fmt: skip
    quick = model.respond

    def slow(body: Any, n: int) -> Any:
        found = quick(body, n)
        found.delay = 0.02
        return found

    model.respond = slow
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while len(model.answered) < 15 and time.monotonic() < end and run.poll() is None:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    time.sleep(0.1)
    before = len(model.answered)
    assert before >= 15
    model.respond = quick
    subprocess.run(command, env=env, check=True, capture_output=True, timeout=120)
    twice = sum(count - 1 for count in model.answered.values())
    assert twice <= 2  # what was under way at that moment
    assert limbeck.load(tmp_path / "set").bill.stored >= before - 2


def test_texts_by_class_are_balanced_and_feed_a_classifier(model, tmp_path):
    teacher = chat(model, tmp_path, mode="text")
    quick = model.respond

    def respond(body: Any, n: int) -> Any:
        prompt = prompt_of(body)
        if "Answer with one of these only" in prompt:
            good = any(word in prompt for word in ("fine", "great", "lovely"))
            return reply("yes" if good else "no", prompt)
        return quick(body, n)

    model.respond = respond
    rng = random.Random(0)
    words = ["fine", "great", "dull", "bad"]
    real = [f"{rng.choice(words)} film on {' '.join(rng.sample(THINGS, 5))}" for _ in range(220)]
    y = ["yes" if text.startswith(("fine", "great")) else "no" for text in real]
    found = limbeck.generate(teacher, n=60, real=real, y=y, out=tmp_path / "set")
    assert Counter(found.labels) == {"no": 30, "yes": 30}
    assert found.control is not None
    assert found.control.rows == 60
    assert found.control.written_as == 1.0
    assert found.control.test_rows == pytest.approx(66, abs=1)
    assert [e.role for e in found.control.comparison.entries] == [
        "teacher", "student", "control", "baseline",
    ]  # fmt: skip
    assert "evidence that generating helped" in str(found) or "Generating h" in str(found)
    assert str(limbeck.load(tmp_path / "set")) == str(found)
    assert "at most 350 prompts and 358,400 tokens written" in str(found).replace("\n", " ")
    result = limbeck.distill(teacher, found, into="text_classifier", among=["ngrams"], epsilon=0.3)
    assert "written by a model" in " ".join(result.notes)
    assert result.student.predict(["a great film about it"]).tolist() == ["yes"]
    held = limbeck.distill(
        teacher, found, into="text_classifier", among=["ngrams"], epsilon=0.3,
        holdout=(real[:80], y[:80]),
    )  # fmt: skip
    assert "written by a model" not in " ".join(held.notes)
    assert held.certificate.n == 80


def test_a_text_that_comes_for_two_classes_is_in_neither(service, tmp_path):
    def respond(body: Any, n: int) -> Any:
        prompt = prompt_of(body)
        own = "yes" if "'yes'" in prompt else "no"
        return reply(f" the very same text\n2. a text of its own for {own} {n}", prompt)

    service.respond = respond
    found = limbeck.generate(chat(service, tmp_path), n=4, similarity=0.95)
    assert not any(row.input == "the very same text" for row in found.rows)
    assert any(d.filter == "one text for two classes" for d in found.dropped)


def test_rows_that_share_thirteen_words_with_the_test_set_are_out(model, tmp_path):
    free = limbeck.generate(chat(model, tmp_path), SEEDS, n=8)
    row = free.rows[0]
    test = [f"{row.instruction} {row.input} {row.output} and more"]
    clean = limbeck.generate(chat(model, tmp_path), SEEDS, n=8, test=test, overlap=6)
    assert row not in clean.rows
    assert any(d.filter == "shares 6 words with a test row" for d in clean.dropped)


def test_a_comparison_that_cannot_be_made_does_not_lose_the_set(model, tmp_path):
    teacher = chat(model, tmp_path, mode="text", budget=40)
    real = [f"{thing} in film {i}" for i in range(4) for thing in THINGS]
    found = limbeck.generate(teacher, n=24, real=real, out=tmp_path / "set")
    assert len(found) == 24
    assert found.control is None
    assert "Not compared with real rows:" in str(found)
    assert "of the budget of 40 are left" in str(found)
    assert len(limbeck.load(tmp_path / "set")) == 24


@pytest.mark.parametrize("seeds", [SEEDS, None])
def test_words_of_a_chat_model_before_its_list_are_no_row(service, tmp_path, seeds):
    def respond(body: Any, n: int) -> Any:
        prompt = prompt_of(body)
        text = answer(prompt)
        if prompt.startswith("Come up with a series of tasks") or "Class label:" in prompt[-40:]:
            text = f"Sure, here are some more of them:\n1. {text.strip()}"
        return reply(text, prompt)

    service.respond = respond
    found = limbeck.generate(chat(service, tmp_path), seeds, n=10)
    assert len(found) >= 10
    assert not any("here are some" in f"{r.instruction} {r.input}".lower() for r in found.rows)
    assert any(d.filter == "words before the list" for d in found.dropped)


def test_classification_tasks_alone(model, tmp_path):
    found = limbeck.generate(chat(model, tmp_path), SEEDS, n=4, classification=True)
    first = found.requests[0].prompt
    assert first.startswith("Come up with a series of classification tasks. Try to specify")
    shown = {name for row in found.rows for name in row.prompt_tasks}
    seeds = {s["id"] for s in SEEDS if s["is_classification"]}
    assert {name for name in shown if name.startswith("s")} <= seeds
    with pytest.raises(LimbeckError, match="None of the seeds is a classification task"):
        limbeck.generate(chat(model, tmp_path), SEEDS[1:4], n=4, classification=True)


@pytest.mark.parametrize("damage", [b"{", b'{"id": 3}', b"[]", b'{"id": "a", "id": "b"}'])
def test_a_damaged_row_of_a_folder_is_named(model, tmp_path, damage):
    limbeck.generate(chat(model, tmp_path), SEEDS, n=4, out=tmp_path / "set")
    path = tmp_path / "set" / "rows.jsonl"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], damage, *lines[2:]]))
    with pytest.raises(LimbeckError, match="Line 2 of"):
        limbeck.load(tmp_path / "set")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": 0}, "n is 0"),
        ({"method": "self_instruction"}, "Did you mean 'self_instruct'"),
        ({"similarities": 0.5}, "Did you mean 'similarity'"),
        ({"y": ["yes"]}, "y was given without real texts"),
        ({"real": ["a text"] * 5}, "Give at least 67 real texts"),
        ({"seeds": []}, "holds no seed"),
        ({"seeds": "no_such_file.jsonl"}, "cannot be read"),
        ({"seeds": {"maybe": ["x"]}}, "Seeds are given for the class 'maybe'"),
        ({"seeds": (["a", "b"], ["yes"])}, "2 texts and 1 labels"),
        ({"encoder": 3}, "The encoder is a int"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_asked(service, tmp_path, change, said):
    service.respond = lambda body, n: pytest.fail("asked")
    with pytest.raises(LimbeckError, match=said):
        limbeck.generate(chat(service, tmp_path), **{"seeds": SEEDS, "n": 5, **change})


def test_a_folder_of_another_run_and_teachers_that_write_nothing_are_refused(model, tmp_path):
    limbeck.generate(chat(model, tmp_path), SEEDS, n=4, out=tmp_path / "set")
    with pytest.raises(LimbeckError, match="holds a run with another seed"):
        limbeck.generate(chat(model, tmp_path), SEEDS, n=4, out=tmp_path / "set", seed=3)
    with pytest.raises(LimbeckError, match="writes no text"):
        limbeck.generate((["a"], [0]), SEEDS, n=4)

"""Long runs of every kind, small: each writes to a folder and goes on when called again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import limbeck

__all__ = ["RUNS", "service"]

THINGS = [f"{a}{b}" for a in ("river", "poet", "law", "tool", "star", "game", "song", "city")
          for b in ("s", "names", "lists", "ideas", "rules", "facts")]  # fmt: skip


@cache
def _forest() -> Any:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X = X.iloc[:, :3]
    return (
        RandomForestClassifier(3, max_depth=3, random_state=0).fit(X[::2], y[::2]),
        X[1::2],
        y[1::2],
    )


def _readable(into: str, **settings: Any) -> Callable[[Path], Any]:
    def run(out: Path) -> Any:
        forest, X, y = _forest()
        return limbeck.distill(forest, X, y, into=into, out=out, queries=300,
                               progress=False, **settings)  # fmt: skip

    return run


def tournament(out: Path) -> Any:
    """Two kinds of students by several ways."""
    forest, X, y = _forest()
    into = ["tree", "linear"]
    return limbeck.tournament(forest, X, y, into=into, max_numbers=4, seconds=1000, out=out,
                              progress=False, n_jobs=1)  # fmt: skip


def audit(out: Path) -> Any:
    """Two models, 19 bags each."""
    forest, X, y = _forest()
    rows = X.assign(score=forest.predict_proba(X)[:, 1], outcome=y)
    return limbeck.audit(rows, score="score", outcome="outcome", bags=19, out=out, progress=False)


def wavelet(out: Path) -> Any:
    """A network of signals into filters."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(16, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    signals = np.random.default_rng(0).normal(size=(210, 16)).cumsum(1)
    return limbeck.distill(
        network, signals, into="wavelet", regression=True, starts=2, wavelet="db2", levels=1,
        queries=30, out=out, progress=False,
    )  # fmt: skip


def _rows() -> Any:
    import torch

    X = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
    W = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    teacher = torch.nn.Linear(4, 3)
    teacher.weight.data, teacher.bias.data = 5 * W.T.contiguous(), torch.zeros(3)
    return teacher, X, (X @ W).argmax(1)


def _student() -> Any:
    import torch

    return torch.nn.Linear(4, 3)


def training(out: Path) -> Any:
    """A network into a smaller one, two seeds, the teacher's outputs stored."""
    teacher, X, y = _rows()
    return limbeck.distill(
        teacher, (X[:60], y[:60]), into=_student, test=(X[120:], y[120:]), epochs=8, seeds=2,
        batch_size=16, timing=False, baseline=False, out=out, progress=False, checkpoint_every=2,
    )  # fmt: skip


def tune(out: Path) -> Any:
    """Four trials of student and control by halving."""
    teacher, X, y = _rows()
    return limbeck.tune(
        teacher, (X[:60], y[:60]), into=_student, validation=(X[60:120], y[60:120]),
        over={"lr": [1e-4, 1e-2, 1e-1], "temperature": [1.0, 4.0]}, test=(X[120:], y[120:]),
        epochs=4, trials=4, batch_size=16, seeds=1, timing=False, baseline=False, out=out,
        progress=False,
    )  # fmt: skip


@cache
def _llamas() -> Any:
    import importlib.util

    place = Path(__file__).parent.parent / "language" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny_llamas", place)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    from limbeck.language.models import LanguageModel

    make = {name: getattr(found, name).__wrapped__() for name in ("make_llama", "make_tokenizer")}
    tokenizer = make["make_tokenizer"]()
    return (
        LanguageModel(make["make_llama"](24, 2, 0), tokenizer, "big"),
        LanguageModel(make["make_llama"](16, 1, 1), tokenizer, "small"),
    )


def language(out: Path) -> Any:
    """One tiny Llama into another."""
    draw = random.Random(0)
    rows = [{"prompt": "".join(draw.choices("abcdef", k=5)) + f" {chr(97 + i // 6)}{i % 6 * 'x'}",
             "completion": "hello"} for i in range(40)]  # fmt: skip
    big, small = _folders()
    return limbeck.distill(
        big, rows, into=small, objective=limbeck.language.TokenKD(), max_new_tokens=4,
        batch_size=8, epochs=2, lr=0.01, distinct_n=2, out=out, progress=False, checkpoint_every=2,
    )  # fmt: skip


@cache
def _folders() -> tuple[str, str]:
    import tempfile

    place = Path(tempfile.gettempdir()) / "limbeck-kills-models"
    for model, name in zip(_llamas(), ("big", "small"), strict=True):
        if not (place / name / "config.json").exists():
            model.save_pretrained(place / name)
    return f"hf:{place / 'big'}", f"hf:{place / 'small'}"


def record(out: Path) -> Any:
    """The next-token distributions of 60 texts, in shards of 100 positions."""
    from limbeck.language import recording

    recording._SHARD = 100
    draw = random.Random(0)
    texts = ["".join(draw.choices("abcdefgh ", k=20)) for _ in range(60)]
    return limbeck.language.record(
        _llamas()[0], texts, out, keep="sampled:5", batch_size=4, max_new_tokens=30, progress=False
    )


def label(out: Path) -> Any:
    """2,000 texts in blocks of 256, each text noted when it is asked about."""
    out.mkdir(exist_ok=True)

    def score(texts: Any) -> Any:
        with (out / "asked.txt").open("a") as file:
            file.write("".join(f"{t}\n" for t in texts))
        return np.array([[0.2, 0.8] if "1" in t else [0.7, 0.3] for t in texts])

    teacher = limbeck.as_teacher(score, classes=("no", "yes"), score_kind="probability")
    texts = [f"text {i}" for i in range(2_000)]
    return limbeck.label(teacher, texts, out=out / "l.jsonl", name="kills", progress=False)


ADDRESS: list[str] = []
"""Where the service of `generate` listens."""


def generate(out: Path) -> Any:
    """Instructions by a model behind a server on loopback."""
    from limbeck.teachers import Chat

    seeds = [
        {"id": f"s{i}", "instruction": f"Write about {thing} in your own words, number {i}.",
         "instances": [{"input": "", "output": f"About {thing}."}],
         "is_classification": i % 4 == 0} for i, thing in enumerate(THINGS[:20])
    ]  # fmt: skip
    teacher = Chat(model="m", base_url=ADDRESS[0], prompt="Is it good? {text}",
                   classes=["no", "yes"], store=out.with_suffix(".sqlite"))  # fmt: skip
    return limbeck.generate(teacher, seeds, n=15, out=out)


def service() -> Any:
    """A server that answers as a function of the prompt; ``answered`` counts."""
    import importlib.util
    import sys

    place = Path(__file__).parent.parent / "teachers" / "endpoints" / "conftest.py"
    spec = importlib.util.spec_from_file_location("loopback_service", place)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    made = found.Service()

    def respond(body: Any, n: int) -> Any:
        prompt = str(body["messages"][-1]["content"])
        text, usage = _said(prompt), {"prompt_tokens": len(prompt) // 4, "completion_tokens": 9}
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return found.Reply({"choices": [choice], "usage": usage})

    made.respond = respond
    ADDRESS[:] = [made.base_url]
    return made


def _said(prompt: str) -> str:
    draw = random.Random(prompt)
    if prompt.startswith("Come up with a series of tasks"):
        tasks = [" ".join(draw.sample(THINGS, 6)).capitalize() + "." for _ in range(3)]
        return f" {tasks[0]}\n10. {tasks[1]}\n11. {tasks[2]}"
    if prompt.startswith("Can the following"):
        return " Yes" if draw.random() < 0.3 else " No"
    if prompt.startswith("Given the classification"):
        return f"Class label: a\n{draw.choice(THINGS)}\nClass label: b\n{draw.random()}"
    return f"Example 1\n{draw.random()}\nOutput: {json.dumps(draw.random())}"


RUNS: dict[str, Callable[[Path], Any]] = {
    "tree": _readable("tree", max_leaves=4), "sparse_sum": _readable("sparse_sum"),
    "tournament": tournament, "audit": audit, "wavelet": wavelet, "training": training,
    "tune": tune, "language": language, "record": record, "label": label, "generate": generate,
}  # fmt: skip

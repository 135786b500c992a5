"""Folders of the verbs beside `limbeck.distill` of tables: each file of them, and what reads it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import limbeck
from limbeck.core.errors import LimbeckError

__all__ = ["FOLDERS", "folders"]

_UNREAD = (".html", ".md", ".svg", ".txt", ".onnx", ".data")  # pages, and what kinds.py damages


def folders(folder: Path, only: str = "") -> Iterator[tuple[str, Path, Callable[[], Any]]]:
    """A small result of every such verb, file by file, as the fields of a `Kind`.

    What needs an absent package is left out.

    Parameters
    ----------
    folder : Path
        An empty one.
    only : str
        One verb; all by default.
    """
    for name, make in FOLDERS.items():
        if only not in ("", name):
            continue
        try:
            at, read = make(folder / name.replace(" ", "-"))
        except ImportError:
            continue
        seen, before = set[str](), read()
        for path in sorted(p for p in at.rglob("*") if p.is_file()):
            known = f"{name}: {re.sub(r'[1-9]', '0', str(path.relative_to(at)))}"
            if path.suffix in _UNREAD or known in seen:
                continue
            if name == "label" or _matters(path, read, before):  # labels are asked for again
                seen.add(known)  # of shards, finalists and labels one each
                yield known, path, read


def _matters(path: Path, read: Callable[[], Any], before: Any) -> bool:
    """Whether the reader looks at a file: not if it reads the same with the file cut in half."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    try:
        return bool(read() != before)
    except LimbeckError:
        return True
    except Exception:
        return True
    finally:
        path.write_bytes(content)


def _saved(result: Any, at: Path) -> tuple[Path, Callable[[], Any]]:
    result.save(at)

    def read() -> Any:
        again = limbeck.load(at)
        return str(again), again._repr_html_() if hasattr(again, "_repr_html_") else ""

    return at, read


def _iris() -> Any:
    X, y = load_iris(return_X_y=True)
    return LogisticRegression(max_iter=500).fit(X[::2], y[::2]), X[1::2], y[1::2]


def tournament(at: Path) -> Any:
    """Two kinds of students."""
    model, X, y = _iris()
    return _saved(
        limbeck.tournament(model, X, y, into=["tree", "linear"], max_numbers=12, seconds=100,
                           n_jobs=1, progress=False), at
    )  # fmt: skip


def selection(at: Path) -> Any:
    """Two ways to choose rows."""
    model, X, y = _iris()
    return _saved(
        limbeck.select(model, X, y, n=6, seeds=2, ways=["k_means", "inducing_points"]), at
    )


def _small() -> Any:
    import torch

    X = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    W = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    teacher = torch.nn.Linear(4, 3)
    teacher.weight.data, teacher.bias.data = 5 * W.T.contiguous(), torch.zeros(3)
    return teacher, X, (X @ W).argmax(1)


def tune(at: Path) -> Any:
    """Two trials."""
    import torch

    teacher, X, y = _small()
    return _saved(
        limbeck.tune(teacher, (X[:40], y[:40]), into=lambda: torch.nn.Linear(4, 3),
                     validation=(X[40:80], y[40:80]), test=(X[80:], y[80:]), trials=2, epochs=1,
                     over={"lr": [1e-3, 1e-2]}, seeds=1, timing=False, baseline=False,
                     progress=False), at
    )  # fmt: skip


def pruning(at: Path) -> Any:
    """A network cut to half its size."""
    from torch import nn

    _, X, y = _small()
    wide = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 3))
    return _saved(
        limbeck.distill(wide, X, y, into=limbeck.networks.Pruned(size=0.6), epochs=1, seeds=1,
                        timing=False, progress=False), at
    )  # fmt: skip


def advise(at: Path) -> Any:
    """A pilot of seconds."""
    import torch

    teacher, X, y = _small()
    return _saved(
        limbeck.advise(teacher, X[:120], y[:120], into=lambda: torch.nn.Linear(4, 3), epochs=1,
                       validation=(X[120:], y[120:]), budget="600 s", seeds=2, batch_size=40,
                       progress=False), at
    )  # fmt: skip


def generate(at: Path) -> Any:
    """Instructions that a function writes."""
    import runs  # of tests/kills: the service

    made = runs.service()
    try:
        result = runs.generate(at.with_name("written"))
    finally:
        made.close()
    return _saved(result, at)


def label(at: Path) -> Any:
    """The answers of a run that was cut off, which the next one goes on with."""
    at.mkdir()
    texts, asked = [f"text {i}" for i in range(300)], [0]

    def answers(some: Any) -> Any:
        asked[0] += 1
        if asked[0] == 2:
            raise KeyboardInterrupt
        return np.array([[0.2, 0.8] if "1" in t else [0.7, 0.3] for t in some])

    def run() -> Any:
        teacher = limbeck.as_teacher(answers, classes=("no", "yes"), score_kind="probability")
        return limbeck.label(teacher, texts, out=at / "l.jsonl", name="x", progress=False)

    try:
        run()
    except KeyboardInterrupt:
        (left,) = at.iterdir()
    kept = left.read_bytes()

    def read() -> Any:
        now = left.read_bytes() if left.exists() else kept
        try:
            found = run()
            return found.soft.tolist()
        finally:
            (at / "l.jsonl").unlink(missing_ok=True)
            left.write_bytes(now)

    return at, read


def several_labels(at: Path) -> Any:
    """Texts with two labels."""
    draw = random.Random(0)
    words = ["late", "refund", "hello", "order", "box", "blue"]
    texts = [" ".join(draw.choices(words, k=4)) + f" n{i}" for i in range(200)]

    def topics(some: Any) -> Any:
        return np.array([[0.9 * ("late" in t) + 0.05, 0.9 * ("refund" in t) + 0.05] for t in some])

    return _saved(
        limbeck.distill(topics, texts, into="text_classifier", labels=["delivery", "money"],
                        ngrams="words", progress=False), at
    )  # fmt: skip


def static_embedding(at: Path) -> Any:
    """A table of word vectors."""
    draw = np.random.default_rng(0)
    words = [f"w{i}" for i in range(30)]
    vectors = dict(zip(words, draw.normal(size=(30, 8)), strict=True))
    texts = [" ".join(draw.choice(words, 5)) for _ in range(300)]

    def encode(some: Any) -> Any:
        sums = np.array([sum(vectors.get(w, 0 * vectors["w0"]) for w in t.split()) for t in some])
        return np.tanh(sums / 3) + 0.3

    return _saved(limbeck.distill(encode, texts, into="static_embedding", width=4), at)


def recorded(at: Path) -> Any:
    """Recorded logits."""
    import runs

    from limbeck.language import RecordedLogits

    runs.record(at)

    def read() -> Any:
        found = RecordedLogits.open(at)
        signal = found.signal([0, 1], 30)
        return repr(found), [found.tokens(i) for i in (0, 1)], signal.ids.tolist()

    return at, read


def language(at: Path) -> Any:
    """One tiny Llama into another."""
    import runs

    return _saved(runs.language(at.with_name("trained")), at)


def hybrid(at: Path) -> Any:
    """A tiny Llama with one layer converted."""
    import runs

    big = runs._llamas()[0]
    draw = random.Random(0)
    texts = ["".join(draw.choices("abcdefgh ", k=24)) + f"x{i}" for i in range(60)]
    into = limbeck.networks.Hybrid(keep=0.5)
    return _saved(
        limbeck.distill(big.module, texts, into=into, steps=1, length=12, batch_size=4, seeds=1,
                        tokenizer=big.tokenizer, stages=["logits"], progress=False), at
    )  # fmt: skip


FOLDERS: dict[str, Callable[[Path], tuple[Path, Callable[[], Any]]]] = {
    "tournament": tournament, "selection": selection, "several labels": several_labels,
    "static embedding": static_embedding, "label": label, "generate": generate, "tune": tune,
    "pruning": pruning, "advise": advise, "recorded logits": recorded, "language": language,
    "hybrid": hybrid,
}  # fmt: skip

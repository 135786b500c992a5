"""Damaged files end in a sentence; `python tests/hostile --each 1000` damages more of them."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"hostile_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def damage_all(folder: Path, times: int, into: tuple[str, ...]) -> dict[str, dict[str, int]]:
    sys.path.insert(0, str(HERE))
    try:
        main = module("__main__")
        found = {}
        for kind in main.kinds(folder, into):
            counts, slowest, faults = main.tried(kind, times, seed=7)
            assert not faults, f"{kind.name}: {faults[0]}"
            assert slowest < 5.0, kind.name
            found[kind.name] = dict(counts)
        return found
    finally:
        sys.path.remove(str(HERE))


def check(found: dict[str, dict[str, int]], times: int) -> None:
    for name, counts in found.items():
        assert sum(counts.values()) == times
        assert counts.get("refused", 0) > 0.2 * times, name
    for name in ("cache.json", "outputs.npy of a cache", "checkpoint"):  # they hold checksums
        assert found[name].get("other", 0) == 0, name


@pytest.mark.torch
def test_no_damage_ends_in_a_traceback_or_hangs(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    check(damage_all(tmp_path, 8, ("tree", "sparse_sum")), 8)


@pytest.mark.slow
def test_thousands_of_damages(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    check(damage_all(tmp_path, 400, module("kinds").INTO), 400)


def test_damage_is_drawn_by_its_seed_and_changes_the_file() -> None:
    damaged = module("mutations").damaged
    content = b'{"a": [1, 2, {"b": "text"}], "c": 0.5}'
    draws = [damaged(content, random.Random(seed)) for seed in range(200)]
    assert draws == [damaged(content, random.Random(seed)) for seed in range(200)]
    assert sum(d != content for d in draws) > 180
    assert len(set(draws)) > 60


QUICK = {"selection": 40, "several labels": 5, "static embedding": 10, "label": 20,
         "generate": 10, "advise": 40, "recorded logits": 60, "hybrid": 3}  # fmt: skip
"""Damages of each file, by what reading it takes; the others take longer to make or to read."""


def damage(folder: Path, verb: str, times: int) -> None:
    pytest.importorskip("torch")
    if verb in ("recorded logits", "hybrid", "language"):
        pytest.importorskip("transformers")
    if verb == "generate":
        pytest.importorskip("httpx2")
    places = [str(HERE), str(HERE.parent / "kills")]
    sys.path[:0] = places
    try:
        main = module("__main__")
        refused = tried = 0
        for kind in (main.Kind(*one) for one in main.folders(folder, verb)):
            counts, slowest, faults = main.tried(kind, times, seed=7)
            assert not faults, f"{kind.name}: {faults[0]}"
            assert slowest < 5.0, kind.name
            assert not (verb == "label" and counts["other"]), "answers have checksums"
            refused, tried = refused + counts["refused"], tried + times
        assert tried
        assert verb == "label" or refused > 0.25 * tried
    finally:
        for place in places:
            sys.path.remove(place)


@pytest.mark.torch
@pytest.mark.parametrize("verb", QUICK)
def test_no_damage_of_a_folder_ends_in_a_traceback(verb: str, tmp_path: Path) -> None:
    damage(tmp_path, verb, QUICK[verb])


@pytest.mark.slow
@pytest.mark.parametrize("verb", [*QUICK, "language", "pruning", "tournament", "tune"])
def test_thousands_of_damages_of_folders(verb: str, tmp_path: Path) -> None:
    damage(tmp_path, verb, 1000 if verb != "tournament" else 100)

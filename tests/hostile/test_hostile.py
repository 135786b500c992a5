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
    check(damage_all(tmp_path, 12, ("tree", "sparse_sum")), 12)


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

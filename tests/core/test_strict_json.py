from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

import limbeck
from limbeck.core.errors import FileRefused
from limbeck.core.strict_json import parse_json, plain, read_json, record, strict_json, write_json


@dataclass(frozen=True)
class Inner:
    name: str
    value: float


@dataclass(frozen=True)
class Outer:
    inner: Inner
    several: tuple[Inner, ...]
    pair: tuple[int, str]
    maybe: Inner | None
    numbers: NDArray[np.float64]
    shares: Mapping[str, float]
    kind: Literal["a", "b"]
    anything: Any
    late: bool = False


OUTER = Outer(
    Inner("x", float("nan")), (Inner("y", 1.5),), (3, "z"), None, np.array([[1.0, np.nan]]),
    {"p": np.inf}, "b", {"deep": [np.int64(3), np.float32(0.5), np.True_]}, True,
)  # fmt: skip


def test_what_json_lacks_becomes_null() -> None:
    text = strict_json(OUTER)
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["inner"] == {"name": "x", "value": None}
    assert json.loads(text)["anything"] == {"deep": [3, 0.5, True]}
    assert plain({1: {2, 3}}) == {"1": "{2, 3}"}


def test_records_come_back() -> None:
    again = record(Outer, json.loads(strict_json(OUTER)))
    assert np.isnan(again.inner.value)
    assert (again.several, again.pair, again.maybe) == (OUTER.several, (3, "z"), None)
    np.testing.assert_array_equal(again.numbers, OUTER.numbers)
    assert np.isnan(again.shares["p"])  # which of the two it was is lost
    assert (again.kind, again.late) == ("b", True)
    assert record(Inner, {"value": 1}, name="given") == Inner("given", 1)


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"name": "x"}, {"name": 3, "value": 1.0}, {"name": "x", "value": "much"}],
)
def test_malformed_records_are_refused(data: Any) -> None:
    with pytest.raises(FileRefused, match="record of a Inner is malformed"):
        record(Inner, data)


def test_files_say_their_format(tmp_path: Any) -> None:
    path = write_json({"format": "mine", "version": 2, "x": float("nan")}, tmp_path / "a.json")
    assert read_json(path, "mine", 2)["x"] is None
    with pytest.raises(FileRefused, match="has version 2, and this limbeck reads 3 and later"):
        read_json(path, "mine", 3, oldest=3)
    with pytest.raises(FileRefused, match="has version 2, and this limbeck reads up to 1"):
        read_json(path, "mine", 1)
    with pytest.raises(FileRefused, match="format 'mine', not 'other'"):
        read_json(path, "other", 2)
    with pytest.raises(FileRefused, match="cannot be read"):
        read_json(tmp_path / "b.json", "mine", 2)
    path.write_text("{")
    with pytest.raises(FileRefused, match="is not JSON"):
        read_json(path, "mine", 2)


def test_all_json_that_limbeck_writes_is_strict() -> None:
    hashed = {"modules/fingerprint.py", "certificates/fingerprint.py"}  # never written
    root = Path(limbeck.__file__).parent
    for path in root.rglob("*.py"):
        source = path.read_text()
        for call in ast.walk(ast.parse(source)) if "json.dump" in source else ():
            said = ast.unparse(call) if isinstance(call, ast.Call) else ""
            if said.startswith("json.dump") and str(path.relative_to(root)) not in hashed:
                assert "allow_nan=False" in said, path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "names 'a' twice"),
        ('{"a": {"b": 1, "b": 1}}', "names 'b' twice"),
        ("[NaN]", "holds NaN"),
        ("[-Infinity]", "holds -Infinity"),
        ("[1e400]", "beyond 64 bits"),
        ("1" + "0" * 400, "beyond 64 bits"),
        ('"\\ud800"', "half a character"),
        ("[" * 100_000, "nested too deeply"),
        ("{", "is not JSON"),
        (b"\xff\x00", "not text in UTF-8"),
    ],
)
def test_json_that_parsers_read_differently_is_refused(text: str | bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_json(text)


def test_json_that_is_plain_is_read() -> None:
    value = {"a": [1, -(2**63), 0.1, True, None, "ü\n"], "b": {}}
    assert parse_json(strict_json(value)) == value
    assert parse_json(strict_json(value).encode()) == value

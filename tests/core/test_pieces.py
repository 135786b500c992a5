from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

import limbeck
from limbeck.core.pieces import NAME, Pieces, digest, keeping, piece

REMEMBERED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(value=REMEMBERED)
def test_what_is_written_is_read(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    pieces = Pieces(tmp_path_factory.mktemp("run"))
    pieces.write("a", value)
    found = pieces.read("a")
    assert found is not None
    assert repr(found[0]) == repr(value)  # NaN and the kinds of containers, too


def test_arrays_keep_type_order_and_bits(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path)
    given = {
        3: np.asfortranarray(np.random.default_rng(0).normal(size=(4, 3))),
        "none": np.array([np.nan, -0.0, np.inf]), "text": np.array(["a", "é"]),
        "one": np.float32(0.1), "flat": np.array(7),
    }  # fmt: skip
    pieces.write("a", given)
    (found,) = pieces.read("a") or ()
    assert list(found) == list(given)
    for name, value in given.items():
        assert found[name].dtype == value.dtype
        assert found[name].tobytes() == value.tobytes()
        assert np.shape(found[name]) == np.shape(value)
    assert found[3].flags.f_contiguous


def test_a_piece_is_made_once_and_leaves_chance_as_it_was_left(tmp_path: Path) -> None:
    made = []

    def make(rng: np.random.Generator) -> Any:
        made.append(1)
        return rng.normal(size=3)

    draws = []
    for _ in range(2):
        with keeping(tmp_path):
            rng = np.random.default_rng(3)
            first = piece("draw", lambda: "x", lambda: make(rng), rng=rng)  # noqa: B023
            draws.append((first.tolist(), rng.normal()))
    assert draws[0] == draws[1]
    assert len(made) == 1
    with keeping(tmp_path):  # other inputs, another piece
        piece("draw", lambda: "y", lambda: make(np.random.default_rng(3)))
    assert len(made) == 2
    piece("draw", lambda: "x", lambda: make(np.random.default_rng(3)))  # nothing is kept here
    assert len(made) == 3


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_damaged_piece_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    with keeping(tmp_path):
        piece("a", lambda: 1, lambda: np.arange(100.0))
    (file,) = (tmp_path / NAME).iterdir()
    content = bytearray(file.read_bytes())
    content[200] ^= 4  # within the array
    file.write_bytes(bytes(content) if damage is None else damage)
    with keeping(tmp_path):
        assert piece("a", lambda: 1, lambda: np.arange(100.0)).tolist() == list(range(100))
        assert piece("a", lambda: 1, lambda: None) is not None  # it is whole again


def test_what_cannot_be_kept_is_made_each_time(tmp_path: Path) -> None:
    with keeping(tmp_path):
        assert piece("a", lambda: 1, lambda: {1, 2}) == {1, 2}
        assert piece("a", lambda: 1, lambda: {3}) == {3}


def test_digests_tell_tables_and_numbers_apart_and_are_the_same_elsewhere() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    other = frame.assign(a=[1.0, np.nextafter(2.0, 3)])
    assert digest(frame) == digest(frame.copy()) != digest(other)
    assert digest([1, 0.5, None]) != digest([1.0, 0.5, None])
    code = "from limbeck.core.pieces import digest; print(digest([1, 'x', {'a': 2.5}]))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == digest([1, "x", {"a": 2.5}])


class Cut(BaseException):
    """Nobody catches it."""


def run(out: Path) -> None:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X = X.iloc[:200, :3]
    forest = RandomForestClassifier(5, random_state=0).fit(X[::2], y[:200:2])
    limbeck.distill(
        forest, X[1::2], y[1:200:2], into="sparse_sum", queries=100, max_numbers=6, out=out,
        progress=False,
    )  # fmt: skip


def content(folder: Path) -> dict[str, Any]:
    """All that a result says, without seconds."""

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                k: timeless(v) for k, v in value.items() if "seconds" not in k and k != "checksum"
            }
        return [timeless(v) for v in value] if isinstance(value, list) else value

    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".json" and not name.startswith("runs"):
            found[name] = timeless(json.loads(path.read_bytes()))
        elif path.suffix in (".npy", ".parquet"):
            found[name] = path.read_bytes()
    return found


def test_going_on_gives_the_same_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(whole)
    kept = cut / NAME
    write = Pieces.write

    def cutting(self: Pieces, name: str, value: Any) -> None:
        write(self, name, value)
        if name.startswith("student-"):
            raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(Pieces, "write", cutting)
        with pytest.raises(Cut):
            run(cut)
    assert any(kept.glob("student-*"))
    run(cut)
    assert content(cut) == content(whole)
    assert not kept.exists()

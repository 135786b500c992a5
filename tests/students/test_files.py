from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from limbeck.core.atomic_io import write_bytes
from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused
from limbeck.core.task import Task
from limbeck.students import files, load
from limbeck.students.junta.junta import Junta
from limbeck.students.tree.tree import Tree


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return Tree(2).fit([[1.0], [2.0]], ["a", "b"]).save(tmp_path / "tree.json")


def test_head_round_trip() -> None:
    features = Features(
        (Feature("Höhe [m]", unit="m"), Feature("c", "categorical", levels=("x", "y"))),
        frame=True,
        dtypes=("float32", "category ordered"),
    )
    for task in (Task((True, False)), Task((1, 2)), Task((1.0, 2.5)), Task(("é",)), Task(unit="s")):
        data = json.loads(files.canonical(files.head("tree", features, task)))
        assert files.read_head(data, "tree") == (features, task)
        read = files.read_head(data, "tree")[1]
        assert [type(c) for c in read.classes] == [type(c) for c in task.classes]


def test_numpy_labels_become_plain() -> None:
    labels = [np.str_("a"), np.int64(1), np.bool_(True), np.float64(0.5), "b"]
    assert [type(files.plain(v)) for v in labels] == [str, int, bool, float, str]


def test_fingerprint_is_that_of_canonical_json() -> None:
    data = {"b": 0.1 + 0.2, "a": [1, True]}
    assert files.canonical(data) == '{"a":[1,true],"b":0.30000000000000004}'
    assert files.fingerprint({"a": [1, True], "b": 0.1 + 0.2}) == files.fingerprint(data)
    assert len(files.fingerprint(data)) == 64


def test_json_never_holds_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.canonical({"x": float("nan")})


def test_write_replaces_whole_and_leaves_nothing_behind(saved: Path) -> None:
    before = saved.read_bytes()
    assert stat.S_IMODE(saved.stat().st_mode) & 0o444 == 0o444
    with pytest.raises(FileRefused, match="cannot be written"):
        write_bytes(b"x", saved.parent / "no" / "folder")
    (saved.parent / "taken").mkdir()
    with pytest.raises(FileRefused, match="cannot be written"):
        write_bytes(b"x", saved.parent / "taken")
    assert saved.read_bytes() == before
    assert {p.name for p in saved.parent.iterdir()} == {"taken", "tree.json"}


def altered(path: Path, change: Any) -> Path:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="x"), "no student"),
        (lambda d: d.update(version=2), "version 2.*Upgrade limbeck"),
        (lambda d: d.update(version=True), "no version True"),
        (lambda d: d.update(kind="forrest"), "kind 'forrest'"),
        (lambda d: d.update(kind="junta"), "lacks 'table'"),
        (lambda d: d.update(kind=["tree"]), "no student of kind"),
        (lambda d: d.pop("features"), "lacks 'features'"),
        (lambda d: d.update(features=[]), "columns"),
        (lambda d: d["features"][0].update(kind="odd"), "kind of column 'odd'"),
        (lambda d: d["features"][0].update(name=1), "text was expected"),
        (lambda d: d["features"].append(d["features"][0]), "different names"),
        (lambda d: d["rows"].update(dtypes=[]), "dtypes"),
        (lambda d: d["rows"].update(frame=1), "dtypes"),
        (lambda d: d["task"].update(classes=["a", "a"]), "different labels"),
        (lambda d: d["task"].update(classes=[["a"], "b"]), "labels"),
        (lambda d: d["task"].update(classes=None), "malformed"),
        (lambda d: d.update(nodes=[]), "malformed"),
    ],
)
def test_refuses(saved: Path, change: Any, message: str) -> None:
    with pytest.raises(FileRefused, match=message):
        load(altered(saved, change))


def test_refuses_what_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(FileRefused, match="cannot be read"):
        load(path)
    with pytest.raises(FileRefused, match="cannot be read"):
        load(tmp_path)
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b"1"):
        path.write_bytes(content)
        with pytest.raises(
            FileRefused, match=r"not JSON|no student|not text in UTF-8|nested too deeply"
        ):
            load(path)
    with pytest.raises(FileRefused, match="of kind 'tree', not 'junta'"):
        files.read_head(Tree(2).fit([[1.0], [2.0]], ["a", "b"]).to_dict(), "junta")


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values inside nested dicts and lists."""
    if not isinstance(data, dict | list):
        return
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key)
        yield from places(value, (*path, key))


@settings(max_examples=60, deadline=None)
@given(
    regress=st.booleans(),
    kind=st.sampled_from([Tree, Junta]),
    where=st.integers(0, 10_000),
    value=st.sampled_from(
        [None, 1, -1, 2**70, 1e308, float("inf"), float("nan"), "", "x", [], {}, True, [[1]], 0.5]
    ),
)
@example(regress=True, kind=Tree, where=219, value=1e308)  # the width of an edge
def test_altered_files_are_refused_or_sound(
    regress: bool, kind: Any, where: int, value: Any
) -> None:
    X = pd.DataFrame({"x": [1.0, 2.0, 3.0, None] * 3, "c": list("abca") * 3})
    y = np.arange(12.0) if regress else np.array(list("pqrp") * 3)
    data = kind().fit(X, y).to_dict()
    paths = list(places(data))
    *path, last = paths[where % len(paths)]
    inside = data
    for key in path:
        inside = inside[key]
    inside[last] = value
    try:
        student = kind.from_dict(data)
    except FileRefused:
        return
    assert len(student.fingerprint()) == 64
    assert student.rules()
    assert student.text()
    assert student._repr_html_()

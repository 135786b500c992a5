from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.reports.table import Column, Table
from limbeck.results.result import Result, saved_whole


class Two(Result):
    """A result of two tables."""

    report = save = plot = to_dict = load = None
    __rich__ = _repr_html_ = None

    def tables(self) -> dict[str, Table[Any]]:
        return {
            name: Table(name, [Column("value", lambda row: row)], rows)
            for name, rows in (("models", [1, 2]), ("sizes", [7]))
        }


def test_a_frame_is_that_of_the_first_table_or_of_the_one_named() -> None:
    assert Two().to_frame()["value"].tolist() == [1, 2]
    assert Two().to_frame("sizes")["value"].tolist() == [7]
    with pytest.raises(InvalidInput, match=r"There is no table 'size'. Did you mean 'sizes'"):
        Two().to_frame("size")


def test_a_result_replaces_the_files_of_one_before_and_no_others(tmp_path: Path) -> None:
    for name in ("result.json", "seen.npy", "finalist-2", "model.safetensors", "own.txt"):
        (tmp_path / name).write_text("old")
    with saved_whole(tmp_path) as to:
        (to / "audit.json").write_text("new")
        assert (tmp_path / "result.json").read_text() == "old"  # until all is written
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "audit.json", "model.safetensors", "own.txt",
    ]  # fmt: skip


def test_what_fails_leaves_the_result_before(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("old")

    def save() -> None:
        with saved_whole(tmp_path) as to:
            (to / "result.json").write_text("new")
            raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        save()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("result.json", "old")]

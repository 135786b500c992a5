from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import FileRefused
from limbeck.data import tables
from limbeck.data.tables import read_table

ROWS = [("naïve", 1, "2,5"), ("b", 2, "3,5"), ("c", 3, "x y")]


def text(delimiter: str, newline: str = "\n") -> str:
    cells = [("name", "count", "note"), *ROWS]
    return newline.join(delimiter.join(f'"{v}"' for v in row) for row in cells) + newline


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_dialect_and_encoding(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text(delimiter, "\r\n").encode(encoding))
    found = read_table(path)
    assert list(found) == ["name", "count", "note"]
    assert found["name"][0] == "naïve"
    assert found["count"].tolist() == [1, 2, 3]
    assert found["note"].tolist() == ["2,5", "3,5", "x y"]


@pytest.mark.parametrize("name", ["a.CSV", "a.tsv", "a.txt", "a.TXT"])
def test_any_ending(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(text("\t"), "utf-8")
    assert len(read_table(tmp_path / name)) == 3


def test_packed_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text(";").encode()))
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("folder/a.csv", text(","))
        archive.writestr("__MACOSX/._a.csv", "junk")
    for name in ("a.csv.gz", "a.csv.zip"):
        assert read_table(tmp_path / name)["count"].tolist() == [1, 2, 3]
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", text(","))
        archive.writestr("b.csv", text(","))
    with pytest.raises(FileRefused, match="holds 2 files"):
        read_table(tmp_path / "two.zip")


def test_sep_line_and_doubled_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\na;a;b\n1;2;3\n4;5;6\n", "utf-8")
    found = read_table(path)
    assert list(found) == ["a", "a.1", "b"]
    assert found.attrs["limbeck_headers"] == {"a.1": "a"}


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    for name, content, says in (
        ("note.txt", "a note\nof two lines\n", "is no table"),
        ("empty.csv", "", "is empty"),
        ("loose.csv", "text\nno comma\none, two\nthree\n", "is no table"),
        ("names.csv", "a,b,c\n", "names and no rows"),
        ("picture.png", "a,b\n1,2\n", "is no table"),
        ("bad.zip", "no archive", "cannot be read"),
    ):
        (tmp_path / name).write_text(content, "utf-8")
        with pytest.raises(FileRefused, match=says):
            read_table(tmp_path / name)
    with pytest.raises(FileRefused, match="There is no file"):
        read_table(tmp_path / "absent.csv")


def test_a_csv_of_texts_alone(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text('text\nno comma\n"one, two"\n', "utf-8")
    assert read_table(tmp_path / "texts.csv")["text"].tolist() == ["no comma", "one, two"]


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "a.Parquet")
    assert read_table(tmp_path / "a.Parquet")["a"].tolist() == [1, 2]


def test_only_names_that_stand_twice_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(",a,b,b\n1,2,3,4\n", encoding="utf-8")
    assert read_table(path).attrs["limbeck_headers"] == {"b.1": "b"}
    path.write_text(",a\n1,2\n", encoding="utf-8")
    assert read_table(path).attrs == {}


def test_a_parquet_file_of_repeated_values_is_refused_before_memory_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "bomb.parquet"
    pd.DataFrame({"a": np.zeros(1_000_000), "b": 1}).to_parquet(path)
    assert read_table(path).shape == (1_000_000, 2)
    monkeypatch.setattr(tables, "_PARQUET", 1_000_000)
    with pytest.raises(FileRefused, match=r"claims 1,000,000 rows of 2 columns, .* 16,000,000"):
        read_table(path)


def test_a_long_document_is_one_field(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\n"' + "a, b " * 60_000 + '",1\nshort,0\n', "utf-8")
    assert read_table(tmp_path / "a.csv")["text"].str.len().tolist() == [300_000, 5]

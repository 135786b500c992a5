from __future__ import annotations

import pandas as pd
import pytest

from limbeck import LimbeckError
from limbeck.data.text_files import read_texts, texts_given

TEXTS = ["gut, oder?", "良い映画", "so so"]


def test_every_kind_of_file_gives_the_same_texts(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"id": [1, 2, 3], "review": TEXTS})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True, force_ascii=False)
    (tmp_path / "b.jsonl").write_text("\n".join(f'"{t}"' for t in TEXTS) + "\n")
    folder = tmp_path / "set"
    folder.mkdir()
    for i, part in enumerate((frame[:2], frame[2:])):
        table = pyarrow.Table.from_pandas(part, preserve_index=False)
        path = folder / f"data-0000{i}-of-00002.arrow"
        with path.open("wb") as file, pyarrow.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    for name in ("a.csv", "a.parquet", "a.jsonl", "b.jsonl", "set"):
        assert read_texts(tmp_path / name).tolist() == TEXTS, name


def test_a_folder_of_a_real_data_set(tmp_path):
    datasets = pytest.importorskip("datasets")
    made = datasets.DatasetDict({"train": datasets.Dataset.from_dict({"text": TEXTS})})
    made.save_to_disk(tmp_path / "d")
    assert read_texts(tmp_path / "d" / "train").tolist() == TEXTS
    with pytest.raises(LimbeckError, match="several splits: train"):
        read_texts(tmp_path / "d")


def test_the_line_of_broken_json_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n\n{"text": "b"\n')
    with pytest.raises(LimbeckError, match=r"Line 3 of 'a.jsonl' is no JSON"):
        read_texts(tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").write_text("[1]\n")
    with pytest.raises(LimbeckError, match=r"Line 1 .* is a list"):
        read_texts(tmp_path / "a.jsonl")


def test_the_column_is_named_where_it_is_no_matter_of_course(tmp_path):
    frame = pd.DataFrame({"a": ["x"], "b": ["y"]})
    with pytest.raises(LimbeckError, match="'a', 'b'"):
        texts_given(frame)
    assert texts_given(frame, "b").tolist() == ["y"]
    with pytest.raises(LimbeckError, match="no column 'c'"):
        texts_given(frame, "c")
    assert texts_given(frame.assign(text="z")).tolist() == ["z"]


@pytest.mark.parametrize("name", ["none.csv", "none.jsonl", "empty.jsonl", "folder"])
def test_what_cannot_be_read_is_refused(tmp_path, name):
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(LimbeckError):
        read_texts(tmp_path / name)

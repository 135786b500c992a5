"""Rows of every form become the same prompts; what cannot be used is refused by its place."""

import json
from pathlib import Path

import numpy as np
import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.language.prompt_rows import prompt_files, read_rows


def test_rows_of_all_forms(tmp_path):
    pd = pytest.importorskip("pandas")
    rows = [{"prompt": "ab", "completion": "cd"}, {"prompt": "e", "completion": "f"}]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    found = [read_rows(d) for d in (rows, path, str(path), frame, tmp_path / "rows.csv")]
    assert all(f == found[0] for f in found)
    assert [(r.prompt, r.completion) for r in found[0]] == [("ab", "cd"), ("e", "f")]


def test_messages_that_end_with_an_answer_are_prompt_and_completion():
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    row = read_rows([{"messages": chat}])[0]
    assert row.prompt == chat[:1]
    assert row.completion == "b"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no prompts"),
        (["a", "  "], "Prompt 1 is empty"),
        (["a", 3], r"Prompt 1 is '3' \(int\)"),
        ("one text", "one text"),
        ([{"question": "a"}], "no prompt"),
    ],
)
def test_rows_that_are_no_prompts_are_refused(rows, message):
    with pytest.raises(InvalidInput, match=message):
        read_rows(rows)


def test_a_damaged_line_is_refused_by_its_number(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a"}\n{"prompt": NaN}\n')
    with pytest.raises(FileRefused, match="Line 2"):
        read_rows(path)


CHAT = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


@pytest.mark.parametrize("form", [tuple, np.array, list])
def test_messages_may_be_in_any_sequence(form):
    (row,) = read_rows([{"messages": form(CHAT)}])
    assert (row.prompt, row.completion) == (CHAT[:1], "b")
    assert read_rows([form(CHAT)])[0].prompt == CHAT


def test_files_with_a_byte_order_mark_and_of_a_pattern_are_read(tmp_path):
    (tmp_path / "b.jsonl").write_text('\ufeff{"prompt": "a"}\n\n{"prompt": "b"}\n')
    (tmp_path / "a.jsonl").write_text('{"text": "c"}\n{"instruction": "d", "answer": "e"}')
    assert [r.prompt for r in read_rows(tmp_path / "b.jsonl")] == ["a", "b"]
    found = read_rows(tmp_path / "?.jsonl")
    assert [r.prompt for r in found] == ["c", "d", "a", "b"]
    assert found[1].completion == "e"
    with pytest.raises(FileRefused, match="no such file"):
        prompt_files(tmp_path / "c.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"prompt": ["a"], "completion": ["b"]}, "The prompts are one dict. Give a list of rows"),
        (5, "The prompts are one int"),
        (Path("rows.txt"), r"the path 'rows.txt'. Give one that ends in .jsonl, .*or .csv"),
    ],
)
def test_what_is_no_list_of_rows_is_refused(data, message):
    with pytest.raises(InvalidInput, match=message):
        read_rows(data)

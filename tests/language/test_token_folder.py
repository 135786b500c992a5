"""Prompts of files are those of lists, read from disk; what is damaged or other is refused."""

import copy
import json
import tracemalloc

import pytest

pytest.importorskip("torch")

import limbeck
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.language import token_folder
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import encode
from limbeck.language.token_folder import read_prompts

ROWS = [
    {"prompt": "ab", "completion": "cdé"},
    {"prompt": "e"},
    {"prompt": "f\u2028a", "completion": ""},
    {"prompt": "ab", "completion": "cdef" * 3},
]


def _lower(tokenizer):
    """The same tokens, and other ids of a text."""
    from tokenizers import normalizers

    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()


def written(path, rows=ROWS):
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    return path


def same(found, expected):
    for name in ("texts", "ids", "completions", "references"):
        assert tuple(getattr(found, name)) == getattr(expected, name)
    assert found.notes == expected.notes
    assert found.templated == expected.templated
    assert found.complete == expected.complete
    assert found.fingerprint() == expected.fingerprint()
    assert found.kinds().tolist() == expected.kinds().tolist()


def test_prompts_of_a_file_are_those_of_a_list(pair, tmp_path):
    expected = encode(read_rows(ROWS), pair[0], 5)
    found = read_prompts(written(tmp_path / "rows.jsonl"), pair[0], 5, folder=tmp_path / "tokens")
    same(found, expected)
    assert expected.kinds().tolist() == [0, 1, 2, 0]
    some = found.subset([3, 0]).subset([1])
    assert not isinstance(some.ids, tuple)
    assert some.in_memory().ids == expected.ids[:1]
    assert found.ids[1:3] == expected.ids[1:3]


def test_parquet_files_of_a_pattern_come_in_the_order_of_their_names(pair, tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    chat = [[{"role": "user", "content": r["prompt"]}] for r in ROWS]
    parquet.write_table(pa.table({"messages": chat}), tmp_path / "chat.parquet")
    with pytest.raises(InvalidInput, match="no chat template"):
        read_prompts(tmp_path / "chat.parquet", pair[0], 5)
    for name, rows in (("b", ROWS[2:]), ("a", ROWS[:2])):
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / f"part-{name}.parquet")
    found = read_prompts(str(tmp_path / "part-*.parquet"), pair[0], 5)
    same(found, encode(read_rows(ROWS), pair[0], 5))


def test_tokens_are_made_once_and_those_of_something_else_are_refused(pair, tmp_path, monkeypatch):
    path, folder = written(tmp_path / "rows.jsonl"), tmp_path / "tokens"
    expected = tuple(read_prompts(path, pair[0], 5, folder=folder).ids)
    with monkeypatch.context() as patch:
        patch.setattr(token_folder, "encoded", None)  # nobody tokenizes again
        assert tuple(read_prompts(path, pair[0], 5, folder=folder).ids) == expected
        with pytest.raises(FileRefused, match="tokens with other settings"):
            read_prompts(path, pair[0], 6, folder=folder)
        written(path, ROWS[:3])
        with pytest.raises(FileRefused, match="tokens with other files"):
            read_prompts(path, pair[0], 5, folder=folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.add_tokens(["zz"]), "tokens with other vocabulary ids"),
        (lambda t: setattr(t, "chat_template", "{{ 1 }}"), "tokens with another template"),
        (_lower, "tokens with another tokenizer"),
    ],
)
def test_tokens_of_another_tokenizer_are_refused(pair, tmp_path, change, message):
    path, folder = written(tmp_path / "rows.jsonl"), tmp_path / "tokens"
    read_prompts(path, pair[0], 5, folder=folder)
    tokenizer = copy.deepcopy(pair[0].tokenizer)
    change(tokenizer)
    other = LanguageModel(pair[0].module, tokenizer, "other")
    with pytest.raises(FileRefused, match=message):
        read_prompts(path, other, 5, folder=folder)
    again = LanguageModel(pair[0].module, copy.deepcopy(pair[0].tokenizer), "alike")
    assert len(read_prompts(path, again, 5, folder=folder)) == len(ROWS)


def test_more_prompts_of_a_file_than_can_be_judged_are_refused(pair, tmp_path, monkeypatch):
    from limbeck.api.prepare import language

    monkeypatch.setattr(language, "_MOST_JUDGED", 10)
    rows = [{"prompt": f"{a}{b}", "completion": "x"} for a in "abcde" for b in "abcdefgh"]
    path = written(tmp_path / "rows.jsonl", rows)
    models = {"into": pair[1].module, "tokenizer": pair[0].tokenizer, "max_new_tokens": 5}
    with pytest.raises(InvalidInput, match=r"12 prompts of a file .* holdout=0\.003"):
        limbeck.distill(pair[0].module, path, **models)
    with pytest.raises(InvalidInput, match="40 prompts of a file"):
        limbeck.distill(pair[0].module, rows, test=path, **models)


def test_a_damaged_file_is_refused(pair, tmp_path):
    path, folder = written(tmp_path / "rows.jsonl"), tmp_path / "tokens"
    read_prompts(path, pair[0], 5, folder=folder)
    shard = folder / "shard-000000.safetensors"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    found = read_prompts(path, pair[0], 5, folder=folder)
    with pytest.raises(FileRefused, match="not what was written"):
        found.ids[0]
    shard.write_bytes(content[:-1])
    with pytest.raises(FileRefused, match="bytes, not"):
        read_prompts(path, pair[0], 5, folder=folder)


def test_what_was_cut_off_goes_on_after_the_last_whole_shard(pair, tmp_path, monkeypatch):
    path, folder = written(tmp_path / "rows.jsonl"), tmp_path / "tokens"
    monkeypatch.setattr(token_folder, "_SHARD", 5)
    expected, numbers = encode(read_rows(ROWS), pair[0], 5), []
    real = token_folder.encoded

    def killed(rows, *args, first, **settings):
        numbers.append(first)
        for i, row in enumerate(real(rows, *args, first=first, **settings), first):
            if len(numbers) == 1 and i == 3:
                raise KeyboardInterrupt
            yield row

    monkeypatch.setattr(token_folder, "encoded", killed)
    with pytest.raises(KeyboardInterrupt):
        read_prompts(path, pair[0], 5, folder=folder)
    same(read_prompts(path, pair[0], 5, folder=folder), expected)
    assert 0 < numbers[1] < 4


def test_parts_of_other_files_are_replaced(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(token_folder, "_SHARD", 1)
    path, folder = written(tmp_path / "rows.jsonl", [*ROWS, {"prompt": " "}]), tmp_path / "tokens"
    with pytest.raises(InvalidInput, match="Prompt 4 is empty"):
        read_prompts(path, pair[0], 5, folder=folder)
    found = read_prompts(written(path), pair[0], 5, folder=folder)
    same(found, encode(read_rows(ROWS), pair[0], 5))


def test_files_without_rows_or_that_are_not_there_are_refused(pair, tmp_path):
    with pytest.raises(InvalidInput, match="no prompts"):
        read_prompts(written(tmp_path / "rows.jsonl", []), pair[0], 5)
    with pytest.raises(FileRefused, match="no such file"):
        read_prompts(tmp_path / "part-*.jsonl", pair[0], 5)


def test_temporary_tokens_go_with_the_prompts(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(token_folder.tempfile, "tempdir", str(tmp_path))
    found = read_prompts(written(tmp_path / "rows.jsonl"), pair[0], 5)
    assert list(tmp_path.glob("limbeck-tokens-*"))
    del found
    assert not list(tmp_path.glob("limbeck-tokens-*"))


def test_tokens_on_disk_take_little_memory(pair, tmp_path):
    rows = [{"prompt": f"{i:b}".replace("0", "a").replace("1", "b"), "completion": "abcdef" * 8}
            for i in range(1500)]  # fmt: skip
    path = written(tmp_path / "rows.jsonl", rows)
    model, held = pair[0], {}
    read_prompts(path, model, 40, folder=tmp_path / "tokens")
    for name, make in (
        ("list", lambda: encode(read_rows(path), model, 40)),
        ("file", lambda: read_prompts(path, model, 40, folder=tmp_path / "tokens")),
    ):
        tracemalloc.start()
        found = make()
        found = found.subset(range(len(found)))
        found.ids[0], found.completions[len(found) - 1]
        tokens = sum(map(len, found.ids)) + sum(map(len, found.completions))
        held[name] = tracemalloc.get_traced_memory()[0] / tokens
        tracemalloc.stop()
    assert held["file"] < 3 < 10 < held["list"]

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.core.errors import FileRefused  # noqa: E402
from tests.language.imported.conftest import imported  # noqa: E402


def spoiled(path, change):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines[1])
    path.write_text("\n".join(json.dumps(line) for line in lines))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("prompt_token_ids"), "Row 1 .*prompt_token_ids"),
        (lambda r: r["prompt_token_ids"].append(3), "places"),
        (lambda r: r["choices"][0]["prompt_logprobs"].__setitem__(2, {"1": 0.0, "2": -0.1}),
         "more than 1"),
        (lambda r: r["choices"][0]["prompt_logprobs"].__setitem__(2, {"99": -1.0}), "token 99"),
        (lambda r: r["choices"][0]["prompt_logprobs"].__setitem__(2, {}), "no numbers"),
        (lambda r: r["choices"][0].pop("prompt_logprobs"), "prompt_logprobs"),
        (lambda r: r["choices"][0]["prompt_logprobs"].__setitem__(2, None), "lacks a place"),
        (lambda r: r["choices"][0]["prompt_logprobs"].__setitem__(2, {"1": "-1"}), "'-1'"),
        (lambda r: r["choices"][0]["prompt_logprobs"].__setitem__(2, {str(9**30): -1}), "Row 1"),
        (lambda r: r["choices"][0]["prompt_logprobs"].__setitem__(2, {"1": -9999.0}),
         "not among them"),
        (lambda r: r["choices"][0]["prompt_logprobs"].append(
            r["choices"][0]["prompt_logprobs"].pop(1)), "of the text itself"),  # moved by one
        (lambda r: r.__setitem__("choices", [5]), "Row 1"),
        (lambda r: r["prompt_token_ids"].__setitem__(0, 99), "token 99"),
        (lambda r: r["prompt_token_ids"].__setitem__(2, -1), "token -1"),
        (lambda r: r["prompt_token_ids"].__setitem__(2, True), "token True"),
        (lambda r: r["prompt_token_ids"].__setitem__(2, "a"), "token 'a'"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_read_are_named(teacher, vllm, tmp_path, change, message):
    spoiled(vllm, change)
    with pytest.raises(FileRefused, match=message):
        imported(teacher, vllm, tmp_path / "out")
    assert not (tmp_path / "out" / "index.json").exists()


@pytest.mark.parametrize("text", ["5", "null", '["a"]', "[[1]]"])
def test_lines_that_are_no_objects_are_refused(teacher, tmp_path, text):
    path = tmp_path / "odd.jsonl"
    path.write_text(text)
    for name in ("vllm", "openai"):
        with pytest.raises(FileRefused, match=r"Row 0 .*no mapping"):
            imported(teacher, path, tmp_path / "out", written_by=name)


def test_a_cut_file_is_refused_by_its_line_and_a_byte_order_mark_is_read(teacher, vllm, tmp_path):
    whole = vllm.read_text()
    vllm.write_text(whole[:-40])
    with pytest.raises(FileRefused, match="near line 3"):
        imported(teacher, vllm, tmp_path / "out")
    vllm.write_text("\ufeff" + whole)
    assert len(imported(teacher, vllm, tmp_path / "out")) == 3

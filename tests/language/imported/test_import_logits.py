"""Logits of other programs become the folder that recording the teacher itself would write."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.language import TokenKD, import_logits, record  # noqa: E402
from limbeck.language.imported.distillkit import DistillKitLayout  # noqa: E402

TEXTS = ["hello there, you", "a b c d", "what is it?"]
K = 6


@pytest.fixture(scope="module")
def teacher(pair):
    return pair[0]


def log_probabilities(teacher, ids):
    with torch.no_grad():
        return teacher.module(torch.tensor([ids])).logits[0].log_softmax(-1)


def tokens(teacher, text):
    return teacher.tokenizer(text)["input_ids"]


@pytest.fixture
def vllm(teacher, tmp_path):
    """JSON lines as vLLM's server answers, the actual token included whatever its rank."""
    lines = []
    for text in TEXTS:
        ids = tokens(teacher, text)
        places = [None]
        for place, log_p in enumerate(log_probabilities(teacher, ids)[:-1]):
            values, best = log_p.topk(K)
            known = dict(zip(best.tolist(), values.tolist(), strict=True))
            known[ids[place + 1]] = float(log_p[ids[place + 1]])
            places.append({str(i): {"logprob": v, "rank": 1, "decoded_token": "?"}
                           for i, v in known.items()})  # fmt: skip
        lines.append({"prompt_token_ids": ids, "choices": [{"prompt_logprobs": places}]})
    path = tmp_path / "vllm.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def imported(big, path, out, **settings):
    return import_logits(path, out, **{
        "written_by": "vllm", "tokenizer": big.tokenizer, "teacher": big.module, **settings
    })  # fmt: skip


def loss(recorded, teacher):
    rows = list(range(len(recorded)))
    length = max(sum(map(len, recorded.tokens(i))) for i in rows)
    student = torch.linspace(-1, 1, len(rows) * length * teacher.outputs)
    student = student.reshape(len(rows), length, -1).sin()
    return float(TokenKD().loss(student, recorded.signal(rows, length),
                                recorded.counts(rows, length)).total)  # fmt: skip


def test_vllm_is_what_recording_the_teacher_keeps(teacher, vllm, tmp_path):
    found = imported(teacher, vllm, tmp_path / "out")
    ours = record(teacher.module, TEXTS, tmp_path / "ours", keep=f"top:{K}",
                  tokenizer=teacher.tokenizer)  # fmt: skip
    assert found.keep == ours.keep
    assert [found.tokens(i) for i in range(3)] == [ours.tokens(i) for i in range(3)]
    assert loss(found, teacher) == pytest.approx(loss(ours, teacher), rel=2e-3)
    assert found.facts["kept_mass"] == pytest.approx(ours.facts["kept_mass"], abs=2e-3)
    assert found.fingerprints["teacher"] == ours.fingerprints["teacher"]
    again = imported(teacher, vllm, tmp_path / "out")  # all is there
    assert again.fingerprints == found.fingerprints


def test_openai_tokens_are_found_by_their_bytes(teacher, tmp_path):
    inner = teacher.tokenizer
    path, lines = tmp_path / "openai.jsonl", []
    for text in TEXTS:
        ids = tokens(teacher, text)
        logs, content = log_probabilities(teacher, ids), []
        for place in range(3, len(ids) - 1):

            def named(i, log_p=logs[place]):
                token = inner.convert_ids_to_tokens(int(i))
                raw = None if token.startswith("<") else list(token.encode())
                return {"token": token, "bytes": raw, "logprob": float(log_p[i])}

            best = logs[place].topk(K).indices
            content.append({**named(ids[place + 1]), "top_logprobs": [named(i) for i in best]})
        lines.append({"prompt": text[:4],
                      "response": {"choices": [{"logprobs": {"content": content}}]}})  # fmt: skip
    path.write_text(json.dumps(lines))
    found = imported(teacher, path, tmp_path / "out", written_by="openai")
    rows = [{"prompt": t[:4], "completion": t[4:]} for t in TEXTS]
    assert [found.tokens(i)[0] for i in range(3)] == [tokens(teacher, r["prompt"]) for r in rows]
    ours = record(teacher.module, TEXTS, tmp_path / "ours", keep=f"top:{K}", prompt_tokens=4,
                  tokenizer=teacher.tokenizer)  # fmt: skip
    assert loss(found, teacher) == pytest.approx(loss(ours, teacher), rel=2e-3)


LAYOUT = {
    "d": 34, "k": K, "exact_k": 2, "exact_dtype": "bfloat16", "polynomial_terms": [0, 1, "sqrt"],
    "term_dtype": "float32", "residual_bins": [
        {"scale_dtype": "float16", "element_bits": 5, "num_elements": 3}
    ], "delta_encoding": True, "error_diffusion": False, "normalize_t": True,
}  # fmt: skip


def bits(numbers, width):
    stream = "".join(format(int(n), f"0{width}b") for n in numbers)
    stream += "0" * (-len(stream) % 8)
    return [int(stream[i : i + 8], 2) for i in range(0, len(stream), 8)]


def packed(log_p):
    """A place by DistillKit's rules, one number at a time; returns what a reader must find, too."""
    values, ids = log_p.topk(K)
    deltas = torch.cat([values[:1], values.diff()]).double()
    exact = deltas[:2].bfloat16()
    t = torch.linspace(0, 1, K - 2, dtype=torch.float64)
    terms = torch.stack([t**0, t, t.sqrt()], 1)
    fit = torch.linalg.lstsq(terms, deltas[2:, None]).solution[:, 0].float()
    residual = deltas[2:5] - (terms @ fit.double())[:3]
    scale = (residual.abs().amax() / 16).half()
    whole = (residual / scale.double()).round().clamp(-16, 15)
    rest = terms @ fit.double()
    rest[:3] += whole * scale.double()
    out = [*exact.view(torch.uint8).tolist(), *fit.view(torch.uint8).tolist(),
           *scale[None].view(torch.uint8).tolist(), *bits(whole + 16, 5)]  # fmt: skip
    return out, bits(ids, 6), ids, torch.cat([exact.double(), rest]).cumsum(0)


def test_distillkit_is_unpacked_bit_by_bit(teacher):
    logs = log_probabilities(teacher, tokens(teacher, TEXTS[0]))
    logs[0, :12] = torch.linspace(-1, -4, 12)  # so that residuals are not all zero
    places = [packed(log_p) for log_p in logs]
    raw, ids = (np.array([p[i] for p in places], dtype=np.uint8) for i in (0, 1))
    found = DistillKitLayout.read(LAYOUT).unpacked(raw, ids)
    assert found[0].tolist() == [p[2].tolist() for p in places]
    assert np.allclose(found[1], [p[3].numpy() for p in places], atol=1e-6)
    with pytest.raises(InvalidInput, match="bytes"):
        DistillKitLayout.read({**LAYOUT, "exact_k": 3}).unpacked(raw, ids)


def test_distillkit_folders_bring_their_configuration(teacher, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    yaml = pytest.importorskip("yaml")
    import pyarrow.parquet as pq

    source = tmp_path / "distillkit"
    source.mkdir()
    rows = []
    for text in TEXTS:
        ids = tokens(teacher, text)
        places = [packed(p) for p in log_probabilities(teacher, ids)[:-1]]
        rows.append({"input_ids": ids, "compressed_logprobs": [p[0] for p in places],
                     "bytepacked_indices": [p[1] for p in places]})  # fmt: skip
    pq.write_table(pyarrow.Table.from_pylist(rows), source / "data_0.parquet")
    with pytest.raises(FileRefused, match="compression="):
        imported(teacher, source, tmp_path / "out", written_by="distillkit")
    for odd in ("a: [", "d: 34\nresidual_bins: [{bits: 3}]", "d: 34\nresidual_bins: 5", "7"):
        (source / "compression_config.yaml").write_text(odd)
        with pytest.raises((FileRefused, InvalidInput), match="compression"):
            imported(teacher, source, tmp_path / "out", written_by="distillkit")
    (source / "compression_config.yaml").write_text(yaml.safe_dump(LAYOUT))
    found = imported(teacher, source, tmp_path / "out", written_by="distillkit")
    assert found.keep == f"top:{K}"
    assert [found.tokens(i)[1] for i in range(3)] == [tokens(teacher, t)[1:] for t in TEXTS]


def test_another_teacher_is_refused_by_its_numbers(teacher, pair, vllm, tmp_path):
    with pytest.raises(FileRefused, match="nats from those"):
        imported(teacher, vllm, tmp_path / "out", teacher=pair[1].module)


def test_another_temperature_is_refused(teacher, vllm, tmp_path):
    with pytest.raises(InvalidInput, match=r"temperature 0\.7"):
        imported(teacher, vllm, tmp_path / "out", temperature=0.7)


def test_logits_that_do_not_say_whose_they_are_say_so(teacher, vllm, tmp_path):
    found = imported(teacher, vllm, tmp_path / "out", teacher=None)
    assert "of a teacher that is not said" in repr(found)
    with pytest.warns(UserWarning, match="probable tokens hold"):  # too little was kept here
        found.check(tokenizer=teacher.tokenizer, teacher=teacher.module)
    with pytest.raises(FileRefused, match="another teacher"):
        imported(teacher, vllm, tmp_path / "out")


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


def test_what_is_refused_for_its_numbers_leaves_no_folder(teacher, pair, vllm, tmp_path):
    with pytest.raises(FileRefused, match="nats from those"):
        imported(teacher, vllm, tmp_path / "new" / "out", teacher=pair[1].module)
    assert not (tmp_path / "new").exists()
    imported(teacher, vllm, tmp_path / "new" / "out")


@pytest.mark.parametrize("vocabulary", [-1, 0, 3.5, "x"])
def test_a_vocabulary_without_a_meaning_is_refused(teacher, vllm, tmp_path, vocabulary):
    with pytest.raises(InvalidInput, match="vocabulary"):
        imported(teacher, vllm, tmp_path / "out", vocabulary=vocabulary)


def test_tokens_beyond_the_vocabulary_are_refused(teacher, vllm, tmp_path):
    with pytest.raises(FileRefused, match="numbered 0 to 4"):
        imported(teacher, vllm, tmp_path / "out", vocabulary=5, teacher=None)


def test_settings_without_a_meaning_are_refused(teacher, vllm, tmp_path):
    with pytest.raises(InvalidInput, match="written_by"):
        imported(teacher, vllm, tmp_path / "out", written_by="sglang")
    with pytest.raises(FileRefused, match="There is no"):
        imported(teacher, tmp_path / "absent.jsonl", tmp_path / "out")

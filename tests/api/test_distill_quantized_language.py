"""A language model with rounded weights, healed on texts by the float model."""

import random

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchao")
pytest.importorskip("transformers")

import limbeck  # noqa: E402
from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.language.models import read_model  # noqa: E402
from limbeck.modules.quantized_tensors import is_quantized  # noqa: E402
from limbeck.networks import Quantized  # noqa: E402

SETTINGS = {"max_new_tokens": 6, "batch_size": 16, "epochs": 1, "lr": 0.01, "distinct_n": 2}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory, language_models):
    return language_models(tmp_path_factory.mktemp("models"))[0]


@pytest.fixture(scope="module")
def texts():
    draw = random.Random(0)
    return ["".join(draw.choices("abcdefgh ", k=24)) + "x" for _ in range(40)]


@pytest.fixture(scope="module")
def result(teacher, texts):
    return limbeck.distill(teacher, texts, into=Quantized("int4", 4), progress=False, **SETTINGS)


def test_what_is_judged_holds_whole_numbers(result):
    assert list(result.facts) == ["teacher", "student", "control", "start"]
    weights = dict(result.student.module.named_parameters())
    assert is_quantized(weights["model.layers.0.mlp.up_proj.weight"])
    assert not is_quantized(weights["model.embed_tokens.weight"])
    assert "int4" in result.notes[0]
    assert "cross-entropy on the same texts" in result.notes[0]
    assert result.settings["objective"].startswith("TokenKD")
    assert result.bill["student"].tokens == result.bill["control"].tokens == 28 * 6


def test_a_saved_one_is_opened_bit_for_bit(result, tmp_path):
    again = limbeck.load(result.save(tmp_path / "run")).student
    for folder in (tmp_path / "run" / "student", f"hf:{tmp_path / 'run' / 'student'}"):
        opened = read_model(folder, "student")
        ids = torch.tensor([[3, 4, 5, 6]])
        with torch.no_grad():
            logits = result.student.module(ids).logits
            assert torch.equal(opened.module(ids).logits, logits)
            assert torch.equal(again.module(ids).logits, logits)
    assert opened.ends == result.student.ends
    stored = tmp_path / "run" / "student" / "quantized" / "model.safetensors"
    stored.write_bytes(stored.read_bytes()[:-9])
    with pytest.raises(FileRefused, match="cannot be read"):
        read_model(tmp_path / "run" / "student", "student")


def test_a_run_file_names_it(teacher, texts, tmp_path):
    from limbeck.api.run_file import run

    (tmp_path / "texts.txt.json").write_text(str([{"prompt": t} for t in texts]).replace("'", '"'))
    (tmp_path / "run.yaml").write_text(
        f"teacher: {teacher}\nstudent: {{name: Quantized, weights: int8}}\n"
        f"train: {tmp_path / 'texts.txt.json'}\nout: {tmp_path / 'out'}\nprompt_tokens: 16\n"
        "objective: TokenKD\nmax_new_tokens: 6\nbatch_size: 16\nepochs: 1\ncontrol: false\n"
    )
    run(tmp_path / "run.yaml", progress=False)
    found = read_model(tmp_path / "out" / "student", "student")
    assert any(map(is_quantized, found.module.parameters()))


def test_adapters_and_groups_that_do_not_fit_are_refused(teacher, texts):
    with pytest.raises(InvalidInput, match="lora was given with Quantized"):
        limbeck.distill(teacher, texts, into=Quantized(), lora=2, progress=False, **SETTINGS)
    with pytest.raises(InvalidInput, match="in groups of 7"):
        limbeck.distill(teacher, texts, into=Quantized("int4", 7), progress=False, **SETTINGS)

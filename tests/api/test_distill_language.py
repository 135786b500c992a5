"""Distilling language models end to end: certificate, controls, texts, resume, refusals."""

import json
import random
import shutil

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import limbeck  # noqa: E402
from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.language import (  # noqa: E402
    CrossTokenizer,
    MiniLLM,
    OnPolicy,
    PolicyGradient,
    SequenceKD,
    TokenKD,
)
from limbeck.networks import Callback  # noqa: E402

SETTINGS = {"max_new_tokens": 6, "batch_size": 8, "epochs": 1, "lr": 0.01, "distinct_n": 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, language_models):
    return language_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def rows():
    draw = random.Random(0)
    return [
        {"prompt": "".join(draw.choices("abcdef", k=draw.randint(2, 5))) + f" {i:b}"
         .replace("0", "x").replace("1", "y"), "completion": "hello"}
        for i in range(40)
    ]  # fmt: skip


def distilled(folders, rows, **settings):
    return limbeck.distill(
        folders[0], rows, into=folders[1], progress=False, **{**SETTINGS, **settings}
    )


@pytest.fixture(scope="module")
def result(folders, rows):
    return distilled(folders, rows, objective=OnPolicy(share=1.0), seeds=2)


def test_everything_is_there(result):
    assert list(result.facts) == [
        "teacher", "student", "control", "control on the teacher's texts", "start",
    ]  # fmt: skip
    assert [g.group for g in result.certificate.groups] == [
        "the student's texts", "the teacher's texts", "real texts",
    ]  # fmt: skip
    assert len(result.generations) == result.certificate.n == 12
    assert result.facts["teacher"].measured["own_overlap"].value == pytest.approx(1, abs=1e-6)
    assert len(result.comparison.differences) == 5
    assert len(result.second) == 5
    text = str(result)
    for word in ("certificate", "control", "sampling", "What both write", "KL(t||s)"):
        assert word in text


def test_the_bill_counts_updates_and_tokens(result):
    student, control = result.bill["student"], result.bill["control"]
    assert student.updates == control.updates == 2 * 4
    assert control.tokens == 2 * 28 * 6  # hello and the end of text
    assert student.written == student.tokens > 0
    assert student.sampling > 0 < student.teacher
    assert control.written == control.teacher == 0


def test_saved_and_loaded_it_prints_the_same(result, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    again = limbeck.load(result.save(tmp_path / "run"))
    assert str(again) == str(result)
    assert again.losses["real texts"] == pytest.approx(result.losses["real texts"])
    assert "Texts side by side" in (tmp_path / "run" / "report.html").read_text()
    place = result.student.save_pretrained(tmp_path / "student")
    card = (place / "README.md").read_text()
    assert card.startswith("---\nlibrary_name")
    assert result.certificate.student in card
    opened = AutoModelForCausalLM.from_pretrained(place)
    for a, b in zip(opened.parameters(), result.student.module.parameters(), strict=True):
        assert torch.equal(a, b)
    assert len(AutoTokenizer.from_pretrained(place)) == 34
    assert {"models", "texts", "bill", "generations", "history"} <= set(result.tables())
    assert len(result.to_frame("generations")) == 12


@pytest.mark.parametrize(
    "objective",
    [TokenKD(), SequenceKD(), PolicyGradient(), MiniLLM()],
    ids=lambda o: type(o).__name__,
)
def test_every_objective_trains(folders, rows, objective):
    found = distilled(folders, rows, objective=objective, control=False)
    start = limbeck.language.models.read_model(folders[1], "student").module
    pairs = zip(start.parameters(), found.student.module.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)
    assert found.comparison.verdict == "no control"


def test_without_texts_the_teacher_writes_them_for_student_and_control(folders, rows):
    found = distilled(folders, [r["prompt"] for r in rows], objective=TokenKD())
    assert len(found.certificate.groups) == 2
    assert found.bill["student"].written == found.bill["control"].written > 0
    assert any("the teacher wrote them" in note for note in found.notes)


class Killed(Callback):
    def on_step_end(self, state):
        if state.step == 3:
            raise KeyboardInterrupt


def test_a_killed_run_goes_on_bit_for_bit(folders, rows, tmp_path):
    settings = {"objective": OnPolicy(share=0.8, replay=0.3), "control": False, "epochs": 2}
    whole = distilled(folders, rows, **settings)
    broken = settings | {"out": tmp_path, "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        distilled(folders, rows, callbacks=[Killed()], **broken)
    resumed = distilled(folders, rows, **broken)
    assert resumed.certificate.student == whole.certificate.student
    assert (tmp_path / "student" / "model.safetensors").is_file()
    bill, again = (r.bill["student"] for r in (resumed, distilled(folders, rows, **broken)))
    for part in ("training", "sampling", "teacher"):  # of a run that was over: what it cost
        assert getattr(again, part) > getattr(bill, part) / 2 > 0


def test_a_file_gives_the_student_of_the_list_and_goes_on_bit_for_bit(
    folders, rows, result, tmp_path
):
    """The same seed gives the same student and texts."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {"objective": OnPolicy(share=1.0), "seeds": 2, "control": False}
    settings |= {"out": tmp_path / "run", "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        distilled(folders, path, **settings, callbacks=[Killed()])
    found = distilled(folders, path, **settings)
    assert found.certificate.student == result.certificate.student
    assert found.certificate.rows == result.certificate.rows
    assert found.generations == result.generations
    assert (tmp_path / "run" / "tokens" / "index.json").is_file()
    path.write_text(path.read_text() + json.dumps(rows[0] | {"prompt": "abc"}))
    with pytest.raises(FileRefused, match="tokens with other files"):
        distilled(folders, path, **settings)


def test_accumulated_parts_are_one_update(folders, rows):
    """Divided by the tokens of the whole update, not by those of a part."""
    settings = {"objective": TokenKD(), "control": False, "optimizer": "SGD", "lr": 0.5}
    ragged = [r | {"completion": r["prompt"][: 1 + i % 5]} for i, r in enumerate(rows)]
    one = distilled(folders, ragged, **settings)
    parts = distilled(folders, ragged, gradient_accumulation_steps=4, **settings)
    pairs = zip(one.student.module.parameters(), parts.student.module.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)


def test_texts_that_all_begin_alike_are_one_prompt(folders, rows):
    texts = [f"abcdef {row['prompt']}" for row in rows]
    with pytest.raises(InvalidInput, match=r"of which 1 are different.*a larger prompt_tokens"):
        distilled(folders, texts, prompt_tokens=4)


def test_prompts_beyond_the_teachers_context_are_refused(folders, rows):
    model = limbeck.language.models.read_model(folders[0], "teacher")
    model.module.config.max_position_embeddings = 16
    student = limbeck.language.models.read_model(folders[1], "student")
    given = {**SETTINGS, "max_new_tokens": 10}
    with pytest.raises(InvalidInput, match="more than the context of big, 16"):
        limbeck.distill(model, rows, into=student, **given)


def test_test_prompts_that_train_are_refused(folders, rows):
    with pytest.raises(InvalidInput, match="2 test prompts of 2 are among those that train"):
        distilled(folders, rows, objective=TokenKD(), test=rows[:2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": limbeck.networks.GoldLabels()}, "The objective is"),
        ({"objective": OnPolicy}, "The objective is"),
        ({"objective": OnPolicy(), "leaves": 3}, "no setting 'leaves'"),
        ({"objective": OnPolicy(), "groups": "a"}, "groups was given"),
        ({"objective": OnPolicy(), "preflight": "no"}, "preflight is 'no'"),
        ({"objective": OnPolicy(), "max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"objective": OnPolicy(), "max_new_tokens": 60}, "context of small, 64"),
    ],
)
def test_settings_without_meaning_are_refused(folders, rows, settings, message):
    with pytest.raises(InvalidInput, match=message):
        distilled(folders, rows, **settings)


@pytest.fixture(scope="module")
def logits(folders, rows, tmp_path_factory):
    out = tmp_path_factory.mktemp("recorded") / "logits"
    limbeck.language.record(folders[0], rows, out=out, keep="full", max_new_tokens=6)
    return out


def test_training_from_recorded_logits_is_training_from_the_teacher(folders, rows, logits):
    settings = {k: v for k, v in SETTINGS.items() if k != "max_new_tokens"}
    found = limbeck.distill(
        str(logits), into=folders[1], objective=TokenKD(), judge=folders[0], max_new_tokens=6,
        progress=False, **settings,
    )  # fmt: skip
    same = distilled(folders, rows, objective=TokenKD())
    assert found.bill["student"].teacher == 0 < same.bill["student"].teacher
    pairs = zip(found.student.module.parameters(), same.student.module.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=2e-3) for a, b in pairs)  # float16 on disk


def test_recorded_logits_at_another_temperature_are_refused(folders, rows, tmp_path):
    """Imported without their teacher, so that nothing else tells whose they are."""
    model = limbeck.language.models.read_model(folders[0], "teacher")
    lines = []
    for row in rows:
        ids = model.tokenizer(row["prompt"])["input_ids"]
        with torch.no_grad():
            logs = (model.module(torch.tensor([ids])).logits[0] / 0.7).log_softmax(-1)[:-1]
        places = [dict(zip(map(str, range(logs.shape[1])), p.tolist(), strict=True)) for p in logs]
        lines.append(json.dumps({"prompt_token_ids": ids, "prompt_logprobs": [None, *places]}))
    path, out = tmp_path / "vllm.jsonl", tmp_path / "logits"
    path.write_text("\n".join(lines))
    limbeck.language.import_logits(path, out, written_by="vllm", tokenizer=model.tokenizer)
    with pytest.raises(InvalidInput, match=r"Pre-flight, recorded .* at temperature 0\.70"):
        limbeck.distill(out, into=folders[1], objective=TokenKD(), judge=folders[0], **SETTINGS)


def test_recorded_logits_that_do_not_fit_are_refused(folders, rows, logits):
    with pytest.raises(InvalidInput, match="split already"):
        limbeck.distill(str(logits), into=folders[1], objective=TokenKD(), prompt_tokens=3)
    with pytest.raises(InvalidInput, match="of their own texts"):
        limbeck.distill(str(logits), rows, into=folders[1], objective=TokenKD(), judge=folders[0])
    with pytest.raises(limbeck.core.errors.FileRefused, match="another teacher"):
        limbeck.distill(str(logits), into=folders[1], objective=TokenKD(), judge=folders[1])
    with pytest.raises(InvalidInput, match="OnPolicy learns from texts"):
        limbeck.distill(str(logits), into=folders[1], objective=OnPolicy(), judge=folders[0])


def test_the_judge_is_the_folder_that_was_recorded_while_it_is_there(
    folders, rows, logits, tmp_path
):
    found = limbeck.distill(
        str(logits), into=folders[1], objective=TokenKD(), control=False, progress=False, **SETTINGS
    )
    assert any("The judge is the teacher that was recorded" in note for note in found.notes)
    model = limbeck.language.models.read_model(folders[0], "teacher")
    limbeck.language.record(model, rows, out=tmp_path / "of_a_module", max_new_tokens=6)
    moved = tmp_path / "moved"
    shutil.copytree(logits, moved)
    index = moved / "index.json"
    told = json.loads(index.read_text().replace(folders[0].removeprefix("hf:"), "/not/there"))
    index.write_text(json.dumps({k: v for k, v in told.items() if k != "checksum"}))
    for folder, words in ((tmp_path / "of_a_module", "Recorded"), (moved, "/not/there")):
        with pytest.raises(InvalidInput, match=words) as refused:
            limbeck.distill(str(folder), into=folders[1], objective=TokenKD())
        assert "judge=" in str(refused.value)


def test_a_teacher_that_writes_nothing_is_refused(folders, rows):
    teacher, student = (limbeck.language.models.read_model(f, "teacher") for f in folders)
    teacher.module.generate = lambda input_ids=None, **_: input_ids
    prompts = [r["prompt"] for r in rows]
    with pytest.raises(InvalidInput, match="wrote nothing after"):
        limbeck.distill(teacher.module, prompts, into=student.module, tokenizer=teacher.tokenizer,
                        objective=TokenKD(), progress=False, preflight="warn",
                        **SETTINGS)  # fmt: skip


def test_adapters_are_trained_and_merged(folders, rows):
    pytest.importorskip("peft")
    found, again = (
        distilled(folders, rows, objective=TokenKD(), control=False, lora=4) for _ in range(2)
    )
    assert found.certificate.student == again.certificate.student
    start = limbeck.language.models.read_model(folders[1], "student").module
    own = dict(found.student.module.named_parameters())
    changed = {n for n, p in start.named_parameters() if not torch.equal(p, own[n])}
    assert changed
    assert all("proj" in name for name in changed)


_TWO = """
import json, sys, limbeck
from limbeck.language import OnPolicy
teacher, student, rows = json.loads(sys.argv[1])
found = limbeck.distill(teacher, rows, into=student, objective=OnPolicy(share=0.5), control=False,
                        max_new_tokens=6, batch_size=8, lr=0.5, optimizer="SGD", progress=False,
                        preflight="warn")
found.student.save_pretrained(sys.argv[2])
bill = found.bill["student"]
open(sys.argv[2] + ".json", "w").write(json.dumps([bill.updates, bill.tokens, bill.written]))
"""


@pytest.mark.slow
def test_two_processes_give_the_student_of_one(folders, rows, tmp_path):
    import subprocess
    import sys

    ragged = [r | {"completion": "hello"[: 1 + i % 5]} for i, r in enumerate(rows)]
    script = tmp_path / "two.py"
    script.write_text(_TWO)
    told = json.dumps([*folders, ragged])
    many = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
            "--master-port", "29731"]  # fmt: skip
    for start, out in (([sys.executable], "one"), (many, "two")):
        subprocess.run([*start, str(script), told, str(tmp_path / out)], check=True, timeout=300)
    read = limbeck.language.models.read_model
    one, two = (read(f"hf:{tmp_path / out}", "student").module for out in ("one", "two"))
    pairs = zip(one.parameters(), two.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)
    bills = [(tmp_path / f"{out}.json").read_text() for out in ("one", "two")]
    assert bills[0] == bills[1]


def test_a_student_with_another_tokenizer_learns_by_cross_tokenizer(tmp_path, folders, rows):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(set(pre_tokenizers.ByteLevel.alphabet()))
    merges = [("h", "e"), ("l", "l"), ("a", "b")]  # "hello" in three tokens
    words = ["<end>", *letters, *("".join(m) for m in merges)]
    inner = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, merges))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    torch.manual_seed(0)
    small = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(words) + 20, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=64, bos_token_id=None,
        eos_token_id=0, pad_token_id=0,
    ))  # fmt: skip
    small.save_pretrained(tmp_path / "small")
    PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<end>", pad_token="<end>"
    ).save_pretrained(tmp_path / "small")
    other = f"hf:{tmp_path / 'small'}"
    with pytest.raises(InvalidInput, match="CrossTokenizer"):
        distilled((folders[0], other), rows)
    path = tmp_path / "small" / "chat_template.jinja"
    path.write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    with pytest.raises(InvalidInput, match="two chat templates"):
        distilled((folders[0], other), rows, chat=True, objective=CrossTokenizer())
    path.unlink()
    found = distilled((folders[0], other), rows, objective=CrossTokenizer(share=0.5),
                      preflight="warn", out=tmp_path / "run")  # fmt: skip
    assert "chunks of text that both tokenizers share" in found.certificate.statement
    assert "Ratio of chunk likelihoods" in str(found)
    assert found.bill["student"].teacher > 0
    assert found.bill["control"].teacher == 0
    assert found.facts["teacher"].measured["own_overlap"].value == pytest.approx(1, abs=1e-6)
    assert limbeck.load(tmp_path / "run").certificate == found.certificate
    verified = limbeck.language.verify(tmp_path / "run", folders[0])
    assert not verified.differences

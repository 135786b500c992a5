"""Distillations of networks from files, as a user of the shell meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from torch import nn
from typer.testing import CliRunner

from limbeck.api.run_file import read_run, resume, run
from limbeck.cli.app import app
from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra

MODELS = """
import torch
from torch import nn

def teacher():
    net = nn.Linear(4, 2)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]]))
        net.bias.zero_()
    return net

def student():
    return nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.2), nn.ReLU(), nn.Linear(4, 2))

def plain():
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))

def part(n, seed):
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 2:].sum(1) > x[:, :2].sum(1)).long()

def train():
    return part(200, 0)

def test():
    return part(80, 1)

def validation():
    return part(80, 2)

class Tokenizer:
    def __init__(self, *tokens):
        self.tokens = tokens

    def get_vocab(self):
        return {t: i for i, t in enumerate(self.tokens)}

one = Tokenizer("a", "b")

def two():
    return Tokenizer("b", "a")
"""

RUN: dict[str, Any] = {
    "teacher": "models_of_a_user:teacher",
    "student": "models_of_a_user:student",
    "train": "models_of_a_user:train",
    "test": "models_of_a_user:test",
    "objective": [
        {"weight": 0.9, "name": "SoftTargets", "temperature": 2.0},
        {"weight": 0.1, "name": "GoldLabels"},
    ],
    "epochs": 2,
    "batch_size": 32,
    "out": "run",
}
ALONE: dict[str, Any] = {"teacher": None, "objective": ["GoldLabels"]}
"""Without a teacher there is no certificate, and no graph in ONNX to be made for it."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models_of_a_user.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("models_of_a_user", None)
    return tmp_path


def write(folder: Path, **changes: Any) -> Path:
    data = {k: v for k, v in {**RUN, **changes}.items() if v is not None}
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_a_run_from_the_shell_can_be_verified_in_the_shell(here: Path) -> None:
    shell = CliRunner()
    done = shell.invoke(app, ["distill", str(write(here))])
    assert done.exit_code == 0, done.output
    assert "verdict" in done.output
    assert (here / "run/run.yaml").is_file()
    command = "verify run/certificate.json --student run/student.onnx --rows run/rows.npz"
    checked = shell.invoke(app, command.split())
    assert checked.exit_code == 0, checked.output
    assert "Verified" in checked.output
    again = shell.invoke(app, ["certify", "--student", "run/student.onnx", "--rows",
                               "run/rows.npz", "--epsilon", "0.9"])  # fmt: skip
    assert again.exit_code == 0, again.output


def test_arrays_weights_filters_and_schedules_from_files(here: Path) -> None:
    x = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
    np.savez(here / "rows.npz", X=x, y=(x.sum(1) > 0).astype(np.int64))
    from safetensors.torch import save_file

    net = nn.Linear(4, 2)
    save_file(net.state_dict(), here / "teacher.safetensors")
    path = write(
        here,
        train="rows.npz",
        test=None,
        teacher_weights="teacher.safetensors",
        objective=[
            {"weight": {"name": "LinearSchedule", "start": 1.0, "end": 0.5}, "name": "Logits"},
            "GoldLabels",
        ],
        balanced=True,
        filter="TeacherCorrect",
        control=False,
    )
    found = run(path)
    assert found.settings["balanced"]
    assert found.settings["rows"] == 70
    assert [name for name, _, _ in found.settings["objective"]] == ["Logits", "GoldLabels"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3}, r"'epoch' in run.yaml is no setting. Did you mean 'epochs'"),
        ({"train": None}, "run.yaml has no 'train'"),
        ({"student": "models_of_a_user:studnet"}, "has no 'studnet'. Did you mean 'student'"),
        ({"objective": []}, "objective is"),
        ({"objective": [{"name": "SoftTarget"}]}, "Did you mean 'SoftTargets'"),
        (
            {"objective": [{"name": "SoftTargets", "heat": 3}]},
            "SoftTargets in objective has no setting 'heat'",
        ),
        (
            {"objective": [{"name": "TeacherLabels", "temperature": 4}]},
            "TeacherLabels in objective has no setting 'temperature'. Hard labels have no",
        ),
        ({"teacher_weights": "a.safetensors", "teacher": ["a:b", "a:c"]}, "given for 2 of them"),
        ({"mode": {"name": "BornAgain", "generation": 2}}, "Did you mean 'generations'"),
        (
            {"tokenizers": ["models_of_a_user:one", "models_of_a_user:two"]},
            "Token 'a' is 0 to the teacher and 1 to the student",
        ),
        ({"tokenizers": "models_of_a_user:one"}, "tokenizers is a str, not a pair"),
        ({"lr": "fast"}, "lr is 'fast'. Give a number"),
        ({"epochs": "many"}, "epochs is 'many'"),
        ({"ema": "much"}, "ema is 'much'"),
        ({"num_workers": "two"}, "num_workers is 'two'"),
    ],
)
def test_a_wrong_file_is_refused_with_the_name(
    here: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        run(write(here, **changes))
    assert not list(here.glob("run/seed*"))


def test_what_is_no_run_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read"):
        read_run(tmp_path / "absent.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(FileRefused, match="is no YAML"):
        read_run(tmp_path / "bad.yaml")
    (tmp_path / "list.yaml").write_text("- a")
    with pytest.raises(FileRefused, match="is not a YAML mapping"):
        read_run(tmp_path / "list.yaml")
    with pytest.raises(FileRefused, match=r"holds no run.yaml"):
        resume(tmp_path)


def test_numbers_are_read_as_in_yaml_1_2(here: Path) -> None:
    (here / "run.yaml").write_text("student: a:b\ntrain: a:c\nobjective: [x]\nout: run\nlr: 1e-3\n")
    assert read_run(here / "run.yaml")["lr"] == 0.001


def test_a_folder_is_resumed_from_anywhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(write(here, **ALONE))
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    again = resume(here / "run")
    assert again.settings["out"] == str(here / "run")
    assert not list(elsewhere.iterdir())
    for a, b in zip(first.student.parameters(), again.student.parameters(), strict=True):
        assert a.equal(b)


def test_a_cache_with_settings(here: Path) -> None:
    found = run(write(here, cache={"folder": "kept", "dtype": "float64"}, control=False))
    assert (here / "kept/cache.json").is_file()
    assert found.settings["rows"] == 200


def test_options_beside_a_run_file_are_refused(here: Path) -> None:
    shell = CliRunner()
    done = shell.invoke(app, ["distill", str(write(here)), "--out", "elsewhere"])
    assert done.exit_code == 2
    assert "--out was given beside a run file" in done.output


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_weights(here: Path) -> None:
    path = write(here, epochs=120, batch_size=8, checkpoint_every=20, baseline=False, control=False)
    command = [sys.executable, "-m", "limbeck"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), *sys.path])}
    started = subprocess.Popen([*command, "distill", str(path)], cwd=here, env=env)
    folder = here / "run/seed-0/distilled"
    until = time.monotonic() + 120
    while len(list(folder.rglob("*.safetensors"))) == 0 and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    started.send_signal(signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL
    assert not (here / "run/model.safetensors").exists()
    subprocess.run([*command, "resume", "run"], cwd=here, env=env, check=True)
    resumed = (here / "run/model.safetensors").read_bytes()
    (here / "run").rename(here / "first")
    subprocess.run([*command, "distill", str(path)], cwd=here, env=env, check=True)
    assert (here / "run/model.safetensors").read_bytes() == resumed


def test_a_run_that_was_refused_makes_room_for_the_corrected_one_alone(here: Path) -> None:
    """A file that is refused later does not take the place of the one begun with."""
    with pytest.raises(InvalidInput, match="patience is 2"):
        run(write(here, **ALONE, patience=2, validation=0))
    run(write(here, **ALONE, epochs=1))
    begun = (here / "run/run.yaml").read_text()
    assert "patience" not in begun
    with pytest.raises(InvalidInput, match="epochs was 1 and is 3"):
        run(write(here, **ALONE, epochs=3))
    assert (here / "run/run.yaml").read_text() == begun
    again = resume(here / "run")
    assert again.settings["training"]["epochs"] == 1
    assert again.status.code.name == "LIMIT"  # of one epoch


def by_two(here: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """A command of limbeck in two processes."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), *sys.path])}
    many = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
            "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0", "-m", "limbeck"]  # fmt: skip
    return subprocess.run([*many, *command], cwd=here, env=env, capture_output=True, text=True,
                          timeout=300)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("who", ["both", "second"])
def test_an_error_is_printed_once_whoever_meets_it(here: Path, who: str) -> None:
    if who == "both":
        path = write(here, temperature=4)
        problem = "'temperature' in run.yaml is no setting"
    else:
        with (here / "models_of_a_user.py").open("a") as file:
            file.write(
                "import os\nfrom limbeck.core.errors import InvalidInput\ndef train():\n"
                "    if os.environ['RANK'] == '1':\n"
                "        raise InvalidInput('No rows here.', 'Mount them.')\n"
                "    return part(200, 0)\n"
            )
        path, problem = write(here), "No rows here"
    done = by_two(here, ["distill", str(path)])
    assert done.returncode != 0
    assert done.stderr.count(problem) == 1, done.stderr[-3000:]


@pytest.mark.slow
def test_two_processes_give_what_one_gives(here: Path) -> None:
    name = "models_of_a_user:plain"
    rows = "models_of_a_user:validation"
    path = write(here, student=name, cache=True, seeds=2, validation=rows)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), *sys.path])}
    done = by_two(here, ["distill", str(path)])
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("verdict") == 1
    (here / "run").rename(here / "two")
    command = [sys.executable, "-m", "limbeck", "distill", str(path)]
    subprocess.run(command, cwd=here, env=env, check=True, capture_output=True)
    written = [
        sorted(str(p.relative_to(here / f)).partition("events")[0] for p in (here / f).rglob("*"))
        for f in ("two", "run")
    ]
    assert written[0] == written[1]
    from safetensors.torch import load_file

    two, one = (load_file(here / f"{f}/model.safetensors") for f in ("two", "run"))
    for name, value in one.items():
        assert value.numpy() == pytest.approx(two[name].numpy(), abs=1e-5)
    told = [json.loads((here / f"{f}/result.json").read_text()) for f in ("two", "run")]
    assert told[0]["verdict"] == told[1]["verdict"]
    assert all(f["milliseconds"] for f in told[0]["facts"].values())


OWN = """
import json
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from limbeck.networks import Callback, Loss
from limbeck.networks.losses.loss import Needs

@dataclass(frozen=True)
class Margins(Loss):
    level: ClassVar[int] = 3
    power: float = 2.0

    @property
    def needs(self):
        return Needs(teacher=True)

    def loss(self, step, maps):
        a = step.aligned
        ahead = [z.topk(2).values.diff() for z in (a.student, a.teacher)]
        return step.mean((ahead[0] - ahead[1]).abs().pow(self.power).mean(-1), a.weight)

class Lines(Callback):
    def __init__(self, path):
        self.path = path

    def on_log(self, state, row):
        with open(self.path, "a") as file:
            file.write(json.dumps({"run": state.run, **row}) + "\\n")

lines = Lines("object.jsonl")

def accuracy(outputs, labels):
    return (outputs.argmax(-1) == labels).float().mean()

def above(outputs, labels, threshold):
    return (outputs.softmax(-1).max(-1).values > threshold).float().mean()

def narrow(width):
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))

def adam(parameters, lr):
    return torch.optim.Adam(parameters, lr=lr)
"""


def test_losses_students_metrics_callbacks_and_optimizers_of_ones_own(here: Path) -> None:
    (here / "things_of_a_user.py").write_text(OWN)
    sys.modules.pop("things_of_a_user", None)
    path = write(
        here,
        student={"name": "things_of_a_user:narrow", "width": 5},
        validation="models_of_a_user:validation",
        objective=[
            {"weight": 0.5, "name": "things_of_a_user:Margins", "power": 1.0},
            {"name": "GoldLabels"},
        ],
        optimizer={"name": "things_of_a_user:adam", "lr": 0.01},
        callbacks=[
            {"name": "things_of_a_user:Lines", "path": "lines.jsonl"},
            "things_of_a_user:lines",
        ],
        metrics=[
            "things_of_a_user:accuracy",
            {"name": "things_of_a_user:above", "threshold": 0.0},
        ],
    )
    result = run(path)
    assert result.student[0].out_features == 5
    last = [row for row in result.history if row["role"] == "student"][-1]
    assert last["accuracy"] == pytest.approx(last["score"])
    assert last["above"] == 1.0
    rows = [json.loads(line) for line in (here / "lines.jsonl").read_text().splitlines()]
    assert (here / "object.jsonl").read_text() == (here / "lines.jsonl").read_text()
    assert {r["run"] for r in rows} == {"student, seed 0", "control, seed 0"}
    told = [r for r in rows if r["run"] == "student, seed 0"][-1]
    assert told["accuracy"] == last["accuracy"]
    assert told["Margins"] > 0
    assert told["lr"] != 0.001


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"objective": [{"name": "things_of_a_user:Margins", "powr": 1}]},
            "things_of_a_user:Margins in objective has no setting 'powr'. Did you mean 'power'",
        ),
        ({"objective": ["things_of_a_user:Margin"]}, "has no 'Margin'. Did you mean 'Margins'"),
        ({"callbacks": ["things_of_a_user:Lines"]}, "Lines in callbacks: .*missing .*'path'"),
        ({"callbacks": ["things_of_a_user:OWN"]}, "things_of_a_user has no 'OWN'"),
        (
            {"callbacks": [{"name": "things_of_a_user:lines", "path": "a"}]},
            "lines in callbacks is a Lines, which takes no settings",
        ),
        ({"callbacks": ["Lines"]}, "There is no 'Lines' for callbacks"),
        ({"metrics": {"f1": "accuracy"}}, "'accuracy'"),
        ({"metrics": ["things_of_a_user:lines"]}, "lines in metrics is a Lines"),
        ({"metrics": ["things_of_a_user:accuracy"]}, "there are no validation rows"),
    ],
)
def test_what_is_wrong_with_ones_own_is_said_before_any_work(
    here: Path, changes: dict[str, Any], message: str
) -> None:
    (here / "things_of_a_user.py").write_text(OWN)
    sys.modules.pop("things_of_a_user", None)
    with pytest.raises(InvalidInput, match=message):
        run(write(here, **changes))
    assert not list(here.glob("run/seed*"))


def test_optimizers_and_schedules_of_torch_in_a_file(here: Path) -> None:
    path = write(
        here,
        **ALONE,
        optimizer={"name": "Adam", "betas": [0.8, 0.9]},
        schedule={"name": "StepLR", "step_size": 1},
        max_steps=5,
    )
    result = run(path)
    assert result.history[-1]["step"] <= 5
    assert "StepLR" in result.settings["training"]["schedule"]
    with pytest.raises(InvalidInput, match="Did you mean 'StepLR'"):
        run(write(here, **ALONE, schedule={"name": "StepLRs"}))


def test_a_teacher_is_rounded_or_the_package_that_rounds_is_named(here: Path) -> None:
    given = write(here, student={"name": "Quantized", "weights": "int8"}, epochs=1)
    if find_spec("torchao") is None:
        with pytest.raises(MissingExtra, match="needs the package torchao"):
            run(given)
    else:
        assert any("linear layer" in note for note in run(given).notes)
    with pytest.raises(InvalidInput, match="weights is 'int3'"):
        run(write(here, student={"name": "Quantized", "weights": "int3"}))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("1: 2", "has the key 1"),
        ("true: 3", "has the key True"),
        ("objective: [{3: 4}]", "has the key 3"),
        ("epochs: 100000000000000000000", "beyond 64 bits"),
        ('student: "a\\0b"', "has no NUL"),
        ('cache: "\\ud800"', "half a character"),
        ("filter: " + "[" * 500 + "]" * 500, "nested too deeply"),
        ("a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
         "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]",
         "more than 10,000 values"),
        ("a: &a [*a]", "more than 10,000 values"),
        ("epochs: !!python/object/apply:os.system [ls]", "no YAML"),
    ],
)  # fmt: skip
def test_hostile_run_files_end_in_a_sentence(tmp_path: Path, lines: str, why: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(lines)
    with pytest.raises(FileRefused, match=why):
        read_run(path)

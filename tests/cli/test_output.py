from __future__ import annotations

import importlib.util
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pytest

from limbeck.cli import main

COMMAND = [sys.executable, "-c", "from limbeck.cli import main; main()"]
NAMES = (
    "students", "methods", "teachers", "routes sklearn", "--version", "--help",
    "distill --help", "verify --help",
)  # fmt: skip
ASCII = {**os.environ, "PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C", "COLUMNS": "90"}


def run(*words: str, env: dict[str, str] | None = None, out: int = -1) -> tuple[int, str, str]:
    done = subprocess.run(
        [*COMMAND, *words], check=False, env=env, stdout=subprocess.PIPE if out < 0 else out,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()


def called(
    patch: pytest.MonkeyPatch, *words: str, out: IO[str] | None = None, encoding: str = "utf-8"
) -> tuple[object, str]:
    """The command in this process, with streams as a shell gives them; its status and errors."""
    kept = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    patch.setattr(sys, "argv", ["limbeck", *words])
    patch.setattr(sys, "stdout", out or kept[0])
    patch.setattr(sys, "stderr", kept[1])
    with pytest.raises(SystemExit) as end:
        main()
    kept[1].flush()
    return end.value.code, kept[1].buffer.getvalue().decode()  # type: ignore[attr-defined]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        code, said = called(monkeypatch, "students", out=full)
    assert code == 2
    assert said == (
        "The output cannot be written: No space left on device.\n"
        "Free some space, or send it elsewhere.\n"
    )


def test_ascii_terminals_get_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"größe": range(60), "teacher_label": [0, 1] * 30})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    missing = ["--student", str(tmp_path / "é.json"), "--rows", str(tmp_path / "rows.csv")]
    monkeypatch.setenv("COLUMNS", "90")
    code, said = called(monkeypatch, "certify", *missing, encoding="ascii")
    assert code == 2
    assert said.isascii()
    assert "\\xe9.json" in said.replace("\n", "")
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize("words", NAMES)
def test_every_list_and_page_of_help_ends_well(words: str) -> None:
    code, out, said = run(*words.split(), env=ASCII)
    assert (code, said) == (0, "")
    assert out.isascii()
    with open("/dev/full", "w") as full:
        code, _, said = run(*words.split(), out=full.fileno())
    assert code == 2
    assert said.startswith("The output cannot be written")


@pytest.mark.slow
def test_sigterm_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\ndef model(X):\n    time.sleep(1)\n    return (X.a > 30).astype(int)\n"
    )
    pd.DataFrame({"a": range(60), "b": [0, 1] * 30}).to_csv(tmp_path / "rows.csv", index=False)
    words = ["distill", "--teacher", "slow:model", "--data", "rows.csv", "--out", "out"]
    process = subprocess.Popen([*COMMAND, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    kept = tmp_path / "out" / "unfinished"
    while process.poll() is None and not (kept.is_dir() and list(kept.iterdir())):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 143
    assert said.startswith("Ended by SIGTERM; what is finished is kept in out. To go on: limbeck")
    assert list(kept.iterdir())


MODELS = """
import torch, time
X = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
torch.manual_seed(0)
teacher = torch.nn.Linear(4, 3)
y = teacher(X).argmax(1)
def student():
    return torch.nn.Linear(4, 3)
train, validation, test = (X[:60], y[:60]), (X[60:120], y[60:120]), (X[120:], y[120:])
def labels(texts):
    time.sleep(0.2)
    return [t.endswith("1") for t in texts]
"""
RUN = """
teacher: models:teacher
student: models:student
train: models:train
validation: models:validation
test: models:test
objective: [{name: SoftTargets, weight: 1.0}]
epochs: 60
timing: false
out: run
"""
STOPPED = {
    "run.yaml": (["distill", "run.yaml"], "run/seed-0/*/checkpoint.safetensors", "run"),
    "tune": (["tune", "tune.yaml"], "run/**/rung-0.json", "run"),
    "label": (["label", "texts.csv", "--teacher", "models:labels", "--classes", "False,True",
               "--name", "x", "--out", "l.jsonl"], ".l.jsonl.partial", ".l.jsonl.partial"),
    "generate": (["generate", "--teacher", "chat.yaml", "--seeds", "seeds.jsonl", "--n", "12",
                  "--out", "set"], "answers.sqlite", "set"),
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    place = Path(__file__).parent.parent / "kills" / "runs.py"
    spec = importlib.util.spec_from_file_location("small_runs", place)
    assert spec is not None
    assert spec.loader is not None
    runs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runs)
    served = runs.service()
    quick = served.respond

    def slow(body: Any, n: int) -> Any:
        found = quick(body, n)
        found.delay = 0.2
        return found

    served.respond = slow
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "tune.yaml").write_text(f"{RUN}over: {{lr: [0.001, 0.01]}}\ntrials: 2\n")
    texts = pd.DataFrame({"text": [f"text {i}" for i in range(2_000)]})
    texts.to_csv(tmp_path / "texts.csv", index=False)
    (tmp_path / "chat.yaml").write_text(
        f"model: m\nbase_url: {served.base_url}\nprompt: Is it good? {{text}}\n"
        "classes: [no, yes]\nstore: answers.sqlite\nconcurrency: 1\n"
    )
    (tmp_path / "seeds.jsonl").write_text(
        "\n".join(
            json.dumps({"id": f"s{i}", "instruction": f"Write about {thing} in words, number {i}.",
                        "instances": [{"input": "", "output": f"About {thing}."}],
                        "is_classification": False})
            for i, thing in enumerate(runs.THINGS[:20])
        )
    )  # fmt: skip
    yield tmp_path
    served.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", STOPPED)
def test_sigterm_of_long_runs_leaves_what_goes_on(kind: str, here: Path) -> None:
    pytest.importorskip("torch")
    words, begun, kept = STOPPED[kind]
    process = subprocess.Popen([*COMMAND, *words], cwd=here, stderr=subprocess.PIPE, text=True)
    ends = time.monotonic() + 120

    def size() -> int:
        return sum(path.stat().st_size for path in here.glob(begun))

    while (
        process.poll() is None
        and size() < (500 if kind == "label" else 1)
        and time.monotonic() < ends
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 143, said
    (last,) = [line for line in said.splitlines() if line.startswith("Ended")]
    assert last.startswith(f"Ended by SIGTERM; what is finished is kept in {kept}. To go on: ")
    again = shlex.split(last.rpartition("To go on: ")[2])
    assert again[0] == "limbeck"
    again = ["resume", "run"] if kind == "run.yaml" else words
    assert last.endswith(shlex.join(again)) or kind != "run.yaml"
    done = subprocess.run([*COMMAND, *again], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if kind == "label":
        assert "answered by a run before" in done.stdout

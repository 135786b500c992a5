from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_a_sentence() -> None:
    with open("/dev/full", "w") as full:
        code, _, said = run("students", out=full.fileno())
    assert code == 2
    assert said == (
        "The output cannot be written: No space left on device.\n"
        "Free some space, or send it elsewhere.\n"
    )


def test_ascii_terminals_get_ascii(tmp_path: Path) -> None:
    frame = pd.DataFrame({"größe": range(60), "teacher_label": [0, 1] * 30})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    missing = ["--student", str(tmp_path / "é.json"), "--rows", str(tmp_path / "rows.csv")]
    code, _, said = run("certify", *missing, env=ASCII)
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

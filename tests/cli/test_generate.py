"""The shell writes a set with a chat model behind a real server on loopback."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limbeck.cli.app import app

pytest.importorskip("yaml")
_PLACE = Path(__file__).resolve().parent.parent / "api" / "test_generate.py"


@pytest.fixture(scope="module")
def helpers() -> Any:
    """The model of the tests of `limbeck.generate`."""
    spec = importlib.util.spec_from_file_location("generate_helpers", _PLACE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["generate_helpers"] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def chat_file(helpers: Any, tmp_path: Path) -> Iterator[Path]:
    pytest.importorskip("httpx2")
    service = helpers.loopback.Service()
    service.respond = lambda body, n: helpers.reply(
        helpers.answer(helpers.prompt_of(body)), helpers.prompt_of(body)
    )
    path = tmp_path / "chat.yaml"
    lines = {
        "model": "m", "base_url": service.base_url, "prompt": "Is this film good? {text}",
        "classes": ["no", "yes"], "store": str(tmp_path / "answers.sqlite"),
    }  # fmt: skip
    path.write_text("\n".join(f"{k}: {json.dumps(v)}" for k, v in lines.items()))
    yield path
    service.close()


def test_tasks_of_a_file(helpers: Any, chat_file: Path, tmp_path: Path) -> None:
    seeds, out = tmp_path / "seeds.jsonl", tmp_path / "set"
    seeds.write_text("\n".join(map(json.dumps, helpers.SEEDS)))
    command = ["generate", "--teacher", str(chat_file), "--seeds", str(seeds), "--n", "6",
               "--out", str(out)]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "From prompts to rows, by self_instruct" in done.output
    assert len((out / "rows.jsonl").read_text().splitlines()) >= 6
    seeds.write_text(seeds.read_text() + "\nno json\n")
    done = CliRunner().invoke(app, [*command[:-1], str(tmp_path / "other")])
    assert done.exit_code == 2
    assert "Line 21" in done.output


def test_texts_of_a_table_with_their_classes(helpers: Any, chat_file: Path, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("text,answer\na fine film of old,yes\na dull film of late,no\n")
    command = ["generate", "--teacher", str(chat_file), "--seeds", str(seeds), "--n", "8",
               "--out", str(tmp_path / "set")]  # fmt: skip
    assert "Name their classes: --label" in CliRunner().invoke(app, command).output
    done = CliRunner().invoke(app, [*command, "--label", "answer"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(x) for x in (tmp_path / "set/rows.jsonl").read_text().splitlines()]
    assert sorted(row["label"] for row in rows) == ["no"] * 4 + ["yes"] * 4

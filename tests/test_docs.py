"""What the documents promise is tried."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import limbeck

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = sorted((ROOT / "docs").rglob("*.md"))


def test_the_callback_of_the_extension_guide_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/extend.md").read_text(), re.DOTALL)
    room: dict = {}
    exec(next(b for b in blocks if "class Slowest" in b), room)
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    limbeck.distill(
        torch.nn.Linear(4, 3), x, into=torch.nn.Linear(4, 3), epochs=2, batch_size=21,
        baseline=False, timing=False, callbacks=[room["Slowest"]()],
    )  # fmt: skip
    assert re.search(r"student, seed 0: update [1-4] of 4 was the slowest", capsys.readouterr().out)


def executed(page: str) -> dict[str, Any]:
    """What the Python blocks of a page define, run in order."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    room: dict[str, Any] = {}
    for block in blocks:
        exec(block, room)
    return room


@pytest.mark.slow
def test_the_page_of_networks_runs_from_top_to_bottom(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    room = executed("docs/networks.md")
    lines = [json.loads(x) for x in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {x["run"] for x in lines} == {"student, seed 0", "control, seed 0"}
    macro = room["observed"].history[-1]["macro F1"]
    assert macro == lines[-1]["macro F1"] > 0.8
    assert room["result"].comparison.verdict == "helped"
    assert all(d.low > 0 for d in room["result"].comparison.differences)
    printed = capsys.readouterr().out
    assert "Distilling helped agreement with the teacher" in printed
    assert "Trained too short: the loss still falls by" in printed
    assert "What each part brings" in printed
    assert printed.count("Trained too short") == 1  # of the run that is meant to be


@pytest.mark.slow
def test_the_run_file_on_the_page_of_networks_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy of the folder that the page names, as the example's own file does."""
    pytest.importorskip("torch")
    pytest.importorskip("yaml")
    from limbeck.api.run_file import run

    shutil.copytree(ROOT / "examples/network", tmp_path / "network")
    monkeypatch.chdir(tmp_path / "network")
    monkeypatch.syspath_prepend(tmp_path / "network")
    block = re.search(r"```yaml\n(.*?)```", (ROOT / "docs/networks.md").read_text(), re.DOTALL)
    assert block is not None
    Path("page.yaml").write_text(block.group(1).replace("out: run", "out: page"))
    for name in ("page.yaml", "run.yaml"):
        found = run(name)
        assert found.status.code.name == "COMPLETE", name
        assert found.comparison.verdict == "helped", name


def test_the_page_to_start_with_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    room = executed("docs/start.md")
    assert room["again"].student.fingerprint() == room["result"].student.fingerprint()
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert (tmp_path / "run" / "certificate.json").exists()


@pytest.mark.slow
def test_the_page_of_readable_students_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    room = executed("docs/readable.md")
    assert room["result"].student.size <= 4
    rows = room["bits"]
    assert (room["found"].student.predict(rows) == room["alarm"](rows)).all()
    assert "x2" in room["found"].student.text()
    assert "x7" in room["found"].student.text()


@pytest.mark.slow
def test_the_page_of_each_student_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    executed("docs/students.md")
    printed = capsys.readouterr().out
    shown = re.findall(r"```text\n(.*?)```", (ROOT / "docs/students.md").read_text(), re.DOTALL)
    assert shown
    for block in shown:
        for line in block.splitlines():
            assert line.removesuffix("...") in printed


def test_the_page_of_exports_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    room = executed("docs/export.md")
    scope: dict[str, Any] = {}
    exec((tmp_path / "student.py").read_text(), scope)
    first = room["X"].iloc[0]
    assert scope["predict"](dict(first)) == room["result"].student.predict(room["X"][:1])[0]


@pytest.mark.slow
def test_the_page_of_tournaments_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    room = executed("docs/tournament.md")
    assert room["student"] is room["found"].best().student
    assert room["student"].numbers <= 32
    assert "Which students" in (tmp_path / "tournament.html").read_text()


@pytest.mark.slow
def test_the_page_of_certificates_runs_from_top_to_bottom() -> None:
    room = executed("docs/certificates.md")
    wrong = (room["student"].predict(room["fresh"]) != room["teacher"](room["fresh"])).mean()
    assert wrong <= room["certificate"].epsilon < wrong + 0.1


def test_the_page_of_objectives_runs_from_top_to_bottom() -> None:
    torch = pytest.importorskip("torch")
    room = executed("docs/objectives.md")
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    found = limbeck.distill(
        torch.nn.Linear(4, 3), (x, torch.arange(60) % 3), into=torch.nn.Linear(4, 3),
        objective=room["objective"], epochs=2, baseline=False, timing=False,
    )  # fmt: skip
    assert "Margin" in found.history[0]  # the page's last objective is of its own term


def test_the_examples_of_trim_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("torch")
    pytest.importorskip("captum")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/trim.md").read_text(), re.DOTALL)
    room: dict = {}
    for block in blocks:
        exec(block, room)
    assert len(blocks) == 4
    assert room["shap"].shape == room["found"].scores.shape


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("*.md")), *WRITTEN])
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        if target.removeprefix("../").startswith(("gallery/", "reference/", "tutorials/")):
            continue  # made with the site: tests/test_site.py
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_file_of_the_map_exists_and_every_room_is_on_it() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    block = text.split("```")[1]
    named = set(re.findall(r"^  ([\w/]+(?:\.py|/))", block, re.MULTILINE))
    for name in named:
        assert (ROOT / "limbeck" / name).exists(), name
    there = {
        p.name + ("/" if p.is_dir() else "")
        for p in (ROOT / "limbeck").iterdir()
        if (p.is_dir() and (p / "__init__.py").exists())
        or (p.suffix == ".py" and not p.name.startswith("__"))
    }
    assert there <= named, there - named


PAGES = [ROOT / "README.md", *WRITTEN]


def mentioned(text: str) -> set[str]:
    """The names below limbeck that a page mentions, in prose and in code."""
    names = set(re.findall(r"(?<![\w/.-])limbeck(?:\.[A-Za-z_]\w*)+", text))
    names = {n for n in names if not n.endswith((".py", ".md", ".toml", ".yaml", ".json", ".html"))}
    taken = re.findall(r"from (limbeck[\w.]*) import (\([^)]*\)|[^\n]*)", text)
    for module, listed in taken:
        parts = re.sub(r"#[^\n]*", "", listed).strip("()").split(",")
        names |= {f"{module}.{part.split(' as ')[0].strip()}" for part in parts if part.strip()}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_name_on_a_page_can_be_imported(page: Path) -> None:
    pytest.importorskip("torch")
    text = re.sub(r"^```diff\n.*?^```", "", page.read_text(), flags=re.M | re.S)  # not there yet
    for name in sorted(mentioned(text)):
        found = limbeck
        for depth, part in enumerate(name.split(".")[1:], 2):
            if not hasattr(found, part):
                importlib.import_module(".".join(name.split(".")[:depth]))
            found = getattr(found, part)


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_first_snippet_runs_by_itself(page: str) -> None:
    block = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)[0]
    names = [n for n in ast.walk(ast.parse(block)) if isinstance(n, ast.Name)]
    made = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    made |= {n.name for n in ast.walk(ast.parse(block)) if isinstance(n, ast.alias)}
    used = {n.id for n in names if isinstance(n.ctx, ast.Load)}
    assert used <= made | set(dir(builtins))


def test_samplers_are_at_hand() -> None:
    assert limbeck.samplers.Jitter().draw is not None
    with pytest.raises(AttributeError, match="has no attribute 'sampler'"):
        limbeck.sampler  # noqa: B018

"""The site's pages, navigation, links and API reference, checked without building it."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import limbeck

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
pytest.importorskip("torch")  # half of what is public needs it


def hook(name: str) -> Any:
    """One of the modules that make the site."""
    sys.path.insert(0, str(DOCS / "hooks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(DOCS / "hooks"))


@pytest.fixture(scope="module")
def reference() -> Any:
    """The module that makes the pages of the API reference."""
    return hook("reference")


@pytest.fixture(scope="module")
def pages(reference: Any) -> list[Any]:
    return reference.pages()


def test_the_table_of_teachers_is_that_of_the_registry() -> None:
    """After a change: python docs/hooks/teachers.py."""
    teachers = hook("teachers")
    page = (DOCS / "teachers.md").read_text(encoding="utf-8")
    assert page == teachers.filled(page)
    assert teachers.table() in page
    from limbeck.core.registry import TEACHERS

    assert len(teachers.table().splitlines()) == 2 + len(TEACHERS.names())


def test_the_table_of_constraints_is_that_of_the_registry() -> None:
    """After a change: python docs/hooks/constraints.py."""
    constraints = hook("constraints")
    page = (DOCS / "students.md").read_text(encoding="utf-8")
    assert page == constraints.filled(page)
    assert "| `tree`, `greedy` | yes | yes | yes | yes | yes | yes |" in page


def test_the_page_to_choose_by_draws_every_student_and_method() -> None:
    from limbeck.selection.routes import students

    web = hook("web")
    assert web.MARK in (DOCS / web.PAGE).read_text(encoding="utf-8")
    picture = web.picture()
    for into, methods in students().items():
        assert all(f">{name}" in picture for name in (into, *methods))


def public_names() -> set[str]:
    """What limbeck and the packages below it export, as users write it."""
    names = {f"limbeck.{n}" for n in limbeck.__all__}
    for found in pkgutil.iter_modules(limbeck.__path__, "limbeck."):
        module = importlib.import_module(found.name) if found.ispkg else None
        names |= {f"{found.name}.{n}" for n in getattr(module, "__all__", ())}
    names |= {f"limbeck.transforms.{n}" for n in limbeck.transforms.__all__}
    return {n for n in names if not n.startswith("limbeck.cli.")}


def test_every_public_name_is_in_the_reference(pages: list[Any]) -> None:
    shown = {e.shown for page in pages for e in page.entries} | {p.module for p in pages}
    assert public_names() - shown == set()


def test_students_methods_results_and_errors_are_found(pages: list[Any]) -> None:
    from limbeck.core.errors import LimbeckError

    by_page = {page.module: {e.object for e in page.entries} for page in pages}
    from limbeck.methods.search_and_stitch.method import SearchAndStitch
    from limbeck.results.audit import Audit
    from limbeck.students.readable import Readable
    from limbeck.students.tree.tree import Tree

    assert Tree in by_page["limbeck.students"]
    assert Readable not in by_page["limbeck.students"]  # abstract
    assert SearchAndStitch in by_page["limbeck.methods"]
    assert {Audit, limbeck.Distillation} <= by_page["limbeck.results"]
    assert set(LimbeckError.__subclasses__()) <= by_page["limbeck.core.errors"]


def test_every_path_of_the_reference_leads_to_its_object(pages: list[Any]) -> None:
    for entry in (e for page in pages for e in page.entries):
        module, _, name = entry.path.rpartition(".")
        assert getattr(importlib.import_module(module), name) is entry.object, entry.path


def test_each_object_is_described_once_and_linked_from_elsewhere(pages: list[Any]) -> None:
    described: list[str] = []
    for page in pages:
        text = page.markdown()
        described += re.findall(r"^::: (\S+)", text, re.MULTILINE)
        for entry in page.entries:
            assert f"| [`{entry.shown}`][{entry.path}] |" in text
    assert sorted(described) == sorted({e.path for page in pages for e in page.entries})
    assert described.count("limbeck.certificates.certify.certify") == 1  # exported twice


def test_nothing_public_is_without_a_docstring(reference: Any, pages: list[Any]) -> None:
    assert [n for page in pages for n in reference.undocumented(page.entries)] == []


def test_a_name_without_a_docstring_is_found(reference: Any) -> None:
    class Bare:
        def method(self) -> None: ...

    class Told:
        """Says what it is."""

        def told(self) -> None:
            """Says what it does."""

        def silent(self) -> None: ...

        def _private(self) -> None: ...

    def one(x: int) -> None:
        """Needs no section."""

    def two(x: int, y: int) -> None:
        """Needs one."""

    entries = tuple(reference.Entry(o.__name__, "", o) for o in (Bare, Told, one, two))
    missing = ["Bare", "Bare.method", "Told.silent", "two (its parameters)"]
    assert reference.undocumented(entries) == missing


def targets(nav: Any) -> list[str]:
    """The pages that a navigation names."""
    if isinstance(nav, str):
        return [nav]
    return [t for part in (nav.values() if isinstance(nav, dict) else nav) for t in targets(part)]


def test_every_page_is_in_the_navigation_once_and_exists() -> None:
    yaml = pytest.importorskip("yaml")
    named = targets(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    written = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}
    made = {f"tutorials/{p.stem}.md" for p in (DOCS / "tutorials").glob("*.ipynb")}
    assert written | made | {"changelog.md"} == set(named), "add the page to nav in mkdocs.yml"
    assert len(named) == len(set(named))


def test_links_to_pages_that_are_made_lead_somewhere(pages: list[Any]) -> None:
    gallery = hook("gallery")
    made = {p.file for p in pages} | {"reference/commands.md", "gallery/index.md"}
    made |= {f"gallery/{e.name}.md" for e in gallery.ENTRIES}
    made |= {f"tutorials/{p.stem}.md" for p in (DOCS / "tutorials").glob("*.ipynb")}
    for page in DOCS.rglob("*.md"):
        found = re.findall(
            r"\]\((?:\.\./)?((?:gallery|reference|tutorials)/[^)#]+)", page.read_text()
        )
        assert set(found) <= made, page.name
    for book in (DOCS / "tutorials").glob("*.ipynb"):
        found = re.findall(r"\]\(\.\./(gallery/[^)#]+)", book.read_text(encoding="utf-8"))
        assert set(found) <= made, book.name


@pytest.mark.parametrize(
    "page", sorted(DOCS.rglob("*.md")), ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_lists_begin_after_an_empty_line(page: Path) -> None:
    """Else the site shows their stars."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for block in re.split(r"\n\s*\n", text):
        if not re.match(r"\s*([*-]|\d+\.) ", block):
            found = re.search(r"\n([*-]|1\.) .*", block)
            assert found is None, found.group()


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", h).strip().lower()) for h in heads}


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_links_to_headings_lead_somewhere(page: Path) -> None:
    for file, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text()):
        target = page.parent / file if file else page
        assert anchor in anchors(target), f"{page.name}: {file}#{anchor}"


@pytest.mark.parametrize("book", sorted((DOCS / "tutorials").glob("*.ipynb")), ids=lambda p: p.stem)
def test_tutorials_are_kept_without_outputs_and_name_what_exists(book: Path) -> None:
    cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
    code = [c for c in cells if c["cell_type"] == "code"]
    assert code
    assert all(not c["outputs"] and c["execution_count"] is None for c in code)
    for cell in code:
        source = "".join(cell["source"])
        compile(source, book.name, "exec")
        for name in re.findall(r"(?<![\w.])limbeck((?:\.\w+)+)", source):
            found: Any = limbeck
            for part in name.strip(".").split("."):
                found = getattr(found, part)
    text = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        made = link.startswith("../gallery/")
        assert made or (book.parent / link).exists(), link


def test_the_page_of_the_command_line_has_every_command_and_option() -> None:
    text = hook("commands").markdown()
    for command in ("distill", "resume", "certify", "verify", "budget", "audit"):
        assert f"## limbeck {command}\n" in text
    assert (
        "| `--teacher` | A file (`limbeck teachers`), or package.module:name of a model. |" in text
    )
    assert "| `--epsilon` | Strictly between 0 and 1. | `0.05` |" in text
    assert "| `--seed` |  | `0` |" in text
    assert "--help" not in text.partition("## ")[2]


def test_the_gallery_names_what_exists() -> None:
    gallery, options = hook("gallery"), hook("commands").markdown()
    for entry in gallery.ENTRIES:
        source = (DOCS / "gallery" / "models.py").read_text(encoding="utf-8")
        for name in filter(None, (entry.rows, entry.model)):
            assert f"def {name}(" in source
        for option in re.findall(r"--[\w-]+", entry.command):
            assert f"`{option}`" in options
        if entry.script:
            assert (DOCS / "gallery" / entry.script).exists()
        shown = gallery._broken(entry.typed)
        whole = " ".join(line.removesuffix("\\").strip() for line in shown)
        assert whole == entry.typed


def test_what_was_made_is_made_again_only_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = hook("cached")
    monkeypatch.setattr(cached, "_CACHE", tmp_path / "cache")
    source = tmp_path / "source"
    made: list[str] = []

    def make(folder: Path) -> None:
        assert not any(folder.iterdir())
        made.append(source.read_text())
        (folder / "page").write_text(source.read_text())

    for text in ("one", "one", "two"):
        source.write_text(text)
        folder = cached.cached("page", [source], make)
        assert (folder / "page").read_text() == text
    assert made == ["one", "two"]

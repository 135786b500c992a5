"""What the site has beside the written pages: reference, tutorials, gallery, changelog.

mkdocs calls the functions that begin with ``on_``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import commands
import gallery
import notebooks
import reference
import web
from cached import ROOT, cached
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

_DOCS = ROOT / "docs"
_html: dict[str, dict[str, str]] = {}  # by page: what goes where a comment stands


def on_config(config: Any) -> Any:
    """Fill the parts of the navigation that are made: ``Reference`` and unlisted pages."""
    made = reference.pages()
    if missing := [name for page in made for name in reference.undocumented(page.entries)]:
        raise PluginError(f"Public names without a docstring: {', '.join(missing)}")
    listed = [{page.module: page.file} for page in made]
    for part in config.nav:
        if "Reference" in part:
            part["Reference"] = [{"Command line": "reference/commands.md"}, *listed]
        if "Gallery" in part:
            entries = [{e.title: f"gallery/{e.name}.md"} for e in gallery.ENTRIES]
            part["Gallery"] = ["gallery/index.md", *entries]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made."""
    for page in reference.pages():
        files.append(File.generated(config, page.file, content=page.markdown()))
    files.append(File.generated(config, "reference/commands.md", content=commands.markdown()))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "changelog.md", content=changelog))
    for source in sorted((_DOCS / "tutorials").glob("*.ipynb")):
        _tutorial(source, files, config)
    _gallery(files, config)
    _html[web.PAGE] = {web.MARK: web.picture()}
    return files


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Put HTML outputs where their comments stand."""
    for mark, content in _html.get(page.file.src_uri, {}).items():
        html = html.replace(mark, content)
    return html


def on_post_build(config: Any) -> None:
    """Refuse a site that would fetch anything when it is read."""
    fetched = re.compile(
        r"<(?:script|img|iframe|source)[^>]+src=[\"']?https?:|<link[^>]+href=[\"']?https?:"
    )
    for path in sorted(Path(config.site_dir).rglob("*.html")):
        if found := fetched.search(path.read_text(encoding="utf-8")):
            raise PluginError(f"{path.name} fetches from elsewhere: {found.group()}")


def _tutorial(source: Path, files: Files, config: Any) -> None:
    folder = cached(
        f"tutorials/{source.stem}", [source], lambda empty: notebooks.execute(source, empty)
    )
    markdown, html, pictures = notebooks.page(folder / source.name)
    uri = f"tutorials/{source.stem}.md"
    _html[uri] = html
    note = f"\n\nThis page is [a notebook]({source.name}); the site's build ran it.\n"
    title, _, rest = markdown.partition("\n")
    files.append(File.generated(config, uri, content=f"{title}{note}{rest}"))
    for name, content in pictures.items():
        files.append(File.generated(config, f"tutorials/{name}", content=content))


def _gallery(files: Files, config: Any) -> None:
    for entry in gallery.ENTRIES:
        folder = cached(
            f"gallery/{entry.name}",
            [*sorted((_DOCS / "gallery").glob("*.py")), Path(gallery.__file__)],
            lambda empty, entry=entry: gallery.make(entry, empty),
        )
        page = gallery.markdown(entry, folder)
        files.append(File.generated(config, f"gallery/{entry.name}.md", content=page))
        report = (folder / "report.html").read_text(encoding="utf-8")
        files.append(File.generated(config, f"gallery/reports/{entry.name}.html", content=report))
    files.append(File.generated(config, "gallery/index.md", content=gallery.index()))

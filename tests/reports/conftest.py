"""A real browser for the pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# All folded parts are opened first: they must fit as well.
_MEASURE = (
    "<script>onload=()=>{for(const d of document.querySelectorAll('details'))d.open=true;"
    "parent.document.title=document.documentElement.scrollWidth+' of '+innerWidth}</script>"
)


@pytest.fixture
def widths(tmp_path: Path) -> Callable[[str, int], tuple[int, int]]:
    """Measures how wide a page's content and its window are, in pixels.

    In a frame, since headless chromium has no window below 500 px.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("chromium is not installed")

    def measure(page: str, width: int) -> tuple[int, int]:
        inner = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
        inner = inner.replace("</body>", f"{_MEASURE}</body>")
        inner = inner.replace("&", "&amp;").replace('"', "&quot;")
        frame = tmp_path / "frame.html"
        frame.write_text(
            f'<meta charset="utf-8"><title>none</title><iframe srcdoc="{inner}" '
            f'style="border:0;width:{width}px;height:800px"></iframe>',
            "utf-8",
        )
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync",
             "--disable-background-networking", "--disable-component-update",
             f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1500,900", "--dump-dom",
             frame.as_uri()],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        found = re.search(r"<title>(\d+) of (\d+)</title>", done.stdout)
        assert found, done.stderr[-500:]
        content, window = map(int, found.groups())
        return content, window

    return measure

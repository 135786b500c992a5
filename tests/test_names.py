"""One word, one thing: no two classes of the package share a name."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import limbeck

PACKAGE = Path(limbeck.__file__).parent


def shared_classes(root: Path) -> dict[str, list[str]]:
    """Class names that stand at the top of more than one file under ``root``, with the files."""
    where = defaultdict(list)
    for path in sorted(root.rglob("*.py")):
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            where[name].append(str(path.relative_to(root)))
    return {name: files for name, files in where.items() if len(files) > 1}


def test_a_class_name_stands_once() -> None:
    assert shared_classes(PACKAGE) == {}


def test_a_shared_name_is_found(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text("class Loss: ...\n", encoding="utf-8")
    (tmp_path / "c.py").write_text("class Other:\n    class Loss: ...\n", encoding="utf-8")
    assert shared_classes(tmp_path) == {"Loss": ["a.py", "b.py"]}

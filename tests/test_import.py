from __future__ import annotations

import json
import subprocess
import sys

import pytest

import limbeck

HEAVY = {"torch", "sklearn", "pandas", "matplotlib", "transformers", "onnx", "pyarrow", "scipy"}


# one fresh interpreter, from light to heavy
STAGES = {
    "limbeck": "import limbeck",
    "command line": "import limbeck.cli.app",
    "students": "import limbeck.students",
    "tree": "from limbeck.students import Tree",
    "wavelet": """
import numpy as np
from limbeck.students.wavelet.wavelet import WaveletStudent
X = np.random.default_rng(0).normal(size=(40, 16))
WaveletStudent('db2').fit(X, X[:, 0]).predict(X)
""",
    "distilled": """
X = np.random.default_rng(0).normal(size=(60, 2))
f = lambda X: (X[:, 0] > 0).astype(int)
limbeck.distill(f, X, f(X), queries=50)
""",
}
TOLD = "print('LOADED', json.dumps(sorted(sys.modules)))"


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """All modules after each stage."""
    code = "\n".join(f"{stage}\n{TOLD}" for stage in STAGES.values())
    out = subprocess.run(
        [sys.executable, "-c", "import json, sys\n" + code], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    found = [line for line in out.stdout.splitlines() if line.startswith("LOADED")]
    lists = (set(json.loads(line.removeprefix("LOADED"))) for line in found)
    return dict(zip(STAGES, lists, strict=True))


def test_import_brings_in_nothing_heavy(loaded):
    assert "limbeck" in loaded["limbeck"]
    assert not loaded["limbeck"] & HEAVY


def test_the_command_line_parses_without_anything_heavy(loaded):
    assert "typer" in loaded["command line"]
    assert not loaded["command line"] & HEAVY


def test_students_load_when_first_used(loaded):
    assert "limbeck.students" in loaded["students"]
    assert "limbeck.students.tree.tree" not in loaded["students"]
    assert "limbeck.students.tree.tree" in loaded["tree"]


def test_fitting_and_distilling_without_torch_never_import_it(loaded):
    assert "limbeck.students.wavelet.wavelet" in loaded["wavelet"]
    assert "sklearn" in loaded["distilled"]
    assert not loaded["distilled"] & {"torch", "matplotlib", "transformers", "onnx"}


@pytest.mark.parametrize("name", limbeck.__all__)
def test_every_public_name_is_there(name):
    assert getattr(limbeck, name) is not None
    assert name in dir(limbeck)


@pytest.mark.parametrize("name", ["trim", "transforms"])
def test_what_needs_torch_says_so(name):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import limbeck\n"
        f"try: limbeck.{name}\n"
        "except limbeck.LimbeckError as error: print(error)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.startswith(f"limbeck.{name} needs torch. pip install")


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'distil'"):
        limbeck.distil  # noqa: B018

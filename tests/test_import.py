from __future__ import annotations

import json
import subprocess
import sys

import pytest

import limbeck

HEAVY = {"torch", "sklearn", "pandas", "matplotlib", "transformers", "onnx", "pyarrow", "scipy"}


def loaded_after(code):
    """Top-level modules in a fresh interpreter after running some code."""
    names = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(out.stdout.splitlines()[-1])}


def test_import_brings_in_nothing_heavy():
    found = loaded_after("import limbeck")
    assert "limbeck" in found
    assert not found & HEAVY


def test_the_command_line_parses_without_anything_heavy():
    found = loaded_after("import limbeck.cli.app")
    assert "typer" in found
    assert not found & HEAVY


def test_distilling_without_torch_never_imports_it():
    found = loaded_after(
        "import numpy as np\n"
        "from limbeck import distill\n"
        "X = np.random.default_rng(0).normal(size=(60, 2))\n"
        "f = lambda X: (X[:, 0] > 0).astype(int)\n"
        "distill(f, X, f(X), queries=50)\n"
    )
    assert "sklearn" in found
    assert not found & {"torch", "matplotlib", "transformers", "onnx"}


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

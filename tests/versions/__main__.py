"""A quick selection of the tests with the lowest versions that are declared, and newer Pythons.

    python tests/versions [--only 3.13] [--extras torch networks]      (make versions)

Each is an environment of its own in build/versions, made once: Python 3.11 with the lowest version
of each dependency of pyproject.toml, 3.12 and 3.13 with those of constraints.txt. Pythons are found
by name (python3.12), or below ~/.pyenv/versions. Without --extras nothing optional is installed,
and the run from model to verified certificate of tests/without_torch.py is among what is tried.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "versions"
LOWEST, NEWER = "3.11", ("3.12", "3.13")
TESTED = ("pytest==8.0.0", "hypothesis==6.100.0"), ("pytest", "hypothesis")
QUICK = ("tests/core", "tests/certificates", "tests/data", "tests/students/tree",
         "tests/students/linear", "tests/api/test_distill_classes.py")  # fmt: skip
OF_TORCH = ("tests/networks/training", "tests/networks/losses", "tests/modules")


def main() -> int:
    """Make the environments, run the tests, say what failed; 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--only", choices=[LOWEST, *NEWER])
    parser.add_argument("--extras", nargs="*", default=[])
    args = parser.parse_args()
    lines = []
    for version in [LOWEST, *NEWER] if args.only is None else [args.only]:
        python = found(version)
        if python is None:
            lines.append(f"Python {version}: not on this machine, not tried")
            continue
        bin_ = environment(version, python, args.extras)
        lines.append(f"Python {version}, {told(bin_)}: {tried(bin_, bool(args.extras))}")
        print(lines[-1], flush=True)
    print("\n".join(["", *lines]))
    return int(any("failed" in line for line in lines))


def found(version: str) -> str | None:
    """The interpreter of a version, if there is one that starts and is of it."""
    places = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for place in (shutil.which(f"python{version}"), *map(str, reversed(places))):
        if place is None:
            continue
        # a name on the path may be pyenv's, which answers only where that version is chosen
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        said = subprocess.run([place, "-c", code], capture_output=True, text=True, check=False)
        if said.stdout.strip() == version:
            return place
    return None


def lowest(requirement: str) -> str:
    """A requirement with its lowest version: ``numpy>=2`` is ``numpy==2``."""
    return re.sub(r">=", "==", requirement)


def requirements(extras: list[str]) -> list[str]:
    """What limbeck needs, with those of the extras; extras of extras are looked up."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    out, left = list(project["dependencies"]), list(extras)
    while left:
        for one in project["optional-dependencies"][left.pop()]:
            own = re.fullmatch(r"limbeck\[(.*)\]", one)
            if own:
                left += own[1].split(",")
            else:
                out.append(one)
    return sorted(set(out))


def environment(version: str, python: str, extras: list[str]) -> Path:
    """The folder of programs of an environment, which is made where it is not there."""
    place = BUILT / "-".join([version, *sorted(extras)])
    done = place / "ready"
    needed = requirements(extras)
    if version == LOWEST:
        packages, more = [*map(lowest, needed), *TESTED[0]], []
    else:
        packages, more = [*needed, *TESTED[1]], ["-c", str(ROOT / "constraints.txt")]
    if not done.exists() or done.read_text() != "\n".join(packages):
        subprocess.run([python, "-m", "venv", "--clear", str(place)], check=True)
        pip = [str(place / "bin" / "pip"), "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, *more, *packages], check=True)
        done.write_text("\n".join(packages))
    return place / "bin"


def told(bin_: Path) -> str:
    """The versions that matter most."""
    code = (
        "import importlib.metadata as m\n"
        "print(', '.join(f'{n} {m.version(n)}' for n in"
        " ('numpy', 'pandas', 'scipy', 'scikit-learn')))"
    )
    done = subprocess.run([bin_ / "python", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def tried(bin_: Path, extras: bool) -> str:
    """What the quick selection came to, in a few words."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    quick = [*QUICK, *(OF_TORCH if extras else ())]
    command = [str(bin_ / "python"), "-m", "pytest", "-p", "no:cacheprovider", *quick]
    tests = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    said = [tests.stdout.strip().splitlines()[-1] if tests.stdout.strip() else tests.stderr]
    if tests.returncode:
        print(tests.stdout[-3000:], tests.stderr[-1000:])
        said.append("failed")
    if not extras:
        whole = subprocess.run([bin_ / "python", "tests/without_torch.py"], cwd=ROOT, env=env,
                               capture_output=True, text=True, check=False)  # fmt: skip
        said.append("failed: " * bool(whole.returncode) + whole.stdout.strip().splitlines()[-1])
    return "; ".join(said)


if __name__ == "__main__":
    sys.exit(main())

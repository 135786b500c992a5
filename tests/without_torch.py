"""A run from model to verified certificate where no optional package is installed.

``python tests/without_torch.py`` in an environment with limbeck's own dependencies only; needs no
pytest. If all went well the last line counts what passed, and the exit status is 0.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from limbeck import certify, distill, load
from limbeck.api.load import read_table
from limbeck.core.errors import MissingExtra

ABSENT = ("torch", "onnx", "pyarrow", "safetensors")


def expect(holds: bool, what: str) -> None:
    """Not assert, which python -O leaves out."""
    if not holds:
        raise AssertionError(what)


def nothing_optional_is_installed() -> None:
    for name in ABSENT:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        raise AssertionError(f"{name} is installed; this check is for an environment without it")


def iris() -> tuple[RandomForestClassifier, object, np.ndarray]:
    X, y = load_iris(return_X_y=True, as_frame=True)
    X = X.drop_duplicates()
    names = np.array(["setosa", "versicolor", "virginica"])[y[X.index]]
    return RandomForestClassifier(25, random_state=0).fit(X[::3], names[::3]), X, names


def distilled(into: str, folder: Path) -> None:
    forest, X, names = iris()
    rest = np.arange(len(X)) % 3 > 0
    settings = {"max_leaves": 4, "queries": 500} if into == "tree" else {"k": 2}
    result = distill(forest, X[rest], names[rest], into=into, holdout=0.4, **settings)
    said = result.student.predict(result.holdout.rows.native())
    expect((said == forest.predict(result.holdout.rows.native())).mean() > 0.8, "a poor student")
    expect(result.certificate.n == len(said), "a certificate on other rows")
    result.save(folder)
    expect(not (folder / "holdout.parquet").exists(), "Parquet was written without pyarrow")
    rows = read_table(folder / "holdout.csv")
    student = load(folder / "student.json")
    expect(student.fingerprint() == result.student.fingerprint(), "another student was loaded")
    again = certify(student, rows, rows["teacher_label"], epsilon=0.05)
    expect(again.epsilon == result.certificate.epsilon, "another bound from the file")
    expect(again.rows == result.certificate.rows, "CSV changed the rows")


def verified(folder: Path) -> None:
    def verify() -> subprocess.CompletedProcess[str]:
        files = ["--student", folder / "student.json", "--rows", folder / "holdout.csv"]
        command = [sys.executable, "-m", "limbeck", "verify", folder / "certificate.json", *files]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    said = verify()
    expect(said.returncode == 0, said.stdout + said.stderr)
    expect(said.stdout.startswith("Verified"), said.stdout)
    rows = read_table(folder / "holdout.csv")
    rows.iloc[::-1].to_csv(folder / "holdout.csv", index=False)
    expect(verify().returncode == 0, "rows in another order were not verified")
    rows.iloc[:-1].to_csv(folder / "holdout.csv", index=False)
    said = verify()
    expect(said.returncode == 1, "altered rows were verified")


def a_tree_is_distilled_and_verified() -> None:
    with tempfile.TemporaryDirectory() as folder:
        distilled("tree", Path(folder))
        verified(Path(folder))


def a_junta_is_distilled_and_verified() -> None:
    with tempfile.TemporaryDirectory() as folder:
        distilled("junta", Path(folder))
        verified(Path(folder))


def what_needs_an_extra_says_which() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        path.write_bytes(b"PAR1")
        try:
            read_table(path)
        except MissingExtra as error:
            expect("limbeck[parquet]" in error.remedy, error.remedy)
        else:
            raise AssertionError("Parquet was read without pyarrow")


CHECKS = (
    nothing_optional_is_installed,
    a_tree_is_distilled_and_verified,
    a_junta_is_distilled_and_verified,
    what_needs_an_extra_says_which,
)


def main() -> int:
    failed = 0
    for check in CHECKS:
        try:
            check()
        except Exception:
            failed += 1
            print(f"FAILED {check.__name__}\n{traceback.format_exc()}", file=sys.stderr)
    if failed:
        return 1
    print(f"{len(CHECKS)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

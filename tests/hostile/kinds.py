"""Files that limbeck reads, each with what reads it and what of it is compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import limbeck
from limbeck.api.load import read_rows, read_seen
from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.certificates.certificate_file import read_stored
from limbeck.certificates.certificate_file import save as save_certificate
from limbeck.certificates.vouching import vouching
from limbeck.core.errors import FileRefused
from limbeck.core.pieces import Pieces
from limbeck.core.signatures import signed_bytes
from limbeck.data.tables import read_table

__all__ = ["INTO", "Kind", "kinds"]

INTO = (
    "tree", "sparse_sum", "rules", "rule_list", "m_of_n", "scorecard", "linear", "additive",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A file and how it is read.

    Parameters
    ----------
    name : str
        What stands in the table.
    path : Path
        The file, which is damaged in place.
    read : callable
        Reads it, uses it, and returns something to compare.
    """

    name: str
    path: Path
    read: Callable[[], Any]


def kinds(folder: Path, students: Sequence[str] = INTO) -> Iterator[Kind]:
    """A run of limbeck in a folder, file by file; what needs an absent package is left out.

    Parameters
    ----------
    folder : Path
        An empty one.
    students : sequence of str
        Kinds of students; a tree is among them.
    """
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = {"level": np.where(X.iloc[:, 0] > 5.8, "long", "short")}
    X, labels = X.assign(**names), np.array(["a", "b", "c"])[y]
    teacher = limbeck.as_teacher(
        lambda rows: forest.predict_proba(rows.iloc[:, :4]), classes=("a", "b", "c"),
        score_kind="probability",
    )  # fmt: skip
    forest = RandomForestClassifier(5, random_state=0).fit(X.iloc[::2, :4], labels[::2])
    for into in students:
        known = labels[1::2] if into == "tree" else None  # a control for the run that is read whole
        result = limbeck.distill(teacher, X[1::2], known, into=into, queries=0)
        at = Path(result.save(folder / into))
        student = at / "student.json"
        yield Kind(f"student.json, {into}", student, lambda p=student: _answers(p, X))
        if into == "tree":
            run = at
    yield Kind("result.json", run / "result.json", lambda: str(limbeck.load(run)))
    seen = run / "seen.npy"
    yield Kind("seen.npy", seen, lambda: read_seen(None, run / "student.json").tolist())
    certificate = run / "certificate.json"
    yield Kind("certificate.json", certificate, lambda: str(load_certificate(certificate)))
    yield Kind("certificate.json, verified", certificate, lambda: _verified(run, certificate))
    yield from _signed(run, folder)
    pieces = Pieces(folder / "cut off")
    kept = {"scores": np.random.default_rng(0).normal(size=(50, 3)), "n": 3, "name": "a"}
    pieces.write("answers", kept)  # one that is damaged is made again: None

    yield Kind("unfinished/answers.npz", pieces.folder / "answers.npz", lambda: _piece(pieces))
    table = next(run.glob("holdout.*"))
    yield Kind(table.name, table, lambda: read_table(table).to_csv())
    rows = folder / "rows.npz"
    values = X.iloc[:, :4].to_numpy()
    np.savez_compressed(rows, rows=values, answers=labels, names=list("abcd"), cases=y.to_numpy())
    yield Kind("rows.npz", rows, lambda: read_rows(rows).to_csv())
    yield from _of_networks(folder, values)


def _piece(pieces: Pieces) -> Any:
    found = pieces.read("answers")
    if found is None:
        raise FileRefused("The piece is damaged.", "It is made again.")
    return repr(found)


def _signed(run: Path, folder: Path) -> Iterator[Kind]:
    """A signed certificate; what is not exactly what was signed must not pass for it."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        return
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signed = load_certificate(run / "certificate.json").sign(key)
    path, message = save_certificate(signed, folder / "signed.json"), signed_bytes(signed)

    def read() -> Any:
        found = read_stored(path)
        said = vouching(found, key.public_key())
        assert bool(said.fault) == (not said.public_key)
        assert said.fault or signed_bytes(found) == message
        return said.public_key

    yield Kind("certificate.json, signed", path, read)


def _of_networks(folder: Path, values: Any) -> Iterator[Kind]:
    try:
        import torch
        from torch import nn

        from limbeck.api.run_file import read_run
        from limbeck.networks.cache.cache_file import Array, CacheFile
        from limbeck.networks.training import checkpoint
    except ImportError:
        return
    from limbeck.export.onnx_graph import export_onnx
    from limbeck.students.onnx.student import KEY

    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    told = {"classes": ["a", "b", "c"], "unit": "", "layout": [["x", [4], "float32"]],
            "compared": ""}  # fmt: skip
    path = folder / "student.onnx"
    inputs = torch.tensor(values[:4], dtype=torch.float32)
    export_onnx(network, inputs, path, metadata={KEY: json.dumps(told)})
    yield Kind("student.onnx", path, lambda: limbeck.load(path).predict(values).tolist())
    cache = folder / "cache"
    cache.mkdir()
    made = CacheFile(cache, {"what": "outputs"}, {"outputs": Array((4,), "float64")}, len(values))
    with made.appending():
        made.append({"outputs": values})
    read = lambda: CacheFile.open(cache).read("outputs", np.arange(len(values))).tolist()  # noqa: E731
    yield Kind("cache.json", cache / "cache.json", read)
    yield Kind("outputs.npy of a cache", cache / "outputs.npy", read)
    kept = folder / "run"
    kept.mkdir()
    checkpoint.write(kept, {"step": 3, "weights": dict(network.state_dict())})
    yield Kind("checkpoint", kept / checkpoint.NAME, lambda: str(checkpoint.read(kept)))
    run_file = folder / "run.yaml"
    run_file.write_text(RUN)
    yield Kind("run.yaml", run_file, lambda: str(read_run(run_file)))


RUN = """\
teacher: models:teacher
student: models:student
train: rows.npz
test: test.npz
objective:
  - {weight: 0.9, name: SoftTargets, temperature: 4}
  - {weight: 0.1, name: CrossEntropy}
epochs: 3
out: run
seeds: 2
"""


def _answers(path: Path, X: Any) -> Any:
    student = limbeck.load(path)
    return student.predict(X).tolist(), student.text()


def _verified(run: Path, certificate: Path) -> str:
    result = limbeck.load(run / "student.json")
    rows = read_rows(next(run.glob("holdout.*")))
    answers = rows["teacher_label"].to_numpy()
    found = limbeck.verify(certificate, result, rows, answers, seen=read_seen(None, run / "x"))
    return f"verified: {load_certificate(certificate)}" if found.ok else "not verified"

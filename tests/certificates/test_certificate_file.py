from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limbeck.certificates import certify, load, row_hashes, save, verify
from limbeck.core.certificate import Certificate
from limbeck.core.errors import FileRefused, InvalidInput


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 3))


@pytest.fixture
def answers(threshold: Any, rows: np.ndarray) -> Any:
    return threshold(0.1).predict(rows)


@pytest.fixture
def certificate(threshold: Any, rows: np.ndarray, answers: Any) -> Certificate:
    return certify(threshold(), rows, answers, epsilon=0.1, groups=rows[:, 1] > 0)


def test_what_is_saved_is_loaded(certificate: Certificate, tmp_path: Path) -> None:
    path = save(certificate, tmp_path / "certificate.json")
    assert load(path) == certificate
    record = json.loads(path.read_text())
    assert (record["kind"], record["schema"]) == ("limbeck certificate", 2)
    assert os.listdir(tmp_path) == ["certificate.json"]


def test_a_failed_write_leaves_the_old_file(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(certificate, tmp_path / "certificate.json")
    before = path.read_text()

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FileRefused, match="disk full"):
        save(replace(certificate, n=1), path)
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ["certificate.json"]


def test_a_true_certificate_is_verified(
    certificate: Certificate, threshold: Any, rows: np.ndarray, answers: Any, tmp_path: Path
) -> None:
    path = save(certificate, tmp_path / "certificate.json")
    found = verify(path, threshold(), rows, answers, groups=rows[:, 1] > 0)
    assert found.ok
    assert {"epsilon", "student", "rows", "statement", "group 'True'"} <= set(found.matches)
    assert str(found).startswith("Verified")


@pytest.mark.parametrize("kind", ["tolerance", "fixed", "betting", "bernstein", "until", "own"])
def test_every_kind_is_verified(scale: Any, rows: np.ndarray, kind: str, tmp_path: Path) -> None:
    y = rows[:, 0] + np.random.default_rng(1).uniform(-1, 1, size=200)
    settings: dict[str, Any] = {
        "tolerance": {"epsilon": 0.1, "candidates": 2},
        "fixed": {"tolerance": 0.9},
        "betting": {"loss": "absolute", "loss_range": (0, 2)},
        "bernstein": {"loss": "squared", "loss_range": (0, 4), "bound": "empirical-bernstein"},
        "until": {"tolerance": 1.0, "until": 0.05, "draws": iter([(rows, y)])},
        "own": {"loss": lambda p, a: np.minimum(abs(p - a), 1), "loss_range": (0, 1)},
    }[kind]
    data = () if kind == "until" else (rows, y)
    path = save(certify(scale(), *data, **settings), tmp_path / "certificate.json")
    loss = settings["loss"] if kind == "own" else None
    assert verify(path, scale(), rows, y, loss=loss).ok
    assert "student" in _fields(verify(path, scale(1.01), rows, y, loss=loss))
    assert "rows" in _fields(verify(path, scale(), rows + 1e-9, y, loss=loss))


def _fields(verification: Any) -> set[str]:
    return {d.field for d in verification.differences}


def test_another_student_is_found_out(
    certificate: Certificate, threshold: Any, rows: np.ndarray, answers: Any
) -> None:
    found = verify(certificate, threshold(1e-9), rows, answers, groups=rows[:, 1] > 0)
    assert _fields(found) == {"student"}
    assert "not the student that was certified" in str(found)


def test_other_rows_or_answers_are_found_out(
    certificate: Certificate, threshold: Any, rows: np.ndarray, answers: Any
) -> None:
    altered = rows.copy()
    altered[5, 2] += 1e-6
    found = verify(certificate, threshold(), altered, answers, groups=rows[:, 1] > 0)
    assert _fields(found) == {"rows"}
    assert "rows or their answers differ" in str(found)
    answers = answers.copy()
    answers[7] = "no" if answers[7] == "yes" else "yes"
    found = verify(certificate, threshold(), rows, answers, groups=rows[:, 1] > 0)
    assert {"rows", "mean_loss", "epsilon"} <= _fields(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epsilon", 0.01),
        ("mean_loss", 0.0),
        ("n", 2000),
        ("bound", "magic"),
        ("asked", 0.9),
        ("statement", "The student is perfect."),
    ],
)
def test_an_altered_number_is_named(
    certificate: Certificate,
    threshold: Any,
    rows: np.ndarray,
    answers: Any,
    name: str,
    value: Any,
    tmp_path: Path,
) -> None:
    path = save(certificate, tmp_path / "certificate.json")
    record = json.loads(path.read_text())
    record["certificate"][name] = value
    path.write_text(json.dumps(record))
    found = verify(path, threshold(), rows, answers, groups=rows[:, 1] > 0)
    if name == "asked":  # the question is the user's; the sentence tells what it was
        assert _fields(found) == {"statement"}
    else:
        assert _fields(found) == {name}
        assert f"{name} is stated as {value!r}" in str(found)


def test_altered_delta_groups_and_settings_are_named(
    certificate: Certificate, threshold: Any, rows: np.ndarray, answers: Any
) -> None:
    def check(altered: Certificate) -> set[str]:
        return _fields(verify(altered, threshold(), rows, answers, groups=rows[:, 1] > 0))

    assert {"epsilon", "settings['level']"} <= check(replace(certificate, delta=0.01))
    better = replace(certificate.groups[0], epsilon=0.001)
    assert check(replace(certificate, groups=(better, certificate.groups[1]))) == {"group 'False'"}
    assert check(replace(certificate, groups=certificate.groups[1:])) == {
        "group 'False'",
    }
    sure = ("Nothing is assumed.", *certificate.assumptions[1:])
    assert check(replace(certificate, assumptions=sure)) == {"assumptions"}


def test_freshness_can_be_repeated(
    certificate: Certificate, threshold: Any, rows: np.ndarray, answers: Any
) -> None:
    groups = rows[:, 1] > 0
    fresh = row_hashes(rows + 1)
    assert verify(certificate, threshold(), rows, answers, groups=groups, seen=fresh).ok
    with pytest.raises(InvalidInput, match="Training saw"):
        verify(certificate, threshold(), rows, answers, groups=groups, seen=row_hashes(rows))


def test_what_is_needed_is_asked_for(
    certificate: Certificate, threshold: Any, rows: np.ndarray, answers: Any
) -> None:
    with pytest.raises(InvalidInput, match="has 2 groups"):
        verify(certificate, threshold(), rows, answers)
    own = certify(threshold(), rows, answers, loss=lambda p, a: p != a, loss_range=(0, 1))
    with pytest.raises(InvalidInput, match="user's own"):
        verify(own, threshold(), rows, answers)


def test_other_versions_are_noted(
    certificate: Certificate, threshold: Any, rows: np.ndarray, answers: Any
) -> None:
    settings = {**certificate.settings, "versions": {"numpy": "1.0"}}
    old = replace(certificate, settings=settings)
    found = verify(old, threshold(), rows, answers, groups=rows[:, 1] > 0)
    assert found.ok
    assert "Written with numpy 1.0" in str(found)


def test_files_are_refused(certificate: Certificate, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    with pytest.raises(FileRefused, match="cannot be read"):
        load(path)
    path.write_bytes(b"\xff\x00")
    with pytest.raises(FileRefused, match="not text in UTF-8"):
        load(path)
    path.write_text("[1, 2]")
    with pytest.raises(FileRefused, match="kind 'list'"):
        load(path)
    path.write_text('{"kind": "limbeck tree", "schema": 1}')
    with pytest.raises(FileRefused, match="kind 'limbeck tree'"):
        load(path)
    save(certificate, path)
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "schema": 3}))
    with pytest.raises(FileRefused, match=r"schema 3.*Upgrade limbeck"):
        load(path)
    path.write_text(json.dumps({**record, "schema": 1}))
    with pytest.raises(FileRefused, match=r"schema 1.*certify anew"):
        load(path)
    path.write_text(json.dumps({**record, "schema": None}))
    with pytest.raises(FileRefused, match="schema None"):
        load(path)
    for name in ("epsilon", "rows", "statement"):
        short = {k: v for k, v in record["certificate"].items() if k != name}
        path.write_text(json.dumps({**record, "certificate": short}))
        with pytest.raises(FileRefused, match=rf"not a complete certificate \('{name}'\)"):
            load(path)
    path.write_text(json.dumps({**record, "certificate": {**record["certificate"], "n": "many"}}))
    with pytest.raises(FileRefused, match="not a complete certificate"):
        load(path)
    odd = {**record["certificate"], "settings": {"candidates": "two"}}
    path.write_text(json.dumps({**record, "certificate": odd}))
    with pytest.raises(FileRefused, match="not a complete certificate"):
        load(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda r: {**r, "schema": True}, "schema True"),
        (lambda r: {**r, "signed_by": "an authority"}, "'signed_by' is no field of it"),
        (lambda r: {**r, "certificate": {**r["certificate"], "holds_for": "all"}}, "'holds_for'"),
        (
            lambda r: {**r, "certificate": {**r["certificate"], "epsilon": True}},
            "True is no number",
        ),
        (lambda r: {**r, "certificate": {**r["certificate"], "delta": 1.5}}, "delta 1.5"),
        (lambda r: {**r, "certificate": {**r["certificate"], "epsilon": None}}, "epsilon nan"),
        (lambda r: {**r, "certificate": {**r["certificate"], "settings": {"seen": 3.5}}}, "seen"),
        (lambda r: {**r, "certificate": {**r["certificate"], "assumptions": [1]}}, "1 is no str"),
    ],
)
def test_what_nobody_would_check_is_refused(
    certificate: Certificate, tmp_path: Path, change: Callable[..., object], why: str
) -> None:
    path = save(certificate, tmp_path / "certificate.json")
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(FileRefused, match=why):
        load(path)


def test_a_key_that_readers_would_take_differently_is_refused(
    certificate: Certificate, tmp_path: Path
) -> None:
    path = save(certificate, tmp_path / "certificate.json")
    text = path.read_text().replace('"delta"', '"epsilon": 1e-9, "delta"', 1)
    path.write_text(text)
    with pytest.raises(FileRefused, match="names 'epsilon' twice"):
        load(path)


def test_units_are_readable_in_the_file(certificate: Certificate, tmp_path: Path) -> None:
    path = save(replace(certificate, statement="At most 3 \u00b5m."), tmp_path / "c.json")
    assert "At most 3 \u00b5m." in path.read_text(encoding="utf-8")

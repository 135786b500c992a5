from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from limbeck import load
from limbeck.certificates import row_hashes
from tests.cli.conftest import FILES, limbeck, plain


def test_verify_the_folder(run):
    whole = limbeck("verify", "run")  # student and rows are those of the run
    assert whole.exit_code == 0
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert plain(whole.output) == plain(result.output)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Verified: all")


def test_an_altered_student_is_named(run):
    data = json.loads((run / "student.json").read_text())
    inner = next(i for i, f in enumerate(data["nodes"]["feature"]) if f >= 0)
    data["nodes"]["threshold"][inner] += 1e-6
    (run / "student.json").write_text(json.dumps(data))
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 1
    said = plain(result.output)
    assert "Not verified" in said
    assert "this is not the student that was certified" in said
    assert "The rows or their answers differ" not in said


@pytest.mark.parametrize("what", ["value", "answer", "dropped"])
def test_altered_rows_are_named(run, what):
    rows = pd.read_parquet(run / "holdout.parquet")
    if what == "value":
        rows.loc[7, "c"] += 1e-6
    elif what == "answer":
        rows.loc[7, "teacher_label"] = {"yes": "no", "no": "yes"}[rows.loc[7, "teacher_label"]]
    else:
        rows = rows.iloc[:-1]
    rows.to_parquet(run / "holdout.parquet")
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 1
    said = plain(result.output)
    assert "The rows or their answers differ" in said
    assert "not the student that was certified" not in said


def test_rows_may_be_kept_in_another_order_and_as_float32(run):
    rows = pd.read_parquet(run / "holdout.parquet").iloc[::-1]
    floats = rows.select_dtypes("float64").columns
    rows.astype(dict.fromkeys(floats, "float32")).to_parquet(run / "holdout.parquet")
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 0, result.output


def test_what_was_not_checked_is_said(run):
    said = " ".join(plain(limbeck("verify", "run/certificate.json", *FILES).output).split())
    assert "Not checked:" in said  # the hashes beside the student are found
    assert "freshness is the word" not in said
    (run / "seen.npy").rename(run / "hashes.npy")
    said = " ".join(plain(limbeck("verify", "run/certificate.json", *FILES).output).split())
    assert "freshness is the word of whoever issued it" in said
    seen = ["--seen", "run/hashes.npy"]
    said = " ".join(plain(limbeck("verify", "run/certificate.json", *FILES, *seen).output).split())
    assert "freshness is the word" not in said
    student = load(run / "student.json")
    rows = student.features_.encode(pd.read_parquet(run / "holdout.parquet"))
    np.save(run / "hashes.npy", row_hashes(rows[:3]))
    result = limbeck("verify", "run/certificate.json", *FILES, *seen)
    assert result.exit_code == 2
    assert "Training saw 3 of these" in plain(result.output)


def test_an_altered_certificate_is_named(run):
    path = run / "certificate.json"
    data = json.loads(path.read_text())
    data["certificate"]["epsilon"] /= 2
    path.write_text(json.dumps(data))
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 1
    assert "epsilon is stated as" in plain(result.output)


def newer(path, *keys):
    data = json.loads(path.read_text())
    data[keys[0]] += 1
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: (run / "student.json").unlink(), "student.json' cannot be read"),
        (lambda run: (run / "certificate.json").unlink(), "certificate.json cannot be read"),
        (lambda run: (run / "holdout.parquet").unlink(), "There is no file"),
        (lambda run: (run / "student.json").write_text("{"), "is not JSON"),
        (lambda run: newer(run / "student.json", "version"), "The student has version 2"),
        (lambda run: newer(run / "certificate.json", "schema"), "has schema 3"),
    ],
    ids=["no student", "no certificate", "no rows", "half", "newer student", "newer certificate"],
)
def test_files_that_cannot_be_used_take_two_sentences(run, spoil, message):
    spoil(run)
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 2
    said = result.output.strip()
    assert message in plain(said)
    assert "Traceback" not in said
    assert len([s for s in plain(said).split(". ") if s]) <= 3

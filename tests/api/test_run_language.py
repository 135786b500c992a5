"""The same from a run file and from a shell."""

import json

import pytest

pytest.importorskip("transformers")

from typer.testing import CliRunner

import limbeck
from limbeck.api import run_file
from limbeck.api.run_language import objective_of
from limbeck.cli import app
from limbeck.core.errors import InvalidInput
from limbeck.language import OnPolicy


@pytest.fixture(scope="module")
def place(tmp_path_factory, language_models):
    folder = tmp_path_factory.mktemp("models")
    big, small = language_models(folder)
    rows = [{"prompt": f"ab {i:b}".replace("0", "x").replace("1", "y")} for i in range(36)]
    path = folder / "prompts.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return big, small, path


def test_a_run_file_does_what_distill_does(place, tmp_path):
    big, small, path = place
    run = tmp_path / "run.yaml"
    run.write_text(
        f"teacher: {big}\nstudent: {small}\ntrain: {path}\nout: {tmp_path / 'out'}\n"
        "objective: {name: OnPolicy, share: 0.5}\nmax_new_tokens: 5\nbatch_size: 8\n"
    )
    found = run_file.run(run, progress=False)
    same = limbeck.distill(
        big, path, into=small, objective=OnPolicy(share=0.5), max_new_tokens=5, batch_size=8,
        progress=False,
    )  # fmt: skip
    assert found.certificate.student == same.certificate.student
    assert (tmp_path / "out" / "run.yaml").is_file()
    assert run_file.resume(tmp_path / "out", progress=False).generations == same.generations


def test_recorded_logits_teach_in_a_run_file_and_in_a_shell(place, tmp_path):
    """They bring their texts, so that there is no file of prompts."""
    big, small, path = place
    rows = [json.loads(line) | {"completion": "ab"} for line in path.read_text().splitlines()]
    limbeck.language.record(big, rows, tmp_path / "logits")
    run = tmp_path / "run.yaml"
    run.write_text(
        f"teacher: {tmp_path / 'logits'}\nstudent: {small}\nobjective: TokenKD\njudge: {big}\n"
        f"out: {tmp_path / 'out'}\nmax_new_tokens: 5\npreflight: warn\ncontrol: false\n"
    )
    found = run_file.run(run, progress=False)
    assert found.bill["student"].teacher == 0
    told = CliRunner().invoke(
        app, ["distill", "--teacher", str(tmp_path / "logits"), "--into", small, "--out",
              str(tmp_path / "shell"), "--objective", "TokenKD", "--max-new-tokens", "5"],
    )  # fmt: skip
    assert told.exit_code == 0 or "Pre-flight" in told.output, told.output
    run.write_text(run.read_text().replace(f"{tmp_path / 'logits'}", big))
    with pytest.raises(InvalidInput, match="no 'train'"):
        run_file.run(run, progress=False)


def test_a_cut_is_named_in_a_run_file(place, tmp_path):
    big, _, _ = place
    texts = ["".join("xy"[int(b)] for b in f"{i:06b}") * 2 for i in range(36)]
    path, run = tmp_path / "texts.jsonl", tmp_path / "run.yaml"
    path.write_text("\n".join(json.dumps({"prompt": text}) for text in texts))
    run.write_text(
        f"teacher: {big}\nstudent: {{name: Pruned, mlp: 0.5}}\ntrain: {path}\n"
        f"out: {tmp_path / 'out'}\nobjective: TokenKD\nmax_new_tokens: 5\nbatch_size: 8\n"
        "prompt_tokens: 6\npreflight: warn\ncontrol: false\n"
    )
    found = run_file.run(run, progress=False)
    assert any("keeping mlp" in note for note in found.notes)
    run.write_text(run.read_text().replace("mlp: 0.5", "mlpp: 0.5"))
    with pytest.raises(InvalidInput, match="has no setting 'mlpp'"):
        run_file.run(run, progress=False)


def test_from_a_shell(place, tmp_path):
    big, small, path = place
    told = CliRunner().invoke(
        app, ["distill", "--teacher", big, "--data", str(path), "--into", small, "--out",
              str(tmp_path / "out"), "--objective", "TokenKD", "--max-new-tokens", "5"],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "certificate" in told.output
    assert limbeck.load(tmp_path / "out").settings["objective"].startswith("TokenKD")
    refused = CliRunner().invoke(
        app, ["distill", "--teacher", big, "--data", str(path), "--into", small, "--out",
              str(tmp_path / "no"), "--label", "y"],
    )  # fmt: skip
    assert refused.exit_code != 0


def test_names_that_do_not_exist_are_refused():
    with pytest.raises(InvalidInput, match="OnPolicy"):
        objective_of("OnPolcy")
    with pytest.raises(InvalidInput, match="has no setting 'lambda'"):
        objective_of({"name": "OnPolicy", "lambda": 0.5})

"""A certificate of texts, recomputed by somebody who has the saved run and the teacher."""

import json
import random
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from typer.testing import CliRunner  # noqa: E402

import limbeck  # noqa: E402
from limbeck.cli.app import app  # noqa: E402
from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.language import TokenKD, verify  # noqa: E402
from limbeck.language.certified_texts import CertifiedTexts  # noqa: E402


@pytest.fixture(scope="module")
def run(tmp_path_factory, language_models):
    """A teacher, and the folder of a distillation."""
    base = tmp_path_factory.mktemp("verify")
    big, small = language_models(base)
    draw = random.Random(0)
    rows = [
        {"prompt": "".join(draw.choices("abcdef", k=6)), "completion": "hello"} for _ in range(40)
    ]
    result = limbeck.distill(
        big, rows, into=small, objective=TokenKD(), control=False, progress=False,
        max_new_tokens=6, batch_size=16, lr=0.01, preflight="warn",
    )  # fmt: skip
    return big, result.save(base / "run")


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run[1], tmp_path / "copy")


def changed(folder, **arrays):
    path = folder / "losses.npz"
    with np.load(path) as file:
        found = dict(file) | arrays
    np.savez(path, **found)


def test_with_the_teacher_all_losses_are_computed_again(run):
    found = verify(run[1], run[0])
    assert found.ok, str(found)
    assert "Both models read all texts again" in str(found)
    assert not any("give the teacher" in sentence for sentence in found.unchecked)


def test_without_the_teacher_it_says_what_the_losses_rest_on(run):
    found = verify(run[1])
    assert found.ok
    assert any("give the teacher" in sentence for sentence in found.unchecked)


def test_losses_of_other_models_are_found(copy, run):
    kept = CertifiedTexts.open(copy / "losses.npz")
    losses = np.stack(list(kept.losses.values()))
    changed(copy, losses=losses * 0.5)
    assert {d.field for d in verify(copy).differences} >= {"epsilon", "mean_loss", "groups"}
    # a certificate that was made anew from invented losses: only the teacher shows it
    stated = json.loads((copy / "certificate.json").read_text())
    halved = CertifiedTexts.open(copy / "losses.npz").losses
    from limbeck.certificates.certificate_file import load, save
    from limbeck.certificates.texts import certify_texts

    old = load(copy / "certificate.json")
    settings = {n: old.settings[n] for n in ("max_new_tokens", "seed", "teacher")}
    save(
        certify_texts(
            halved, delta=old.delta, asked=old.asked, student=old.student, rows=old.rows,
            settings=settings,
        ),
        copy / "certificate.json",
    )  # fmt: skip
    assert stated["certificate"]["mean_loss"] > load(copy / "certificate.json").mean_loss
    assert verify(copy).ok
    fields = {d.field for d in verify(copy, run[0]).differences}
    assert fields == {
        "mean loss on the student's texts", "mean loss on the teacher's texts",
        "mean loss on real texts",
    }  # fmt: skip


def test_another_teacher_other_weights_and_other_prompts_are_found(copy, run, tmp_path):
    small = str(copy / "student")
    assert "setting teacher" in {d.field for d in verify(copy, f"hf:{small}").differences}
    kept = CertifiedTexts.open(copy / "losses.npz")
    CertifiedTexts(kept.losses, kept.prompts[::-1], kept.texts).save(copy / "losses.npz")
    assert "rows" in {d.field for d in verify(copy, run[0]).differences}


def test_the_check_of_rows_sends_to_the_check_of_texts(run):
    with pytest.raises(InvalidInput, match="certificate of texts"):
        limbeck.verify(run[1] / "certificate.json", None, [], [])


def test_arrays_that_do_not_fit_are_refused(copy):
    with np.load(copy / "losses.npz") as file:
        lengths = file["lengths"]
    lengths[0, 0] += 1
    changed(copy, lengths=lengths)
    with pytest.raises(FileRefused, match="do not fit each other"):
        verify(copy)


def test_a_run_that_kept_no_texts_says_so(copy, run):
    kept = CertifiedTexts.open(copy / "losses.npz")
    CertifiedTexts(kept.losses).save(copy / "losses.npz")
    assert verify(copy).ok
    with pytest.raises(InvalidInput, match="keeps losses and not the texts"):
        verify(copy, run[0])


def test_the_shell_verifies_a_folder(run, copy):
    shell = CliRunner()
    done = shell.invoke(app, ["verify", str(run[1]), "--teacher", run[0]])
    assert done.exit_code == 0, done.output
    assert "Verified: all" in done.output
    changed(copy, losses=np.zeros((3, 12)))
    assert shell.invoke(app, ["verify", str(copy)]).exit_code == 1

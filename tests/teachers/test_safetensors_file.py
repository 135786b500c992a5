from __future__ import annotations

import numpy as np
import pytest

import limbeck
from limbeck import as_teacher
from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access
from limbeck.core.errors import FileRefused, InvalidInput

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")
X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 3)
    safetensors.save_file(net.state_dict(), tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors", net


def test_weights_answer_in_a_copy_of_the_module(path):
    file, net = path
    empty = torch.nn.Linear(4, 3)
    before = empty.weight.detach().clone()
    for teacher in (
        as_teacher(file, module=empty, example=X),
        as_teacher(str(file), module=empty, classes=["a", "b", "c"], score_kind="logit"),
    ):
        with torch.no_grad():
            np.testing.assert_allclose(teacher.scores(X), net(torch.from_numpy(X)), atol=1e-6)
        assert teacher.name == "net.safetensors"
        assert teacher.score_kind is ScoreKind.LOGIT
        assert Access.GRADIENTS in teacher.access
    assert torch.equal(empty.weight, before)
    assert "net.safetensors" in str(limbeck.distill(teacher, X, max_leaves=4, queries=0))


def test_weights_without_their_module_are_refused(path):
    file, _ = path
    for options in ({}, {"module": 3}):
        with pytest.raises(InvalidInput, match=r"weights and not their module.*module=net"):
            as_teacher(file, classes=3, **options)
    with pytest.raises(InvalidInput, match="weights and not their module"):
        limbeck.distill(str(file), X)


def test_other_weights_and_files_that_are_cut_off_are_refused(path):
    file, _ = path
    with pytest.raises(FileRefused, match="does not fit the module"):
        as_teacher(file, module=torch.nn.Linear(4, 2), classes=2)
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(FileRefused, match="does not fit the module") as error:
        as_teacher(file, module=torch.nn.Linear(4, 3), classes=3)
    assert "\n" not in str(error.value)

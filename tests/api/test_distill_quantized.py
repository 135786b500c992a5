from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchao")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.networks import ModuleEnsemble, Quantized, load_quantized  # noqa: E402

pytestmark = pytest.mark.torch


def problem(n=400, seed=0):
    X = torch.randn(n, 32, generator=torch.Generator().manual_seed(seed))
    return X, (X[:, 0] * X[:, 1] > 0).long()


def teacher(width=32, seed=0):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(32, width), nn.ReLU(), nn.Linear(width, 2))
    X, y = problem(seed=9)
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X), y).backward()
        optimizer.step()
    return net.eval()


@pytest.fixture(scope="module", params=["int8", "int4"])
def result(request):
    return limbeck.distill(
        teacher(), *problem(), into=Quantized(request.param), epochs=2, lr=1e-3, seeds=2,
        progress=False,
    )  # fmt: skip


def test_the_rounded_network_stands_beside_its_start_and_its_control(result):
    roles = [e.role for e in result.comparison.entries]
    assert roles == ["teacher", "student", "control", "before healing", "baseline"]
    whole, small = result.facts["teacher"], result.facts["student"]
    assert small.parameters == whole.parameters
    assert small.weight_bytes < 0.45 * whole.weight_bytes
    assert "linear layers" in result.notes[0]
    assert [row[0] for row in result.settings["objective"]] == ["SoftTargets"]


def test_a_saved_one_answers_as_before(result, tmp_path):
    result.save(tmp_path)
    X = problem(20, seed=3)[0]
    again = load_quantized(teacher(seed=5), tmp_path)
    with torch.no_grad():
        logits = result.student(X)
        assert torch.equal(again(X), logits)
    onnx = limbeck.load(tmp_path).student
    assert np.array_equal(onnx.predict(X.numpy()), logits.argmax(1).numpy())
    stored = (tmp_path / "model.safetensors").stat().st_size
    assert stored < 0.75 * 4 * result.facts["teacher"].parameters


def test_another_architecture_is_refused(result, tmp_path):
    result.save(tmp_path)
    with pytest.raises(FileRefused, match=r"of shape|names other"):
        load_quantized(teacher(width=16), tmp_path)
    with pytest.raises(FileRefused, match="names other quantized weights"):
        load_quantized(nn.Sequential(nn.Linear(32, 32)), tmp_path)


def test_what_holds_no_quantized_weights_is_refused(tmp_path):
    from limbeck.networks import export_network

    export_network(teacher(), problem(4)[0], tmp_path)
    with pytest.raises(FileRefused, match="names no quantized weights"):
        load_quantized(teacher(), tmp_path)


def test_several_networks_and_a_start_are_refused():
    with pytest.raises(InvalidInput, match="several networks"):
        limbeck.distill(ModuleEnsemble([teacher(), teacher()]), *problem(), into=Quantized())
    with pytest.raises(InvalidInput, match="start was given"):
        limbeck.distill(teacher(), *problem(), into=Quantized(), start="first")

"""The temperature of a finished network: found again where it is known, and the same answers."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.networks.calibration import CalibratedNetwork, calibrated  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402

TASK = Task(kind=TaskKind.CLASSIFICATION, outputs=3, classes=(0, 1, 2))
G = torch.Generator().manual_seed(0)
Z = 3 * torch.randn(4000, 3, generator=G)
Y = torch.multinomial(Z.softmax(-1), 1, generator=G)[:, 0]


@pytest.mark.parametrize("factor", [0.25, 1.0, 5.0])
def test_a_network_that_is_too_certain_by_a_factor_is_divided_by_it(factor: float) -> None:
    network = torch.nn.Linear(3, 3, bias=False)
    network.weight.data = factor * torch.eye(3)
    labels = torch.where(torch.arange(4000) % 7 == 0, -100, Y)
    found = calibrated(network, Samples.of(Z, labels).aimed(TASK), TASK, 256)
    assert float(found.temperature) == pytest.approx(factor, rel=0.08)
    assert torch.equal(found(Z).argmax(1), network(Z).argmax(1))


def test_it_lies_where_its_network_lies() -> None:
    assert CalibratedNetwork(torch.nn.Linear(3, 3, device="meta")).temperature.is_meta


def settings() -> dict[str, Any]:
    return {
        "test": (Z[1000:1200], Y[1000:1200]), "epochs": 12, "batch_size": 20, "lr": 0.05,
        "baseline": False, "timing": False, "progress": False,
    }  # fmt: skip


def test_student_and_control_are_calibrated_alike(tmp_path: Any) -> None:
    def student() -> Any:
        return torch.nn.Sequential(torch.nn.Linear(3, 64), torch.nn.ReLU(), torch.nn.Linear(64, 3))

    teacher = torch.nn.Linear(3, 3, bias=False)
    teacher.weight.data = 10 * torch.eye(3)  # far too certain
    data, more = (Z[:100], Y[:100]), {"validation": (Z[2000:2300], Y[2000:2300])}
    plain, own = (
        limbeck.distill(teacher, data, into=student, calibrate=c, **settings() | more)
        for c in (False, True)
    )
    assert [e.agreement for e in own.comparison.entries] == [
        e.agreement for e in plain.comparison.entries
    ]
    for role in ("student", "control"):
        assert own.facts[role].calibration.value < plain.facts[role].calibration.value
    assert any("Calibrated on 300 validation rows" in n and "control by" in n for n in own.notes)
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(own.save(tmp_path / "run") / "student.onnx")
    (exported, *_) = session.run(None, {session.get_inputs()[0].name: Z[:5].numpy()})
    assert torch.allclose(torch.as_tensor(exported), own.student(Z[:5]).detach(), atol=1e-4)


def test_what_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(InvalidInput, match="calibrate is 'yes'"):
        limbeck.distill(
            torch.nn.Linear(3, 3), (Z[:100], Y[:100]), into=torch.nn.Linear(3, 3),
            calibrate="yes", **settings(),
        )  # fmt: skip


@pytest.mark.parametrize("more", [{}, {"validation": Z[2000:2500]}])
def test_without_labels_to_fit_on_it_is_refused(more: Any) -> None:
    knows = torch.nn.Linear(3, 3, bias=False)  # one that was drawn may be worse than chance
    knows.weight.data = torch.eye(3)
    with pytest.raises(InvalidInput, match="no validation rows with labels"):
        limbeck.distill(
            knows, (Z[:100], Y[:100]), into=torch.nn.Linear(3, 3), calibrate=True,
            **settings() | more,
        )  # fmt: skip

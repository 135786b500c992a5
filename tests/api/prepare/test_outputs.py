"""Networks that return several tensors, numbers on several axes, or a class at every place."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.networks import GoldLabels, SoftTargets
from limbeck.students.onnx.student import OnnxStudent
from tests.api.test_distill_network import FAST, Truth, rows

Pair = namedtuple("Pair", ["features", "scores"])


class Several(nn.Module):
    """Returns what a function makes of scores and features."""

    def __init__(self, form: Any, width: int = 5) -> None:
        super().__init__()
        self.form = form
        self.body, self.head = nn.Linear(6, width), nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Any:
        h = self.body(x).relu()
        return self.form(self.head(h), h)


def distilled(teacher: nn.Module, into: Any, **more: Any) -> Any:
    quick = {"baseline": False, "test": rows(60, 1), "timing": False, "epochs": 2}
    return limbeck.distill(teacher, rows(120, 0), into=into, **FAST | quick | more)


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.fixture(scope="module")
def known() -> Any:
    """What comes of a student with one tensor."""
    torch.manual_seed(0)
    return distilled(Truth(), Several(lambda z, h: z))


@pytest.mark.parametrize(
    ("form", "place", "saved"),
    [
        (lambda z, h: (h, z), "1", False),
        (lambda z, h: Pair(h, z), "'scores'", False),
        (lambda z, h: {"hidden": h, "out": z, "loss": z.sum()}, "'out'", True),
    ],
)
def test_the_only_tensor_that_fits_is_taken_and_said(
    form: Any, place: str, saved: bool, known: Any, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    found = distilled(Truth(), Several(form), out=tmp_path / "run" if saved else None)
    assert torch.equal(weights(found.student), weights(known.student))
    assert any(f"{place} is taken for its outputs" in n for n in found.notes)
    assert not any("taken for its outputs" in n for n in known.notes)
    assert found.certificate.mean_loss == known.certificate.mean_loss
    assert not isinstance(found.student(rows(4, 1)[0]), Tensor)  # as its author wrote it


def test_a_teacher_of_several_tensors_stays_as_it_was() -> None:
    teacher = Several(lambda z, h: (h, z))
    before = set(vars(teacher))
    found = distilled(teacher, Truth())
    assert set(vars(teacher)) == before
    assert any("teacher Several" in n and "1 is taken" in n for n in found.notes)
    again = distilled([teacher, teacher], Truth())
    assert set(vars(teacher)) == before
    assert again.comparison.entries[0].role == "teacher"


def test_two_that_fit_are_refused_with_both_names() -> None:
    student = Several(lambda z, h: {"one": z, "two": 2 * z})
    with pytest.raises(InvalidInput, match=r"'one' \(4, 3\), 'two' \(4, 3\).*output='one'"):
        distilled(Truth(), student)
    for output in ("two", 1, {"student": "two"}, -1):
        found = distilled(Truth(), student, output=output)
        assert any("'two'" in n or "1 is taken" in n or "-1 is" in n for n in found.notes)
        right = found.student(rows(60, 1)[0])["two"].argmax(1) == rows(60, 1)[1]
        entry = next(e for e in found.comparison.entries if e.role == "student")
        assert entry.accuracy.value == pytest.approx(right.float().mean().item())
    with pytest.raises(InvalidInput, match=r"no tensor as output='tow'.*'two'"):
        distilled(Truth(), student, output="tow")
    with pytest.raises(InvalidInput, match="Leave output out"):
        distilled(Truth(), Truth(), output=0)
    with pytest.raises(InvalidInput, match="output is True"):
        distilled(Truth(), student, output=True)
    with pytest.raises(InvalidInput, match="nothing fits"):
        distilled(Truth(), Several(lambda z, h: (h[:, :2], z[:, :2])))


def test_classes_tell_tensors_apart_and_logits_go_by_their_name() -> None:
    wide = Several(lambda z, h: (h, z), width=4)
    found = distilled(Truth(), wide, classes=["a", "b", "c"])
    assert any("1 is taken" in n for n in found.notes)
    named = Several(lambda z, h: {"aux": z, "logits": 2 * z})
    found = distilled(Truth(), named)
    assert any("'logits' is taken for its outputs, by its name" in n for n in found.notes)


def test_a_cache_holds_what_was_chosen(tmp_path: Path) -> None:
    teacher = Several(lambda z, h: (z, -z))
    one = distilled(teacher, Truth(), output={"teacher": 1}, cache=tmp_path / "cache")
    two = distilled(teacher, Truth(), output={"teacher": 1})
    torch.testing.assert_close(weights(one.student), weights(two.student), rtol=1e-4, atol=1e-5)
    with pytest.raises((InvalidInput, limbeck.LimbeckError)):
        distilled(teacher, Truth(), output={"teacher": 0}, cache=tmp_path / "cache")


class Series(nn.Module):
    """From (n, 8) to (n, t), or (n, t, k)."""

    def __init__(self, shape: tuple[int, ...], hidden: int = 0) -> None:
        super().__init__()
        self.shape = shape
        out = int(torch.tensor(shape).prod())
        self.body = nn.Sequential(nn.Linear(8, hidden or 8), nn.Tanh(), nn.Linear(hidden or 8, out))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).reshape(len(x), *self.shape)


def checked(result: Any, folder: Path) -> None:
    """The folder's ONNX student answers as the certificate says, and verifies."""
    from limbeck.certificates.certificate_file import load

    result.save(folder)
    certificate = load(folder / "certificate.json")
    assert certificate.mean_loss == pytest.approx(result.certificate.mean_loss, abs=1e-5)
    import numpy as np

    with np.load(folder / "rows.npz") as file:
        held = file["rows"].astype(float)
    onnx = OnnxStudent(folder / "student.onnx").predict(held)
    assert len(onnx) == result.certificate.n


@pytest.mark.parametrize("shape", [(5,), pytest.param((5, 2), marks=pytest.mark.slow), (5, 1)])
def test_numbers_on_several_axes(shape: tuple[int, ...], tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    torch.manual_seed(1)
    teacher, student = Series(shape), Series(shape, hidden=6)
    x = torch.randn(220, 8)
    y = teacher(x).detach()
    y = y[..., 0] if shape == (5, 1) else y
    found = limbeck.distill(
        teacher, (x[:120], y[:120]), into=student, test=(x[120:], y[120:]), epochs=2, lr=0.02,
        batch_size=32, timing=False,
    )  # fmt: skip
    assert found.settings["task"] == "regression"
    said = found.student(x[120:]).reshape(100, -1)
    true = y[120:].reshape(100, -1)
    r2 = 1 - ((said - true) ** 2).mean(0) / true.var(0, correction=0)
    accuracy = {e.role: e.accuracy for e in found.comparison.entries}
    assert accuracy["student"].value == pytest.approx(r2.mean().item(), abs=1e-4)
    assert accuracy["teacher"].value == pytest.approx(1.0)
    assert {"control", "baseline"} <= set(accuracy)
    assert found.student(x[:2]).shape == (2, *shape)
    checked(found, tmp_path)


def test_numbers_of_sequences_of_different_length_are_refused() -> None:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(9, 1)

        def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
            return self.words(input_ids)[..., 0]

    items = [{"input_ids": [1, 2, 3, 4][: 2 + i % 3]} for i in range(60)]
    with pytest.raises(InvalidInput, match="2 to 4 tokens"):
        limbeck.distill(Tagger(), items, into=Tagger(), task="regression", **FAST)


class Pixels(nn.Module):
    """Segmentation: (n, 1, 6, 5) to (n, 3, 6, 5)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 3, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


@pytest.mark.parametrize("channel", [False, True])
def test_a_class_at_every_pixel(channel: bool, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    torch.manual_seed(1)
    teacher, student = Pixels(8), Pixels(4)
    x = torch.randn(240, 1, 6, 5)
    y = teacher(x).argmax(1).detach()
    y[:, 0, 0] = -100
    y = y[:, None] if channel else y
    found = limbeck.distill(
        teacher, (x[:160], y[:160]), into=student, test=(x[160:], y[160:]), epochs=2, lr=0.02,
        batch_size=32, timing=False, cache=tmp_path / "cache",
        objective=0.5 * SoftTargets(temperature=2.0) + 0.5 * GoldLabels(),
    )  # fmt: skip
    assert any("3 classes at each of 6 x 5 places" in n for n in found.notes)
    true = y[160:].reshape(80, -1)
    said = found.student(x[160:]).argmax(1).reshape(80, -1)
    rate = [(s[t >= 0] == t[t >= 0]).float().mean().item() for s, t in zip(said, true, strict=True)]
    accuracy = {e.role: e.accuracy for e in found.comparison.entries}
    assert accuracy["student"].value == pytest.approx(sum(rate) / 80)
    assert accuracy["teacher"].value == 1.0
    assert "control" in accuracy
    assert found.certificate.mean_loss == pytest.approx(1 - sum(rate) / 80, abs=1e-6)
    if not channel:  # the student is the same
        checked(found, tmp_path / "run")


def test_one_epoch_at_pixels_is_the_loop_by_hand() -> None:
    torch.manual_seed(1)
    student, x = Pixels(4), torch.randn(64, 1, 6, 5)
    y = torch.randint(0, 3, (64, 6, 5))
    y[torch.rand(64, 6, 5) < 0.3] = -100
    hand = Pixels(4)
    hand.load_state_dict(student.state_dict())
    found = limbeck.distill(
        None, (x, y), into=student, objective=GoldLabels(), test=(x[:20] + 1, y[:20]), epochs=3,
        optimizer="sgd", momentum=0.0, weight_decay=0.0, schedule="constant", lr=0.1,
        batch_size=64, timing=False,
    )  # fmt: skip
    optimizer = torch.optim.SGD(hand.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(hand(x), y).backward()
        optimizer.step()
    torch.testing.assert_close(weights(found.student), weights(hand), rtol=1e-4, atol=1e-5)


def test_masks_of_one_channel_are_labels_that_may_hold_together() -> None:
    class Mask(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    torch.manual_seed(0)
    teacher, x = Mask(), torch.randn(120, 1, 4, 4)
    y = (teacher(x) > 0).long().detach()
    for labels in (y, y[:, 0], y.float()):
        found = limbeck.distill(teacher, (x, labels), into=Mask(), timing=False,
                                baseline=False, **FAST | {"epochs": 1})  # fmt: skip
        assert found.settings["task"] == "multilabel"
        assert found.comparison.entries[0].accuracy.value == 1.0

"""Networks whose outputs differ: layers are compared all the same, and padding is cut off."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import (  # noqa: E402
    Contrastive,
    Embeddings,
    GoldLabels,
    HiddenStates,
    Interchange,
    Relations,
    SoftTargets,
    TeacherCache,
    TeacherConfident,
)

pytestmark = pytest.mark.torch
FAST: dict[str, Any] = {
    "epochs": 2, "batch_size": 32, "lr": 0.01, "timing": False, "validation": 0, "baseline": False,
}  # fmt: skip


def plain(width: int, outputs: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, outputs))


class Reader(nn.Module):
    """Of tokens: embeddings, a hidden layer, and an answer or a vector at every place."""

    def __init__(self, words: int, outputs: int, width: int, seed: int = 0) -> None:
        torch.manual_seed(seed)
        super().__init__()
        self.words, self.middle = nn.Embedding(words, width), nn.Linear(width, width)
        self.head = nn.Linear(width, outputs)
        nn.init.normal_(self.head.weight)

    def forward(self, input_ids, attention_mask):
        x = self.words(input_ids)
        return self.head(torch.tanh(self.middle(x)) * attention_mask[..., None])


@pytest.fixture
def table() -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(200, 6, generator=torch.Generator().manual_seed(1))
    return x, (x[:, 0] > 0).long()


def sentences(n: int = 60) -> dict[str, list[list[int]]]:
    draw = np.random.default_rng(0)
    return {"input_ids": [draw.integers(1, 20, draw.integers(3, 9)).tolist() for _ in range(n)]}


@pytest.mark.parametrize(
    "objective",
    [
        HiddenStates({"1": "1"}),
        Embeddings({"0": "0"}, distance="cosine"),
        Relations({"2": "2"}),
        Contrastive({"2": "2"}, width=4),
    ],
    ids=repr,
)
def test_embeddings_of_other_widths_without_labels(table, objective) -> None:
    """As sentence encoders: what they return has no classes, and nothing is to be agreed on."""
    found = limbeck.distill(plain(16, 12), table[0], into=plain(8, 5), objective=objective, **FAST)
    assert found.history[-1]["loss"] < found.history[0]["loss"]
    told = " ".join(found.notes)
    assert "agreement with the teacher is not measured, and nothing is certified" in told
    assert "Without labels accuracy is not measured either" in told
    assert found.certificate is None
    (student,) = found.comparison.entries
    assert student.accuracy is None
    assert math.isnan(student.agreement.value)
    assert "verdict" in str(found)


def test_with_labels_there_are_accuracy_and_a_control(table, tmp_path) -> None:
    objective = HiddenStates({"1": "1"}) + GoldLabels()
    given: dict[str, Any] = FAST | {"epochs": 10, "lr": 0.03}
    found = limbeck.distill(plain(16, 12), *table, into=plain(8, 2), objective=objective,
                            filter=TeacherConfident(0.05), out=tmp_path, cache=True,
                            **given)  # fmt: skip
    by_role = {e.role: e.accuracy for e in found.comparison.entries}
    assert set(by_role) == {"student", "control"}
    assert by_role["student"].value > 0.9
    assert "Accuracy is that on the labels" in " ".join(found.notes)
    assert limbeck.load(tmp_path) is not None


def test_tokens_with_other_outputs_at_every_place() -> None:
    objective = HiddenStates({"middle": "middle"}) + Relations({"words": "words"})
    found = limbeck.distill(Reader(20, 9, 8), sentences(), into=Reader(20, 4, 6), task="tokens",
                            objective=objective, **FAST)  # fmt: skip
    assert found.history[-1]["loss"] < found.history[0]["loss"]


@pytest.mark.parametrize(
    "objective",
    [SoftTargets(), HiddenStates({"1": "1"}) + SoftTargets(), Interchange({"1": "1"})],
    ids=repr,
)
def test_what_compares_outputs_needs_the_same(table, objective) -> None:
    with pytest.raises(InvalidInput, match=r"teacher has 12 outputs, the student 5.*vocabulary=5"):
        limbeck.distill(plain(16, 12), table[0], into=plain(8, 5), objective=objective, **FAST)


def test_layers_of_networks_that_compare_are_judged_by_agreement(table) -> None:
    found = limbeck.distill(plain(16, 2), *table, into=plain(8, 2, 1),
                            objective=HiddenStates({"1": "1"}) + GoldLabels(), **FAST)  # fmt: skip
    assert found.comparison.entries[0].role == "teacher"
    assert found.certificate is not None


class Cut(nn.Module):
    """A network with its first outputs alone: what a vocabulary that was filled up stands for."""

    def __init__(self, inner: nn.Module, first: int) -> None:
        super().__init__()
        self.inner, self.first = inner, first

    def forward(self, input_ids, attention_mask):
        return self.inner(input_ids, attention_mask)[..., : self.first]


@pytest.mark.parametrize(("theirs", "ours", "cache"), [(24, 20, False), (24, 22, True)])
def test_a_vocabulary_that_was_filled_up(tmp_path, theirs, ours, cache) -> None:
    """The same as with networks whose further outputs were cut off by hand."""
    rows = sentences()
    rows["labels"] = rows["input_ids"]
    teacher, student = Reader(theirs, theirs, 9), Reader(ours, ours, 6, seed=1)
    with torch.no_grad():
        teacher.head.bias[20:] = 5.0  # what was filled up would win
        student.head.bias[20:] = 5.0
    given: dict[str, Any] = {
        "objective": SoftTargets(2.0) + GoldLabels(), "filter": TeacherConfident(0.2),
        "task": "language", **FAST,
    }  # fmt: skip
    stored = TeacherCache(tmp_path / "kept", top=7) if cache else None
    found = limbeck.distill(teacher, rows, into=student, vocabulary=20, cache=stored, **given)
    other = TeacherCache(tmp_path / "cut", top=7) if cache else None
    cut = limbeck.distill(
        Cut(teacher, 20), rows, into=Cut(student, 20), cache=other,
        tokenizers=(SimpleNamespace(get_vocab=dict),) * 2, **given,
    )  # fmt: skip
    weights = zip(found.student.parameters(), cut.student.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)
    for one, two in zip(found.comparison.entries, cut.comparison.entries, strict=True):
        assert (one.agreement, one.accuracy) == (two.agreement, two.accuracy)
    assert found.certificate.mean_loss == cut.certificate.mean_loss
    assert "The first 20 outputs are shared (the student has" in " ".join(found.notes)
    assert ("learn nothing" in " ".join(found.notes)) == (ours > 20)
    ids, mask = torch.tensor([[3, 4]]), torch.ones(1, 2)
    assert teacher(ids, mask).shape == (1, 2, theirs)  # the networks are as they were
    assert found.student(ids, mask).shape == (1, 2, ours)
    assert not [name for name in vars(teacher) if "limbeck" in name]


def test_the_same_tokenizers_show_what_is_shared() -> None:
    words = {f"w{i}": i for i in range(20)}
    same = (SimpleNamespace(get_vocab=lambda: words),) * 2
    rows = sentences()
    found = limbeck.distill(Reader(24, 24, 9), rows, into=Reader(22, 22, 6), tokenizers=same,
                            objective=SoftTargets(), task="language", **FAST)  # fmt: skip
    assert "The first 22 outputs are shared" in " ".join(found.notes)
    with pytest.raises(InvalidInput, match=r"24 outputs, the student 22.*vocabulary=22"):
        limbeck.distill(Reader(24, 24, 9), rows, into=Reader(24, 22, 6), objective=SoftTargets(),
                        task="language", **FAST)  # fmt: skip
    with pytest.raises(InvalidInput, match=r"vocabulary has 24 tokens.*22.*vocabulary=22"):
        limbeck.distill(Reader(24, 9, 9), rows, into=Reader(22, 4, 6), task="tokens",
                        objective=HiddenStates({"middle": "middle"}), **FAST)  # fmt: skip


@pytest.mark.parametrize(("value", "message"), [(25, "student has 22"), (0, "0"), ("20", "'20'")])
def test_a_vocabulary_that_no_network_has(value, message) -> None:
    with pytest.raises(InvalidInput, match=rf"vocabulary is .*{message}"):
        limbeck.distill(Reader(24, 24, 9), sentences(), into=Reader(22, 22, 6), vocabulary=value,
                        objective=SoftTargets(), task="language", **FAST)  # fmt: skip

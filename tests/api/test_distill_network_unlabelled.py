"""`distill(..., unlabelled=)` into a network: who learns from what, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Callback, GoldLabels, RowWeights, SoftTargets  # noqa: E402

X = torch.randn(400, 4, generator=torch.Generator().manual_seed(0))
W = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
Y = (X @ W).argmax(1)
TEST = (X[200:], Y[200:])
QUICK: dict[str, Any] = {
    "test": TEST, "epochs": 6, "batch_size": 16, "lr": 0.08, "timing": False, "progress": False,
}  # fmt: skip


def teacher() -> Any:
    made = torch.nn.Linear(4, 3)
    made.weight.data, made.bias.data = 5 * W.T.contiguous(), torch.zeros(3)
    return made


def student() -> Any:
    return torch.nn.Linear(4, 3)


def test_the_student_learns_from_all_and_the_control_from_the_labelled_as_long() -> None:
    steps: dict[str, int] = {}

    class Counted(Callback):
        def on_train_end(self, state: Any) -> None:
            steps[state.run] = state.step

    result = limbeck.distill(
        teacher(), (X[:20], Y[:20]), into=student, unlabelled=X[20:200], seeds=2,
        callbacks=[Counted()], **QUICK,
    )  # fmt: skip
    assert set(steps.values()) == {6 * 13}  # 200 rows in batches of 16, the last one of 8
    assert len(steps) == 4
    assert result.settings["rows"] == 200
    assert result.settings["unlabelled"] == 180
    assert any("180 inputs without labels" in note for note in result.notes)
    by_role = {e.role: e for e in result.comparison.entries}
    assert by_role["student"].accuracy.value > by_role["control"].accuracy.value


def test_gold_labels_skip_the_rows_without_one() -> None:
    """A student of gold labels alone is the same whatever the inputs without a label are."""
    with pytest.raises(InvalidInput, match="without a teacher"):
        limbeck.distill(
            None, (X[:20], Y[:20]), into=student, objective=GoldLabels(), unlabelled=X[20:], **QUICK
        )
    told = [
        limbeck.distill(
            teacher(), (X[:20], Y[:20]), into=student, objective=GoldLabels() + 0.0 * SoftTargets(),
            unlabelled=more, control=False, baseline=False, **QUICK,
        ).student.weight
        for more in (X[20:60], -7 * X[20:60])
    ]  # fmt: skip
    assert torch.equal(*told)


def test_numbers_are_taught_without_a_label() -> None:
    model = torch.nn.Linear(4, 1)
    values = model(X).detach()
    result = limbeck.distill(
        model, (X[:20], values[:20]), into=lambda: torch.nn.Linear(4, 1), unlabelled=X[20:200],
        gradient_accumulation_steps=2, **QUICK | {"lr": 0.1} | {"test": (X[200:], values[200:])},
    )  # fmt: skip
    assert result.comparison.entries[1].agreement.value > 0.9


@pytest.mark.parametrize("own", [True, False])
def test_test_rows_among_the_unlabelled_are_refused(own: bool) -> None:
    settings = QUICK if own else {k: v for k, v in QUICK.items() if k != "test"}
    with pytest.raises(InvalidInput, match=r"of the \d+ test rows are among the unlabelled"):
        limbeck.distill(teacher(), (X[:100], Y[:100]), into=student, unlabelled=X[:300], **settings)


@pytest.mark.parametrize(
    ("extra", "said"),
    [({"cases": list(range(200))}, "with cases"), ({"filter": RowWeights([1.0] * 20)}, "RowWei")],
)
def test_what_is_known_of_labelled_rows_only_is_refused(extra: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        limbeck.distill(
            teacher(), (X[:20], Y[:20]), into=student, unlabelled=X[20:200], **QUICK | extra
        )


@pytest.mark.parametrize(("more", "said"), [(X[:0], "holds no inputs"), ("more.npy", "a text")])
def test_nothing_and_text_are_refused_by_name(more: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=f"unlabelled .*{said}"):
        limbeck.distill(teacher(), (X[:20], Y[:20]), into=student, unlabelled=more, **QUICK)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (lambda x, y: x[:, :1], r"shape \(1,\) per row, and the training inputs"),
        (lambda x, y: (x, y), "holds 100 samples with labels"),
        (lambda x, y: x * float("nan"), "not finite"),
    ],
)
def test_inputs_of_another_shape_or_with_labels_are_refused(more: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        limbeck.distill(
            teacher(),
            (X[:20], Y[:20]),
            into=student,
            unlabelled=more(X[20:120], Y[20:120]),
            **QUICK,
        )

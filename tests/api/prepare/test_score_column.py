"""Stored scores in a column, models with several outputs, and what labels and outputs may mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from torch import Tensor, nn

import limbeck
from limbeck.core.errors import InvalidInput

G = torch.Generator().manual_seed(0)
X, W = torch.randn(160, 6, generator=G), torch.randn(6, 3, generator=G)
VALUES = X @ W
Y = VALUES.argmax(1)
FEW: dict[str, Any] = {"epochs": 3, "timing": False, "baseline": False, "batch_size": 16}


class Named(nn.Module):
    def __init__(self, right: bool = False) -> None:
        torch.manual_seed(3)
        super().__init__()
        self.body = nn.Linear(6, 3)
        if right:
            self.body.weight.data = 3 * W.T.clone()
            self.body.bias.data.zero_()

    def forward(self, x: Tensor) -> Any:
        return self.body(x)


SCORES = Named(right=True)(X).detach()


def weights(teacher: Any, data: Any, **given: Any) -> Tensor:
    found = limbeck.distill(teacher, data, into=Named(), **FEW, **given)
    return torch.cat([p.detach().flatten() for p in found.student.parameters()])


def table(**columns: Any) -> Any:
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_dict({k: v.tolist() for k, v in columns.items()})


@pytest.mark.parametrize("make", [dict, table])
def test_a_column_of_scores_teaches_as_the_network_that_gave_them(make: Any) -> None:
    expected = weights(Named(right=True), {"x": X, "label": Y})
    found = weights("scores", make(x=X, label=Y, scores=SCORES))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    found = weights(SCORES, make(x=X, label=Y))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_scores_of_test_and_validation_rows_stand_in_their_columns() -> None:
    def part(rows: slice) -> dict[str, Any]:
        return {"x": X[rows], "label": Y[rows], "scores": SCORES[rows]}

    sides = {"test": part(slice(100, 130)), "validation": part(slice(130, 160))}
    found = weights("scores", part(slice(100)), **sides)
    assert torch.isfinite(found).all()
    del sides["test"]["scores"]
    with pytest.raises(InvalidInput, match="the test rows have no column of that name"):
        weights("scores", part(slice(100)), **sides)


def test_a_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"'score'.*Did you mean 'scores'"):
        weights("score", {"x": X, "label": Y, "scores": SCORES})
    with pytest.raises(InvalidInput, match="its scores as an array"):
        weights("scores", (X, Y))


def test_a_regressor_of_several_numbers_teaches() -> None:
    teacher = Ridge(alpha=1e-6).fit(X.numpy(), VALUES.numpy())
    module = nn.Linear(6, 3)
    module.weight.data = torch.tensor(teacher.coef_, dtype=torch.float32)
    module.bias.data = torch.tensor(teacher.intercept_, dtype=torch.float32)
    given: dict[str, Any] = {"into": lambda: Named(), "task": "regression", "epsilon": 0.2, **FEW}
    one, two = (limbeck.distill(t, (X, VALUES), **given).student for t in (teacher, module))
    np.testing.assert_allclose(*(m.body.weight.detach() for m in (one, two)), atol=1e-4)


@pytest.mark.parametrize(
    "model",
    [RandomForestClassifier(20, random_state=0), MultiOutputClassifier(GaussianNB())],
    ids=["forest", "by output"],
)
def test_a_classifier_of_several_labels_teaches_their_probabilities(model: Any) -> None:
    labels = (VALUES > 0).long()
    model.fit(X.numpy(), labels.numpy())
    found = limbeck.distill(model, (X, labels.float()), into=lambda: Named(), **FEW)
    assert found.settings["task"] == "multilabel"
    assert any("multi-label targets" in note for note in found.notes)
    chances = [p[:, 1] for p in model.predict_proba(X.numpy())]
    own = lambda x: np.column_stack([p[:, 1] for p in model.predict_proba(x.detach())])  # noqa: E731
    same = limbeck.distill(own, (X, labels.float()), into=lambda: Named(), **FEW)
    assert torch.equal(found.student.body.weight, same.student.body.weight)
    assert len(chances) == 3


def test_outputs_of_several_classes_each_are_refused() -> None:
    y = np.column_stack([Y.numpy(), Y.numpy()])
    model = RandomForestClassifier(5, random_state=0).fit(X.numpy(), y)
    with pytest.raises(InvalidInput, match="one output at a time"):
        limbeck.distill(model, (X, Y), into=lambda: Named(), **FEW)


def test_a_column_that_is_like_a_label_is_asked_about_only_where_there_is_none() -> None:
    data = {"x": X, "label": Y, "y": torch.arange(160)}
    found = limbeck.distill(Named(right=True), data, into=Named(), **FEW)
    assert any("No network reads y" in note for note in found.notes)
    assert not any("Is 'y' the label" in note for note in found.notes)


class Loss(Named):
    """Returns a loss beside its outputs."""

    def forward(self, x: Tensor) -> Any:
        scores = self.body(x)
        return {"loss": scores.sum(), self.name: scores}

    name = "scores"


class Usual(Loss):
    name = "logits"


def test_the_only_tensor_that_fits_is_told_where_there_are_others() -> None:
    found = limbeck.distill(Loss(right=True), (X, Y), into=Loss(), **FEW)
    told = [n for n in found.notes if "'scores' is taken for its outputs" in n]
    assert len(told) == 2
    assert "'loss' ()" in told[0]
    usual = limbeck.distill(Usual(right=True), (X, Y), into=Usual(), **FEW)
    assert not any("is taken for its outputs" in n for n in usual.notes)


def test_rows_of_zeros_among_one_hot_rows_are_refused() -> None:
    y = nn.functional.one_hot(Y, 3).float()
    y[::8] = 0
    with pytest.raises(InvalidInput, match="are all 0, and each of the others has a single 1"):
        weights(Named(right=True), (X, y))
    found = limbeck.distill(Named(right=True), (X, y), into=Named(), task="multilabel", **FEW)
    assert found.settings["task"] == "multilabel"
    y[::8] = -1  # what the remedy says
    found = limbeck.distill(Named(right=True), (X, y), into=Named(), **FEW)
    assert found.settings["task"] == "classification"
    y[::8] = 0
    y[1] = 1  # several hold together: labels that may
    found = limbeck.distill(Named(right=True), (X, y), into=Named(), **FEW)
    assert found.settings["task"] == "multilabel"


def test_numbers_that_are_missing_are_told_by_row() -> None:
    y = np.array(VALUES.tolist(), dtype=object)
    y[7] = None
    with pytest.raises(InvalidInput, match=r"holds None or NaN among objects, first in row 7 \(1"):
        weights(Named(right=True), (X, y), task="regression")
    numbers = VALUES.clone()
    numbers[::10, 1] = torch.nan
    with pytest.raises(
        InvalidInput, match=r"labels are missing or infinite .*numbers are predicted"
    ):
        weights(Named(right=True), (X, numbers), task="regression")

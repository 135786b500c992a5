"""Networks of sequences and images into trees: rows in their own shape, named by position."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import limbeck
from limbeck.api.load import read_rows
from limbeck.certificates import verify
from limbeck.core.errors import InvalidInput

torch = pytest.importorskip("torch")
QUICK: dict[str, Any] = {"queries": 300, "max_leaves": 4}


class Last(torch.nn.Module):
    """An LSTM whose answer to sequences (n, t, c) is a sum over the last step."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.lstm = torch.nn.LSTM(2, 8, batch_first=True)
        self.head = torch.nn.Linear(8, 2)

    def forward(self, x: Any) -> Any:
        assert x.shape[1:] == (5, 2)
        return self.head(self.lstm(x)[0][:, -1]) + 9 * torch.stack([-x[:, 3, 1], x[:, 3, 1]], 1)


def sequences(n: int = 250, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 5, 2)).astype(np.float32)


@pytest.mark.parametrize("tensor", [False, True])
def test_an_lstm_into_a_tree(tensor: bool, tmp_path: Any) -> None:
    X = sequences()
    y = (X[:, 3, 1] > 0).astype(int)
    given = (torch.from_numpy(X), torch.from_numpy(y)) if tensor else (X, y)
    result = limbeck.distill(Last(), given, **QUICK)
    student: Any = result.student
    assert "x[3, 1]" in student.text()
    names = student.features_.names
    assert (len(names), names[0], names[-1]) == (10, "x[0, 0]", "x[4, 1]")
    assert result.comparison.entries[1].agreement.value > 0.9
    assert [e.role for e in result.comparison.entries][2] == "control"
    fresh = sequences(50, 1)
    np.testing.assert_array_equal(student.predict(fresh), student.predict(fresh.reshape(50, -1)))
    folder = result.save(tmp_path / "run")
    again: Any = limbeck.load(folder / "student.json")
    assert again.features_.shape == (5, 2)
    np.testing.assert_array_equal(again.predict(fresh), student.predict(fresh))
    assert again.fingerprint() == student.fingerprint()
    with pytest.raises(InvalidInput, match=r"shape \(2, 5\) each, and \(5, 2\)"):
        again.predict(fresh.transpose(0, 2, 1))
    rows = read_rows(next(folder.glob("holdout.*")))
    assert verify(folder / "certificate.json", again, rows, rows["teacher_label"]).ok


def test_a_network_of_images_into_trees_and_tables() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(18, 3)
    )
    X = np.random.default_rng(0).normal(size=(150, 1, 5, 5)).astype(np.float32)
    own = np.random.default_rng(1).normal(size=(60, 1, 5, 5)).astype(np.float32)
    for into in ("tree", "junta"):
        settings = QUICK if into == "tree" else {"k": 2, "max_queries": 2000}
        result = limbeck.distill(net, X, into=into, holdout=(own, None), **settings)
        assert result.student.features_.names[7] == "x[0, 1, 2]"
        with torch.no_grad():
            told = net(torch.from_numpy(own)).argmax(1).numpy()
        np.testing.assert_array_equal(result.holdout.answers, told)


def test_functions_get_rows_in_their_own_shape_and_names_may_be_given() -> None:
    def energy(X: Any) -> Any:
        assert X.shape[1:] == (3, 2)
        return X[:, 1].sum(axis=1) * 5

    X = np.random.default_rng(0).normal(size=(300, 3, 2))
    names = [f"{c}{t}" for t in range(3) for c in "ab"]
    result = limbeck.distill(energy, X, names=names, **QUICK)
    assert result.student.features_.names == tuple(names)
    assert "a1" in result.student.text()

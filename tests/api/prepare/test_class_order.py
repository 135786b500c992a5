"""Networks into networks: labels as names, and teachers whose outputs stand in another order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from tests.api.test_distill_network import Truth, rows, small

QUICK: dict[str, Any] = {"max_steps": 5, "batch_size": 32, "baseline": False, "timing": False}
NAMES = np.array(["red", "blue", "green"])  # in the order of the outputs, not of the alphabet
X, Y = rows(200, 0)
TEST_X, TEST_Y = rows(60, 1)


def distilled(data: Any, test: Any = None, teacher: Any = None, **more: Any) -> Any:
    torch.manual_seed(3)
    given = {"into": small(), "test": test} | QUICK | more
    return limbeck.distill(Truth() if teacher is None else teacher, data, **given)


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def classes(result: Any) -> tuple[Any, ...]:
    """Those of the certificate, which the table names too."""
    found: tuple[Any, ...] = result.artifacts.certified.task_.classes
    assert set(result.facts["student"].by_class) == set(map(str, found))
    return found


class Turned(Truth):
    """A teacher whose output k stands for the class ``order[k]``."""

    def __init__(self, order: list[int]) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, self.order]


class Coin(nn.Module):
    """A teacher whose answers have nothing to do with any label."""

    def __init__(self, seed: int, k: int) -> None:
        super().__init__()
        self.seed, self.k = seed, k

    def forward(self, x: Tensor) -> Tensor:
        mixed = (x.double() * 1e6 + self.seed).sin().mul(1e4).frac().sum(1)
        return torch.stack([(mixed * (j + 7) * 1e3).frac() for j in range(self.k)], 1).float()


class One(nn.Module):
    """A single logit: the first half of the inputs against the second."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = nn.Parameter(torch.tensor(sign))

    def forward(self, x: Tensor) -> Tensor:
        return self.sign * 5 * (x[:, :3].sum(1) - x[:, 3:].sum(1))[:, None]


def one_y(x: Tensor) -> Tensor:
    return (x[:, :3].sum(1) > x[:, 3:].sum(1)).long()


@pytest.fixture(scope="module")
def plain() -> Any:
    """What comes of labels that are codes."""
    return distilled((X, Y), (TEST_X, TEST_Y), validation=rows(40, 2))


@pytest.mark.parametrize(
    ("named", "inputs"),
    [
        (lambda y: NAMES[y], torch.as_tensor),
        (lambda y: NAMES[y].astype(object), np.asarray),
        (lambda y: NAMES[y].tolist(), torch.as_tensor),
        (lambda y: NAMES[y].tolist(), np.asarray),
        (lambda y: pd.Series(NAMES[y]), np.asarray),
        (lambda y: pd.Series(pd.Categorical(NAMES[y], list(NAMES))), torch.as_tensor),
    ],
)
def test_named_labels_learn_as_their_codes_do(named: Any, inputs: Any, plain: Any) -> None:
    x, y = rows(40, 2)
    found = distilled(
        (inputs(X), named(Y)), (inputs(TEST_X), named(TEST_Y)), validation=(inputs(x), named(y)),
        classes=list(NAMES),
    )  # fmt: skip
    torch.testing.assert_close(weights(found.student), weights(plain.student))
    assert classes(found) == tuple(NAMES)
    assert [e.accuracy.value for e in found.comparison.entries] == [
        e.accuracy.value for e in plain.comparison.entries
    ]
    assert found.comparison.entries[0].accuracy.value == 1.0


def test_labels_beside_the_data_and_a_share_set_aside() -> None:
    plain = distilled((X, Y))
    for data in (X, TensorDataset(X)):
        found = distilled(data, y=NAMES[Y], classes=list(NAMES))
        torch.testing.assert_close(weights(found.student), weights(plain.student))
    items = {"x": X, "label": NAMES[Y]}
    found = distilled(items, classes=list(NAMES), into=Truth())
    assert found.comparison.entries[0].accuracy.value == 1.0


def test_the_order_of_the_alphabet_is_a_guess_and_said() -> None:
    alphabet = np.array(["a", "b", "c"])
    found = distilled((X, alphabet[Y]), (TEST_X, alphabet[TEST_Y]))
    assert classes(found) == ("a", "b", "c")
    assert any("'a', 'b', 'c'" in n and "classes=[...]" in n for n in found.notes)
    categories = pd.Series(pd.Categorical(NAMES[Y], list(NAMES)))
    assert classes(distilled((X, categories))) == tuple(NAMES)


def test_labels_that_are_missing_or_unknown() -> None:
    given = NAMES[Y].astype(object)
    given[::4] = None
    given[1::4] = np.nan
    marked = torch.where(torch.arange(200) % 4 < 2, -100, Y)
    found = distilled((X, given), (TEST_X, NAMES[TEST_Y]), classes=list(NAMES))
    plain = distilled((X, marked), (TEST_X, TEST_Y))
    torch.testing.assert_close(weights(found.student), weights(plain.student))
    assert any("100 of 200 rows have no label" in n for n in found.notes)
    with_nan = distilled((X, torch.where(marked < 0, torch.nan, marked.float())), (TEST_X, TEST_Y))
    torch.testing.assert_close(weights(with_nan.student), weights(plain.student))
    numbers = marked.numpy().astype(object)
    numbers[marked.numpy() < 0] = None
    some = distilled((X, numbers), (TEST_X, TEST_Y))
    torch.testing.assert_close(weights(some.student), weights(plain.student))
    other = NAMES[TEST_Y].astype(object)
    other[3] = "gren"
    for side in ("test", "validation"):
        with pytest.raises(InvalidInput, match=rf"'gren' in the {side} labels.*[\s\S]*green"):
            distilled((X, NAMES[Y]), **{side: (TEST_X, other)}, classes=list(NAMES))
    with pytest.raises(InvalidInput, match="'green' in the test labels"):
        distilled((X, Y), (TEST_X, NAMES[TEST_Y]))
    with pytest.raises(InvalidInput, match="'green' in the training labels"):
        distilled((X, NAMES[Y]), classes=["red", "blue"])


def test_booleans_are_classes() -> None:
    two = TensorDataset(X)
    found = distilled(two, y=one_y(X).numpy().astype(bool), teacher=_pair(), into=nn.Linear(6, 2))
    plain = distilled((X, one_y(X)), teacher=_pair(), into=found.student)
    assert classes(found) == (False, True)
    assert classes(plain) == (0, 1)
    single = distilled((X, one_y(X) > 0), teacher=One(1.0), into=nn.Linear(6, 1))
    assert single.comparison.entries[0].accuracy.value == 1.0


def _pair() -> nn.Module:
    body = nn.Linear(6, 2, bias=False)
    with torch.no_grad():
        body.weight[1] = torch.tensor([5.0] * 3 + [-5.0] * 3)
        body.weight[0] = -body.weight[1]
    return body


def test_estimators_are_asked_by_name_and_told_so() -> None:
    forest = RandomForestClassifier(20, random_state=0).fit(X.numpy(), NAMES[Y])
    found = distilled((X, NAMES[Y]), (TEST_X, NAMES[TEST_Y]), teacher=forest)
    assert classes(found) == ("blue", "green", "red")
    assert found.comparison.entries[0].accuracy.value > 0.5
    wrong = np.roll(NAMES, 1)[Y]
    with pytest.raises(InvalidInput, match="Relabel y"):
        distilled((X, wrong), teacher=forest)
    coded = RandomForestClassifier(20, random_state=0).fit(X.numpy(), Y.numpy())
    with pytest.raises(InvalidInput, match="output 0 stands for label 1"):
        distilled((X, (Y + 1) % 3), teacher=coded)


def test_scores_and_missing_labels_without_any_name() -> None:
    scores = Truth().eval()(X).detach().numpy()
    found = distilled((X, NAMES[Y]), teacher=scores, classes=list(NAMES))
    assert found.comparison.entries[0].accuracy.value == 1.0
    for y in (np.array([None] * 200), np.full(200, np.nan)):
        assert any("no control" in n for n in distilled((X, y), (TEST_X, TEST_Y)).notes)


def test_names_that_a_configuration_tells() -> None:
    teacher = Truth()
    teacher.config = SimpleNamespace(id2label=dict(enumerate(NAMES.tolist())))  # type: ignore[assignment]
    found = distilled((X, NAMES[Y]), teacher=teacher)
    assert classes(found) == tuple(NAMES)
    assert not any("sorted" in n for n in found.notes)


def test_names_are_refused_where_numbers_are_predicted() -> None:
    with pytest.raises(InvalidInput, match=r"'blue'.*regression"):
        distilled((X, NAMES[Y]), teacher=One(1.0), into=nn.Linear(6, 1))


def test_a_guessed_order_that_the_teacher_contradicts() -> None:
    for teacher in (Truth(), lambda x: Truth().eval()(x).detach()):
        with pytest.raises(InvalidInput, match="guess") as caught:
            distilled((X, NAMES[Y]), teacher=teacher)
        assert "classes=['red', 'blue', 'green']" in str(caught.value)
    with pytest.raises(InvalidInput, match=r"classes=\['yes', 'no'\]"):
        distilled((X, np.array(["yes", "no"])[one_y(X)]), teacher=One(1.0), into=nn.Linear(6, 1))
    with pytest.raises(InvalidInput, match=r"classes=\['red', 'blue', 'green'\]"):
        distilled((X, NAMES[Y]), classes=["blue", "red", "green"])


@pytest.mark.parametrize("order", [[1, 0, 2], [1, 2, 0]])
@pytest.mark.parametrize("wrapped", [False, True])
def test_whole_numbers_that_the_teacher_contradicts(order: list[int], wrapped: bool) -> None:
    module = Turned(order).eval()
    teacher: Any = (lambda x: module(x).detach()) if wrapped else module
    with pytest.raises(InvalidInput, match=f"output 0 stands for label {order[0]}") as caught:
        distilled((X, Y), teacher=teacher)
    inverse = np.argsort(order)
    remedy = str(caught.value)
    assert f"np.array({inverse.tolist()})[y]" in remedy
    assert f"[:, {inverse.tolist()}]" in remedy
    distilled((X, torch.as_tensor(inverse)[Y]), teacher=teacher)  # what the remedy says
    right = (lambda x: module(x).detach()[:, inverse.tolist()]) if wrapped else None
    distilled((X, Y), teacher=right)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_single_logit_of_the_other_class(wrapped: bool) -> None:
    module = One(-1.0)
    teacher: Any = (lambda x: module(x).detach().sigmoid()) if wrapped else module
    with pytest.raises(InvalidInput, match="1 - y"):
        distilled((X, one_y(X)), teacher=teacher, into=nn.Linear(6, 1))
    distilled((X, 1 - one_y(X)), teacher=teacher, into=nn.Linear(6, 1))


def test_few_labelled_rows_among_many_are_found() -> None:
    x, y = rows(4000, 5)
    y[torch.arange(4000) % 80 > 0] = -100
    with pytest.raises(InvalidInput, match="50 training rows"):
        distilled((x, y), (TEST_X, TEST_Y), teacher=Turned([1, 2, 0]))


def test_teachers_at_chance_are_not_stopped() -> None:
    from limbeck.api.prepare.class_order import check_class_order
    from limbeck.networks.datasets.data import Samples

    stopped = 0
    for seed in range(100):
        k = 2 + seed % 4
        rng = np.random.default_rng(seed)
        y = torch.as_tensor(rng.integers(k, size=300))
        task = Task.of("classification", k)
        x = torch.as_tensor(rng.normal(size=(300, 6)))
        samples = Samples.of((x, y)).aimed(task)
        try:
            check_class_order(samples, Coin(seed, k), task, None, 128)
        except InvalidInput:
            stopped += 1
    assert stopped <= 2

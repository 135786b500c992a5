"""Networks that were trained too short are told, and well-trained ones are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor, nn

import limbeck
from limbeck.core.measured import Measured
from limbeck.core.status import StatusCode
from limbeck.evaluation.comparison import Comparison, Difference, ModelResult
from limbeck.evaluation.convergence import falling, too_short
from limbeck.networks import BornAgain, GoldLabels, LinearSchedule, SoftTargets, balanced
from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Trained

SOFT = Objective.of(SoftTargets())


@pytest.fixture(scope="module", autouse=True)
def brief_linear_models() -> None:
    """No: who is behind the linear model is asked here."""


def cosine(epochs: int) -> NDArray[np.float64]:
    return 0.5 * (1 + np.cos(np.pi * np.arange(1, epochs + 1) / epochs))


def trained(losses: Any, rates: Any = None, validation: Any = None, start: float = 2.3) -> Trained:
    """A training with these losses."""
    n = len(losses)
    rates = np.ones(n) if rates is None else rates
    checked = [None] * n if validation is None else validation
    history = tuple(
        {"epoch": i, "loss": float(x), "lr": float(r), "score": None, "validation_loss": v}
        for i, (x, r, v) in enumerate(zip(losses, rates, checked, strict=True))
    )
    began = {"loss": start} | ({} if validation is None else {"validation_loss": start})
    return Trained(nn.Linear(1, 1), nn.ModuleDict(), history, n - 1, n, 0.0, began)


def learned(rates: Any, pace: float, noise: float = 0.0, seed: int = 0) -> NDArray[np.float64]:
    """A loss that falls from 2.3 towards 0.3 as the learning rates add up, with noise."""
    done = np.cumsum(rates)
    clean = 0.3 + 2.0 * np.exp(-pace * done)
    return np.asarray(clean + noise * np.random.default_rng(seed).normal(size=len(done)))


def test_a_steady_fall_is_told_by_epoch() -> None:
    found = falling(trained(2.3 - 0.05 * np.arange(1, 21)))
    assert found is not None
    assert found.per_epoch == pytest.approx(0.05)
    assert found.share == pytest.approx(10 * 0.05 / 1.0)
    assert falling(trained(2.3 - 0.05 * np.arange(1, 401) / 20)) is not None  # in blocks of epochs


def test_a_loss_that_is_flat_since_the_learning_rate_went_to_zero_is_told() -> None:
    rates = cosine(40)
    losses = learned(rates, pace=0.02)
    assert losses[-8] - losses[-1] < 0.02  # flat at the end, and far from 0.3
    assert losses[-1] > 1.3
    found = falling(trained(losses, rates))
    assert found is not None
    assert found.per_epoch == pytest.approx((losses[9] - losses[19]) / 10, rel=0.1)
    assert falling(trained(learned(rates, pace=1.0), rates)) is None


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("schedule", [cosine, np.ones])
def test_losses_that_have_settled_are_not_told(
    noise: float, schedule: Callable[[int], NDArray[np.float64]]
) -> None:
    told = 0
    for seed in range(100):
        rates = schedule(10 + 3 * (seed % 50))
        told += falling(trained(learned(rates, 0.9, noise, seed), rates)) is not None
    assert told <= 5  # 5%


def test_training_on_and_on_to_nothing_is_not_told() -> None:
    """A loss that falls as a power of the epochs always falls, and by nothing that matters."""
    epochs = np.arange(1, 41)
    assert falling(trained(0.3 * epochs**-1.0)) is None
    assert falling(trained(2.3 * epochs**-0.3)) is not None  # a ninth of all in the last half


def test_the_validation_loss_goes_before_the_training_loss() -> None:
    down, up = 2.0 - 0.05 * np.arange(20), list(0.5 + 0.01 * np.arange(20))
    assert falling(trained(down)) is not None
    assert falling(trained(down, validation=up)) is None
    assert falling(trained(np.full(20, 0.1), validation=list(down))) is not None
    worse = list(9.0 - 0.1 * np.arange(20))  # above that of a constant answer, and falling
    found = falling(trained(down, validation=worse))
    assert found is not None
    assert found.share == 1.0


def test_what_cannot_be_told_is_not_told() -> None:
    assert falling(trained([2.0, 1.5, 1.0])) is None  # three epochs
    assert falling(trained([2.0, 1.5, 1.0, 0.7])) is not None
    down = 2.0 - 0.05 * np.arange(20)
    assert falling(trained(down), comparable=False) is None
    assert falling(trained(down, validation=list(down)), comparable=False) is not None


def compared(student: float = 0.9, control: float = 0.9, *behind: str) -> Comparison:
    values = {"student": student, "control": control, "baseline": 0.95}
    entries = tuple(
        ModelResult(role, "", "", Measured(0, 0, 0), Measured(v, v, v))
        for role, v in values.items()
    )
    gaps = tuple(Difference(role, -0.3, -0.35, -0.25) for role in behind)
    return Comparison(entries, (), 0.95, behind=gaps)


def told(comparison: Comparison, objective: Any = SOFT, epochs: int = 20, **runs: Any) -> Any:
    return too_short(runs, comparison, Objective.of(objective), Training(epochs), 1280)


def test_half_of_the_seeds_decide_and_the_mean_is_told() -> None:
    short, good = trained(2.3 - 0.05 * np.arange(1, 21)), trained(np.full(20, 0.3))
    status = told(compared(), student=[short, good], control=[good, good])
    assert status.code is StatusCode.LIMIT
    assert "the loss still falls by 0.05 (student) per epoch" in status.message
    assert status.remedy == "Try epochs=300."  # 3,000 updates of 10 an epoch
    assert told(compared(), student=[good, short, good], control=[good] * 3) is None
    both = told(compared(), epochs=200, student=[short], control=[short])
    assert "0.05 (student) and 0.05 (control) per epoch" in both.message
    assert both.remedy == "Try epochs=600."
    assert "(generation 1)" in told(compared(), student=[good], **{"generation 1": [short]}).message


def test_losses_under_a_schedule_are_not_compared_but_those_of_the_control_are() -> None:
    short, good = trained(2.3 - 0.05 * np.arange(1, 21)), trained(np.full(20, 0.3))
    for objective in (
        LinearSchedule(1, 0) * SoftTargets() + GoldLabels(),
        balanced(SoftTargets() + GoldLabels()),
        SoftTargets(temperature=LinearSchedule(4, 1)),
    ):
        assert told(compared(), objective, student=[short], control=[good]) is None
        assert told(compared(), objective, student=[good], control=[short]) is not None


def test_networks_behind_the_linear_model_are_told_with_flat_losses() -> None:
    good = [trained(np.full(20, 0.3))]
    status = told(compared(0.6, 0.9, "student"), student=good, control=good)
    assert "Trained too short: the student is behind the linear model (0.600 against 0.950" in str(
        status
    )
    assert "difference -0.350 to -0.250" in status.message
    long = told(compared(0.9, 0.6, "control"), epochs=400, student=good, control=good)
    assert long.message.startswith("Not trained well: the control is behind the linear model")
    assert long.remedy.startswith("Try another lr, epochs=")


def digits() -> tuple[Tensor, Tensor]:
    X, y = load_digits(return_X_y=True)
    return torch.tensor(X, dtype=torch.float32) / 16, torch.tensor(y)


def mlp(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


@pytest.fixture(scope="module")
def teacher() -> nn.Module:
    torch.manual_seed(0)
    net, (X, y) = mlp(64), digits()
    steps = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(80):
        steps.zero_grad()
        nn.functional.cross_entropy(net(X[::2]), y[::2]).backward()
        steps.step()
    return net


def distilled(teacher: nn.Module | None, every: int = 1, **given: Any) -> Any:
    settings = {"into": lambda: mlp(16), "timing": False, **given}
    return limbeck.distill(teacher, tuple(part[::every] for part in digits()), **settings)


def test_twenty_epochs_of_few_rows_are_too_short_and_no_verdict_is_given(
    teacher: nn.Module, tmp_path: Path
) -> None:
    found = distilled(teacher, epochs=20, out=tmp_path)
    assert found.status.code is StatusCode.LIMIT
    assert found.comparison.verdict == "trained too short"
    assert found.verdict.startswith("Trained too short: the loss still falls by ")
    assert "epochs=334" in found.verdict  # 3,000 updates of 9 an epoch
    assert {d.what for d in found.comparison.behind} == {"student", "control"}
    page = (tmp_path / "report.html").read_text("utf-8")
    kept = json.loads((tmp_path / "result.json").read_text())
    assert kept["status"]["code"] == "limit"
    assert kept["comparison"]["untrained"] == found.status.message
    for text in (str(found), page, kept["verdict"], found.verdict, found._repr_html_()):
        plain = " ".join(text.split())
        assert "Trained too short" in plain
        assert "No verdict on distilling." in plain
        for headline in ("Distilling helped", "Distilling hurt", "No evidence", ">helped<"):
            assert headline not in plain
    lines = str(found).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("training"))
    assert "Trained too short" in lines[first]
    again = distilled(teacher, epochs=20, out=tmp_path)  # finished: told the same
    assert again.status == found.status


def test_peers_generations_and_seeds_are_told(teacher: nn.Module) -> None:
    peers = distilled(None, 2, into=[lambda: mlp(16)] * 2, epochs=12, baseline=False,
                      objective=SoftTargets() + GoldLabels())  # fmt: skip
    assert "(student)" in str(peers.status)
    assert "(peer 1)" in str(peers.status)
    born = distilled(teacher, 2, mode=BornAgain(2), epochs=8, seeds=2, baseline=False)
    assert "(generation 1)" in str(born.status)
    assert "(student)" in str(born.status)


def test_numbers_are_told() -> None:
    x = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    y = 10 + x.sum(1, keepdim=True)
    torch.manual_seed(0)
    teacher = nn.Linear(5, 1)
    with torch.no_grad():
        teacher.weight.fill_(1.0)
        teacher.bias.fill_(10.0)

    def run(**given: Any) -> Any:
        net = lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))  # noqa: E731
        return limbeck.distill(teacher, (x, y), into=net, timing=False, **given)

    short = run(epochs=10)
    assert short.status.code is StatusCode.LIMIT
    assert [d.what for d in short.comparison.behind] == ["student", "control"]
    assert run(epochs=60, batch_size=32, lr=0.05).status.code is not StatusCode.LIMIT


class Tagger(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(50, width), nn.Linear(width, 4)

    def forward(self, input_ids: Tensor) -> Tensor:
        found: Tensor = self.out(self.words(input_ids))
        return found


def test_labels_of_tokens_are_told_by_the_loss_alone() -> None:
    ids = torch.randint(0, 50, (366, 6), generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    data = {"input_ids": ids, "labels": ids % 4}
    with_teacher: dict[str, Any] = {"into": lambda: Tagger(8), "task": "tokens", "timing": False}
    short = limbeck.distill(Tagger(32), data, epochs=20, **with_teacher)
    assert short.comparison.behind == ()
    assert "the loss still falls" in str(short.status)
    good = limbeck.distill(Tagger(32), data, epochs=40, lr=0.05, **with_teacher)
    assert good.status.code is not StatusCode.LIMIT


@pytest.mark.slow
def test_well_trained_runs_are_not_told(teacher: nn.Module) -> None:
    """Digits, 30 seeds of 540 updates at a high learning rate: at most 5% are told too short."""
    short = 0
    for seed in range(30):
        found = distilled(teacher, epochs=60, lr=0.01, seed=seed)
        by_role = {e.role: e.accuracy.value for e in found.comparison.entries}
        assert min(by_role["student"], by_role["control"]) > 0.9
        short += found.status.code is StatusCode.LIMIT
    assert short <= 1


def test_what_limits_the_training_is_what_is_advised() -> None:
    short = trained(2.3 - 0.05 * np.arange(1, 21))

    def remedy(**settings: Any) -> str:
        runs = {"student": [short], "control": [short]}
        found = too_short(runs, compared(), Objective.of(SOFT), Training(**settings), 1280)
        assert found is not None
        return found.remedy

    assert remedy(epochs=20, max_steps=10) == "Try max_steps=3000 with epochs=300."
    assert remedy(epochs=2, max_steps=3000) == "Try epochs=300."
    assert remedy(epochs=500, max_steps=100) == "Try max_steps=3000."
    assert remedy(epochs=300, max_steps=100) == "Try max_steps=3000."
    assert remedy(epochs=500, max_steps=4000) == "Try max_steps=12000 with epochs=1200."


def test_the_share_is_of_all_that_was_gained() -> None:
    found = falling(trained(2.5 - 0.1 * np.arange(1, 21), start=2.5))
    assert found is not None
    assert found.share == pytest.approx(10 * 0.1 / 2.0)


def test_networks_with_enough_updates_are_not_called_short() -> None:
    good = [trained(np.full(20, 0.3))]
    for epochs, begins in ((299, "Trained too short"), (300, "Not trained well")):
        status = told(compared(0.9, 0.6, "control"), epochs=epochs, student=good, control=good)
        assert status.message.startswith(begins)


@pytest.mark.parametrize(("last", "lowered"), [(0.4, True), (0.5, False)])
def test_a_rate_that_came_down_is_named(last: float, lowered: bool) -> None:
    short = trained(2.3 - 0.05 * np.arange(1, 21), rates=[1.0] * 19 + [last])
    status = told(compared(), student=[short], control=[short])
    assert ("before the learning rate comes down" in status.message) is lowered

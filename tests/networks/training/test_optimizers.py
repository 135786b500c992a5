"""Every optimizer and scheduler of torch, a moving average, and their exact resumption."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("accelerate")
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.networks import GoldLabels, HiddenStates, SoftTargets, Training
from limbeck.networks.datasets.data import Samples
from limbeck.networks.training import trainer as session
from limbeck.networks.training.optimizers import made, named
from limbeck.networks.training.train import Trained, train

TASK = Task.of("classification", 3)
X = torch.randn(70, 5, generator=torch.Generator().manual_seed(0))
Y = torch.randint(0, 3, (70,), generator=torch.Generator().manual_seed(1))
DATA = Samples.of((X, Y))


def net() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3))


def weights(module: nn.Module) -> Tensor:
    return torch.cat([t.detach().flatten().double() for t in module.state_dict().values()])


def trained(folder: Path | None = None, data: Samples = DATA, **settings: Any) -> Trained:
    given = {"epochs": 3, "batch_size": 16, "schedule": "constant"} | settings
    return train(net(), data, GoldLabels(), TASK, training=Training(**given), folder=folder)


def batches(epochs: int, data: Samples = DATA, size: int = 16) -> Any:
    """Those of the loop: the same order; a last batch of one row is left out."""
    for epoch in range(epochs):
        for rows in torch.split(data.order(epoch, 0), size):
            if len(rows) > 1:
                yield epoch, X[rows], Y[rows]


def by_hand(
    make: Callable[[Any], torch.optim.Optimizer], epochs: int = 3, after: Any = None
) -> nn.Module:
    module = net().train()
    optimizer = make(module)
    for _, x, y in batches(epochs):

        def closure(x: Tensor = x, y: Tensor = y) -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(module(x), y)
            loss.backward()
            return loss

        optimizer.step(closure)
        if after is not None:
            after(module)
    return module.eval()


@pytest.mark.parametrize("name", sorted(set(named()) - {"sparseadam", "muon"}))
def test_every_optimizer_by_name_is_torchs(name: str) -> None:
    kind = named()[name]
    own = {"weight_decay": 0.01} if name in ("adamw", "sgd") else {}
    own |= {"momentum": 0.9} if name == "sgd" else {}
    epochs = 1 if name == "lbfgs" else 2  # 20 steps each
    hand = by_hand(lambda m: kind(m.parameters(), **own), epochs)
    found = trained(optimizer=name.upper(), epochs=epochs)
    assert torch.equal(weights(found.module), weights(hand))


def test_settings_of_named_optimizers_are_passed_on_or_refused() -> None:
    hand = by_hand(lambda m: torch.optim.RMSprop(m.parameters(), lr=0.003, momentum=0.5))
    found = trained(optimizer="rmsprop", lr=0.003, momentum=0.5)
    assert torch.equal(weights(found.module), weights(hand))
    with pytest.raises(InvalidInput, match=r"momentum is 0\.5, and AdamW has none"):
        Training(momentum=0.5)
    with pytest.raises(InvalidInput, match="Did you mean 'adamw'"):
        Training(optimizer="adamww")
    with pytest.raises(InvalidInput, match="copies"):
        Training(optimizer=torch.optim.Adam(net().parameters()))  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="Muon"):
        trained(optimizer="muon")  # torch's is for matrices alone
    with pytest.raises(InvalidInput, match="needs sparse gradients"):
        trained(optimizer="sparseadam")


def test_functions_of_weights_of_names_and_of_the_student() -> None:
    def decayed(named_parameters: Any) -> torch.optim.Optimizer:
        pairs = list(named_parameters)
        return torch.optim.AdamW([
            {"params": [p for n, p in pairs if n.endswith("bias")], "weight_decay": 0.0},
            {"params": [p for n, p in pairs if not n.endswith("bias")], "lr": 0.02},
        ])  # fmt: skip

    def of_student(model: nn.Module) -> torch.optim.Optimizer:
        return decayed(model.named_parameters())

    hand = by_hand(lambda m: decayed(m.named_parameters()))
    for make in (decayed, of_student):
        assert torch.equal(weights(trained(optimizer=make).module), weights(hand))
    hand = by_hand(lambda m: torch.optim.Adam(m.parameters()))
    for make in (torch.optim.Adam, partial(torch.optim.Adam, lr=1e-3)):
        assert torch.equal(weights(trained(optimizer=make).module), weights(hand))
    with pytest.raises(InvalidInput, match="made a list"):
        trained(optimizer=lambda parameters: parameters)
    with pytest.raises(InvalidInput, match="no weight of the student"):
        trained(optimizer=lambda parameters: torch.optim.SGD(net().parameters()))
    with pytest.raises(InvalidInput, match="raised TypeError"):
        trained(optimizer=lambda: None)


def test_learned_maps_are_trained_whatever_makes_the_optimizer() -> None:
    teacher = nn.Sequential(nn.Linear(5, 9), nn.Tanh(), nn.Linear(9, 3))
    term = HiddenStates({"1": "2"}) + GoldLabels()
    found = []
    for make in (
        lambda parameters: torch.optim.SGD(parameters, lr=0.1),
        lambda model: torch.optim.SGD(model.parameters(), lr=0.1),
        lambda named_parameters: torch.optim.SGD(named_parameters, lr=0.1),
    ):
        settings = Training(epochs=2, batch_size=16, optimizer=make)
        result = train(net(), DATA, term, TASK, training=settings, teacher=teacher)
        found.append(torch.cat([p.detach().flatten() for p in result.maps.parameters()]))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def epochwise(make: Any, epochs: int = 4) -> nn.Module:
    module = net().train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    scheduler = make(optimizer)
    for epoch in range(epochs):
        for _, x, y in (b for b in batches(epochs) if b[0] == epoch):
            optimizer.zero_grad()
            F.cross_entropy(module(x), y).backward()
            optimizer.step()
        scheduler.step()
    return module.eval()


@pytest.mark.parametrize(
    "make",
    [
        partial(lr_scheduler.StepLR, step_size=1, gamma=0.5),
        partial(lr_scheduler.MultiStepLR, milestones=[1, 3]),
        partial(lr_scheduler.CosineAnnealingLR, T_max=4),
        lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch)),
        lambda optimizer: lr_scheduler.SequentialLR(
            optimizer,
            [lr_scheduler.LinearLR(optimizer, total_iters=2), lr_scheduler.ExponentialLR(
                optimizer, 0.9)], milestones=[2],
        ),
    ],
)  # fmt: skip
def test_schedulers_of_torch_step_after_epochs_as_by_hand(make: Any, tmp_path: Path) -> None:
    settings = {"optimizer": "sgd", "lr": 0.1, "epochs": 4, "schedule": make}
    hand = weights(epochwise(make))
    assert torch.equal(weights(trained(**settings).module), hand)
    assert torch.equal(weights(resumed(tmp_path, 9, **settings).module), hand)


def test_schedulers_by_update_and_what_they_are_told() -> None:
    rates: list[float] = []

    def one_cycle(optimizer: torch.optim.Optimizer, total_steps: int) -> Any:
        assert total_steps == 15
        return lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=total_steps)

    for make in (one_cycle, partial(lr_scheduler.OneCycleLR, max_lr=0.1)):
        more = {"schedule_interval": "step"} if make is one_cycle else {}
        found = trained(schedule=make, optimizer="sgd", **more)
        rates.append(found.history[-1]["lr"])
    assert rates[0] == rates[1] < 1e-3
    cosine = trained(schedule=lr_scheduler.CosineAnnealingLR, schedule_interval="step", lr=0.1)
    whole = trained(schedule="cosine", lr=0.1)
    torch.testing.assert_close(weights(cosine.module), weights(whole.module), rtol=1e-4, atol=1e-5)


def test_a_plateau_reads_the_validation() -> None:
    plateau = partial(lr_scheduler.ReduceLROnPlateau, patience=0, factor=0.1, threshold=1e9,
                      threshold_mode="abs")  # fmt: skip
    found = trained(schedule=plateau, epochs=4)
    assert found.history[-1]["lr"] < 1e-4
    with pytest.raises(InvalidInput, match="mode='max'"):
        trained(schedule=partial(plateau, mode="max"))
    settings = Training(epochs=4, batch_size=16, schedule=partial(plateau, mode="max"))
    scored = train(net(), DATA, GoldLabels(), TASK, training=settings, validation=DATA)
    assert scored.history[-1]["lr"] < 1e-4


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"schedule": lr_scheduler.StepLR, "warmup_ratio": 0.1}, "warmup_ratio is 0.1"),
        ({"schedule_interval": "step"}, "schedule_interval is 'step', and schedule is"),
        ({"schedule_interval": "batch", "schedule": lr_scheduler.StepLR}, "Choose one of epoch"),
        ({"ema": 1.0}, "ema is 1.0"),
        ({"num_workers": -1}, "num_workers is -1"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"lr": "fast"}, "lr is 'fast'"),
    ],
)
def test_settings_that_clash_are_refused(settings: Any, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Training(**settings)


def test_a_scheduler_that_lacks_arguments_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"schedule=StepLR raised TypeError.*step_size"):
        trained(schedule=lr_scheduler.StepLR)
    with pytest.raises(InvalidInput, match="made a float"):
        trained(schedule=lambda optimizer: 0.5)


def test_an_average_is_torchs_and_is_what_is_returned() -> None:
    average: list[Any] = []

    def after(module: nn.Module) -> None:
        average[0].update_parameters(module)

    hand = net().train()
    update = get_ema_multi_avg_fn(0.9)
    average.append(AveragedModel(hand, multi_avg_fn=update, use_buffers=True))
    by_hand(lambda m: torch.optim.SGD(m.parameters(), lr=0.1), after=after)
    found = trained(optimizer="sgd", lr=0.1, momentum=0.0, weight_decay=0.0, ema=0.9)
    assert torch.equal(weights(found.module), weights(average[0].module))
    assert not isinstance(found.module, AveragedModel)
    best = train(
        net(), DATA, GoldLabels(), TASK, validation=DATA,
        training=Training(epochs=3, batch_size=16, ema=0.99),
    )  # fmt: skip
    with torch.no_grad():
        right = (best.module(X).argmax(1) == Y).float().mean().item()
    assert right == pytest.approx(best.history[best.best_epoch]["score"])


def test_updates_may_be_limited() -> None:
    found = trained(epochs=None, max_steps=7)  # 5 updates an epoch
    assert found.steps == 7
    assert [row["step"] for row in found.history] == [5, 7]
    module = net().train()
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=0.01)
    for i, (_, x, y) in enumerate(batches(2)):
        if i < 7:
            optimizer.zero_grad()
            F.cross_entropy(module(x), y).backward()
            optimizer.step()
    assert torch.equal(weights(found.module), weights(module))
    assert trained(epochs=1, max_steps=100).steps == 5
    linear = trained(epochs=None, max_steps=7, schedule="linear")
    assert linear.history[-1]["lr"] == pytest.approx(1e-3 / 7)


class Stopped(Exception):
    """Where a training is cut off."""


def resumed(folder: Path, at: int, data: Samples = DATA, **settings: Any) -> Trained:
    """Cut a training off after some updates, and go on."""

    def stop(stage: str, step: float, total: float) -> None:
        if step >= at:
            raise Stopped

    given = {"epochs": 3, "batch_size": 16, "schedule": "constant"}
    given["checkpoint_every"] = min(4, at)  # an update before the end of an epoch, too
    training = Training(**(given | settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "TOLD_EVERY", 0)
        with pytest.raises(Stopped):
            train(net(), data, GoldLabels(), TASK, training=training, folder=folder, progress=stop)
    return train(net(), data, GoldLabels(), TASK, training=training, folder=folder)


LBFGS = [
    {"optimizer": "lbfgs", "lr": 0.5},
    {"optimizer": partial(torch.optim.LBFGS, line_search_fn="strong_wolfe")},
]
SHORT = [
    {"optimizer": partial(torch.optim.LBFGS, max_iter=3, lr=0.5)},
    {"optimizer": partial(torch.optim.LBFGS, max_iter=3, line_search_fn="strong_wolfe")},
]


SETTINGS = [
    {"ema": 0.9},
    {"schedule": partial(lr_scheduler.ReduceLROnPlateau, patience=0)},
    {"schedule": partial(lr_scheduler.OneCycleLR, max_lr=0.1)},
    {"schedule": partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.1), "optimizer": "sgd"},
    {"optimizer": "adafactor"},
    {"ema": 0.9, "max_steps": 9},
    {"optimizer": lambda model: torch.optim.AdamW(
        [{"params": [p], "lr": 0.01 / (i + 1)} for i, p in enumerate(model.parameters())])},
]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "at"),  # an epoch has five updates
    [
        *((settings, 8) for settings in SETTINGS),
        *((settings, 5) for settings in SETTINGS[:2]),
        *(pytest.param(settings, 5, marks=pytest.mark.slow) for settings in SETTINGS[2:]),
    ],
)
def test_a_training_that_was_cut_off_ends_the_same(settings: Any, at: int, tmp_path: Path) -> None:
    ends_the_same(settings, at, tmp_path)


@pytest.mark.parametrize("settings", SHORT)
def test_lbfgs_that_was_cut_off_within_an_epoch_ends_the_same(
    settings: Any, tmp_path: Path
) -> None:
    ends_the_same(settings, 5, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("at", [2, 5, 8])
@pytest.mark.parametrize("settings", LBFGS)
def test_lbfgs_that_was_cut_off_anywhere_ends_the_same(
    settings: Any, at: int, tmp_path: Path
) -> None:
    ends_the_same(settings, at, tmp_path)


def ends_the_same(settings: Any, at: int, tmp_path: Path) -> None:
    whole, parts = trained(**settings), resumed(tmp_path, at, **settings)
    assert torch.equal(weights(whole.module), weights(parts.module))
    assert whole.history == parts.history


def test_lbfgs_over_parts_is_that_of_the_whole() -> None:
    def plain() -> nn.Module:
        torch.manual_seed(2)
        return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).double()

    data, teacher = Samples.of((X.double(), Y)), copy.deepcopy(plain())
    term = 0.5 * SoftTargets(temperature=2.0) + 0.5 * GoldLabels()
    found = []
    for parts in (1, 4):
        settings = Training(
            max_steps=2, batch_size=32, optimizer="lbfgs", gradient_accumulation_steps=parts
        )
        result = train(plain(), data, term, TASK, training=settings, teacher=teacher)
        found.append(weights(result.module))
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-8)
    with pytest.raises(InvalidInput, match=r"Adam.*raised|list"):
        made(lambda parameters: [parameters], {}, plain(), [[]], nn.ModuleDict())  # type: ignore[arg-type,return-value]

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from safetensors import safe_open  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import (  # noqa: E402
    GoldLabels,
    HiddenStates,
    Interchange,
    Logits,
    RowWeights,
    SoftTargets,
    balanced,
)
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.training.checkpoint import NAME, read  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402
from limbeck.networks.training.trainer import Trainer  # noqa: E402
from limbeck.networks.training.training_step import Learner  # noqa: E402

pytestmark = pytest.mark.torch
SEEDS = 3


class Noisy(torch.utils.data.Dataset):
    """Rows with an augmentation that draws from torch's generator."""

    def __init__(self, n: int = 60) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(n, 6, generator=generator)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int):
        return self.x[i] + 0.1 * torch.randn(6), int(self.x[i, 0] > 0)


def net(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 2)
    )


def run(folder: Path | None, pause: float = 0.0, **changes):
    """A training with all that has a state: dropout, AdamW, maps, draws, shares, stopping."""
    torch.manual_seed(9)
    teacher = net(12)
    terms = 0.5 * SoftTargets(temperature=2) + 0.3 * GoldLabels() + 0.1 * HiddenStates({"0": "0"})
    terms += 0.1 * Interchange({"2": "2"}, part=(slice(0, 6), slice(0, 4)))

    def told(stage: str, done: float, total: float) -> None:
        time.sleep(pause)

    settings = {
        "epochs": 3,
        "batch_size": 8,
        "lr": 0.02,
        "warmup_ratio": 0.1,
        "patience": 2,
        "checkpoint_every": 3,
        "log_every": 2,
        "gradient_accumulation_steps": 2,
    }
    return train(
        lambda: net(8),
        Samples.of(Noisy()),
        balanced(terms),
        Task.of("classification", 2),
        training=Training(**(settings | changes)),
        seed=SEEDS,
        teacher=teacher,
        validation=Samples.of((Noisy().x, (Noisy().x[:, 0] > 0).long())),
        folder=folder,
        progress=told,
    )


def same(a, b) -> bool:
    one, other = ({**x.module.state_dict(), **x.maps.state_dict()} for x in (a, b))
    return (
        all(torch.equal(one[k], other[k]) for k in one)
        and a.history == b.history
        and (a.best_epoch, a.steps) == (b.best_epoch, b.steps)
    )


class Stop(Exception):
    pass


def stop(patch, at: int) -> None:
    """Let trainings stop in this update."""
    update = Learner.update

    def stopping(self, step, *rest):
        if step == at:
            raise Stop
        return update(self, step, *rest)

    patch.setattr(Learner, "update", stopping)


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    """A training that nothing stopped, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return run(folder), folder


@pytest.mark.parametrize(
    "at", [2, 16, *(pytest.param(at, marks=pytest.mark.slow) for at in (3, 4, 15, 23))]
)
def test_a_training_stopped_anywhere_goes_on_bit_for_bit(tmp_path, monkeypatch, uncut, at):
    whole, folder = uncut
    with monkeypatch.context() as patch:
        stop(patch, at)
        with pytest.raises(Stop):
            run(tmp_path / "cut")
    kept = read(tmp_path / "cut")
    assert (0 if kept is None else kept["step"]) == at // 3 * 3  # every third update
    again = run(tmp_path / "cut")
    assert same(again, whole)
    files = [read(name) for name in (folder, tmp_path / "cut")]
    for file in files:
        file.pop("seconds")
    assert str(files[0]) == str(files[1])  # optimizer, generators and all
    lines = [(name / "metrics.csv").read_text() for name in (folder, tmp_path / "cut")]
    assert lines[0] == lines[1]


def test_rows_that_a_filter_let_pass_before_the_stop_count(tmp_path, monkeypatch):
    samples, weights = Samples.of(Noisy(8).x), torch.zeros(8)
    weights[samples.order(0, 0)[0]] = 1  # in the first update, and never again
    student, teacher = net(8), net(12)

    def go():
        return train(
            student, samples, Logits(), Task.of("classification", 2),
            teacher=teacher, folder=tmp_path, filter=RowWeights(weights),
            training=Training(1, 2, checkpoint_every=1),
        )  # fmt: skip

    with monkeypatch.context() as patch:
        stop(patch, 2)
        with pytest.raises(Stop):
            go()
    assert go().steps == 4


def test_stopped_between_the_last_update_of_an_epoch_and_its_end(tmp_path, monkeypatch, uncut):
    close = Trainer._close_epoch

    def stopping(self):
        if self.steps == 16:
            raise Stop
        close(self)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_close_epoch", stopping)
        with pytest.raises(Stop):
            run(tmp_path)
    assert read(tmp_path)["step"] == 15
    assert same(run(tmp_path), uncut[0])


CODE = """
import sys; sys.path.insert(0, {tests!r})  # noqa: E402
from pathlib import Path  # noqa: E402
from test_trainer import run  # noqa: E402
run(Path({folder!r}), pause=0.05)
"""


@pytest.mark.slow
def test_killed_in_the_middle_of_an_epoch_and_resumed_equals_uninterrupted(tmp_path):
    code = CODE.format(tests=str(Path(__file__).parent), folder=str(tmp_path / "cut"))
    env = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import limbeck.networks.training.trainer as s\ns.TOLD_EVERY = 0.0\n" + code,
        ],
        env=env,
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            state = read(tmp_path / "cut")
            if state is not None and state["epoch"] >= 1 and state["update"] >= 3:
                break
            time.sleep(0.01)
            assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = read(tmp_path / "cut")
    assert not before["finished"]
    assert 0 < before["update"] < 8
    assert same(run(tmp_path / "cut"), run(None))


def test_a_finished_training_is_returned_at_once(tmp_path, monkeypatch, uncut):
    first = uncut[0]
    shutil.copytree(uncut[1], tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(Learner, "update", None)  # any update would fail
    again = run(tmp_path)
    assert same(first, again)
    assert again.seconds == first.seconds


def test_other_settings_are_refused_by_name(tmp_path):
    run(tmp_path, epochs=1)
    with pytest.raises(InvalidInput, match=r"lr was 0\.02 and is 0\.01") as error:
        run(tmp_path, epochs=1, lr=0.01)
    assert "batch_size" not in str(error.value)
    run(tmp_path, epochs=1, log_every=7)  # changes no result


def test_the_checkpoint_holds_no_code_and_is_replaced_whole(tmp_path):
    run(tmp_path, epochs=1)
    assert {p.name for p in tmp_path.iterdir()} <= {NAME, "metrics.csv", "tensorboard"}
    with safe_open(tmp_path / NAME, "pt") as file:
        json.loads(file.metadata()["limbeck"])
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileRefused, match="is damaged"):
        run(tmp_path, epochs=1)

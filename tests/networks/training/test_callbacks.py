"""Callbacks see what happens, in order and after a resume, and change nothing."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import Callback, GoldLabels, SoftTargets, Training  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.strategies.together import BornAgain, train_together  # noqa: E402
from limbeck.networks.training.callbacks import (  # noqa: E402
    HOOKS,
    CSVLogger,
    TensorBoardLogger,
    TrainingState,
)
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
TASK = Task.of("classification", 2)
X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 2))


class Observer(Callback):
    """Notes every call."""

    def __init__(self, fail: tuple[str, int] | None = None) -> None:
        self.calls: list[tuple] = []
        self.fail, self.closed = fail, 0

    def _note(self, hook: str, state: TrainingState, *told) -> None:
        self.calls.append((hook, state.step, *told))
        self.state = state
        if self.fail == (hook, state.step):
            raise ZeroDivisionError("of mine")

    def close(self) -> None:
        self.closed += 1


for hook in HOOKS:
    setattr(Observer, hook, lambda self, state, *told, hook=hook: self._note(hook, state, *told))


class Meddler(Callback):
    """Draws random numbers and switches modes, as careless ones do."""

    def on_step_end(self, state):
        state.student.eval()
        torch.rand(3)
        torch.manual_seed(state.step)

    on_train_begin = on_epoch_end = on_step_end


def run(folder=None, callbacks=(), seed=0, objective=None, teacher=None, **changes):
    settings = {"epochs": 3, "batch_size": 10, "log_every": 2, "lr": 0.02} | changes
    return train(
        net, Samples.of((X, Y)), objective or GoldLabels(), TASK, seed=seed, folder=folder,
        training=Training(callbacks=callbacks, **settings), teacher=teacher,
        validation=Samples.of((X[:9], Y[:9])), name="student, seed 0",
    )  # fmt: skip


def test_hooks_are_called_in_the_order_of_the_field(tmp_path):
    seen = Observer()
    trained = run(tmp_path, [seen], epochs=2)
    assert [(h, s) for h, s, *_ in seen.calls] == [
        ("on_train_begin", 0),
        *(("on_step_end", 1), ("on_log", 2), ("on_step_end", 2), ("on_step_end", 3)),
        ("on_step_end", 4),
        *((h, 4) for h in ("on_evaluate", "on_log", "on_epoch_end", "on_save")),
        *(("on_step_end", 5), ("on_log", 6), ("on_step_end", 6), ("on_step_end", 7)),
        ("on_step_end", 8),
        *((h, 8) for h in ("on_evaluate", "on_log", "on_epoch_end", "on_save", "on_train_end")),
    ]
    told = [c[2] for c in seen.calls if c[0] == "on_evaluate"]
    assert told == [{k: r[k] for k in ("score", "validation_loss")} for r in trained.history]
    state = seen.state
    assert (state.run, state.place, state.epoch, state.epochs) == ("student, seed 0", 0, 1, 2)
    assert (state.step, state.max_steps, state.resumed_from) == (8, 8, 0)
    assert state.history == trained.history
    assert state.student is trained.module
    assert seen.closed == 1


def test_a_callback_is_told_of_the_row_that_the_file_has(tmp_path):
    seen = Observer()
    run(tmp_path, [seen])
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    told = [c[2] for c in seen.calls if c[0] == "on_log"]
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in told] == rows
    assert tuple(told[0]) == seen.state.columns


def test_callbacks_change_no_loss_and_no_weight():
    plain, watched = run(), run(callbacks=[Meddler(), Observer()])
    assert plain.history == watched.history
    own, other = plain.module.state_dict(), watched.module.state_dict()
    assert all(torch.equal(own[k], other[k]) for k in own)


@pytest.mark.parametrize("at", [3, 6])
def test_a_resumed_training_tells_every_update_once(tmp_path, at):
    """A callback that raises stops it; what was saved is not told again."""
    first = Observer(fail=("on_step_end", at))
    with pytest.raises(InvalidInput, match=f"Observer raised ZeroDivisionError in on_step_end, "
                       f"after update {at}: of mine"):  # fmt: skip
        run(tmp_path, [first], checkpoint_every=2)
    assert first.closed == 1
    second = Observer()
    whole = run(tmp_path, [second], checkpoint_every=2)  # callbacks are no setting of it
    saved = (at - 1) // 2 * 2  # the hook comes before the checkpoint of its update
    begin = second.calls[0]
    assert begin[:2] == ("on_train_begin", saved)
    assert second.state.resumed_from == saved
    steps = [s for h, s, *_ in second.calls if h == "on_step_end"]
    assert steps == list(range(saved + 1, 13))
    assert whole.history == run(checkpoint_every=2).history
    third = Observer()
    again = run(tmp_path, [third], checkpoint_every=2)
    assert third.calls == []  # it was finished
    assert again.history == whole.history


def test_students_together_are_told_of_in_turn(tmp_path):
    seen = Observer()
    torch.manual_seed(0)
    students = [net(), net()]
    found = train_together(
        students, Samples.of((X, Y)), SoftTargets() + GoldLabels(), TASK, folder=tmp_path,
        training=Training(epochs=1, batch_size=20, callbacks=[seen]), name="student, seed 1",
    )  # fmt: skip
    assert [c[:2] for c in seen.calls if c[0] == "on_step_end"] == [
        ("on_step_end", 1), ("on_step_end", 1), ("on_step_end", 2), ("on_step_end", 2),
    ]  # fmt: skip
    assert seen.state.place == 1
    assert seen.state.folder == tmp_path / "student_1"
    assert seen.state.student is found[1].module
    assert (tmp_path / "student_0/metrics.csv").is_file()


def test_generations_have_their_names():
    names = []

    class Names(Callback):
        def on_train_begin(self, state):
            names.append(state.run)

    BornAgain(2).run(
        net, Samples.of((X, Y)), SoftTargets() + GoldLabels(), TASK, name="student, seed 3",
        training=Training(epochs=1, batch_size=20, callbacks=[Names()]),
    )  # fmt: skip
    assert names == ["student, seed 3, generation 0", "student, seed 3, generation 1"]


class Misspelt(Callback):
    def on_step_ended(self, state):
        raise AssertionError


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([Misspelt()], "hook 'on_step_ended', which is never called. Did you mean 'on_step_end'"),
        ([Observer], "The callback Observer is a class. Give an object"),
        ([print], "Extend limbeck.networks.Callback"),
        (Observer(), "callbacks is a Observer. Give a list"),
    ],
)
def test_what_is_no_callback_is_refused_before_any_work(given, message):
    with pytest.raises(InvalidInput, match=message):
        Training(callbacks=given)


def test_callbacks_are_no_part_of_what_makes_settings_the_same():
    assert Training(callbacks=[Observer()], metrics={"m": max}) == Training()


def test_distill_tells_of_student_and_control(tmp_path):
    import limbeck

    lines = tmp_path / "log.jsonl"

    class Lines(Callback):
        def on_log(self, state, row):
            with lines.open("a") as file:
                file.write(json.dumps({"run": state.run, **row}) + "\n")

    torch.manual_seed(1)
    result = limbeck.distill(
        net(), (X, Y), into=net, test=(X[:1] + torch.randn(30, 4), torch.arange(30) % 2),
        epochs=2, batch_size=10, callbacks=[Lines()], timing=False, baseline=False,
    )  # fmt: skip
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    assert list(dict.fromkeys(r["run"] for r in rows)) == ["student, seed 0", "control, seed 0"]
    assert [r["step"] for r in rows] == [4, 8, 4, 8]
    assert result.settings["training"]["callbacks"] == ["Lines"]
    assert result.settings["training"]["metrics"] == []


def state_of(folder: Path | None, columns: list[str], step: int, resumed: int = 0):
    module = nn.Linear(1, 1)
    return TrainingState("", module, 0, step, 9, 0, 1, resumed, (), tuple(columns), folder)


def logged(logger: Callback, folder: Path, rows, columns, resumed: int = 0) -> None:
    logger.on_train_begin(state_of(folder, columns, resumed, resumed))
    for row in rows:
        logger.on_log(state_of(folder, columns, row["step"], resumed), row)
    logger.close()


def rows_in(folder):
    return (folder / "metrics.csv").read_text().splitlines()


def test_rows_are_on_the_disk_at_once_and_what_is_none_is_empty(tmp_path):
    columns = ["step", "loss", "validation"]
    logger = CSVLogger()
    logger.on_train_begin(state_of(tmp_path, columns, 0))
    logger.on_log(
        state_of(tmp_path, columns, 1), {"step": 1, "loss": 0.1 + 0.2, "validation": None}
    )
    assert rows_in(tmp_path) == ["step,loss,validation", "1,0.30000000000000004,"]


def test_going_on_takes_out_what_comes_again(tmp_path):
    columns = ["step", "loss"]
    logged(CSVLogger(), tmp_path, [{"step": s, "loss": s / 2} for s in (2, 4, 6)], columns)
    logged(CSVLogger(), tmp_path, [{"step": 6, "loss": 9.0}], columns, resumed=4)
    assert rows_in(tmp_path) == ["step,loss", "2,1.0", "4,2.0", "6,9.0"]
    logged(CSVLogger(), tmp_path, [], columns)
    assert rows_in(tmp_path) == ["step,loss"]


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="needs tensorboard")
def test_tensorboard_reads_the_same_numbers(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rows = [{"step": step, "loss": 0.5 * step, "lr": None} for step in (1, 2)]
    logged(TensorBoardLogger(), tmp_path, rows, ["step", "loss", "lr"])
    read = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in read.Scalars("loss")] == [(1, 0.5), (2, 1.0)]
    assert read.Tags()["scalars"] == ["loss"]


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(FileRefused, match="cannot be written"):
        CSVLogger().on_train_begin(state_of(tmp_path / "none", ["step"], 0))
    with pytest.raises(InvalidInput, match="no folder"):
        CSVLogger().on_train_begin(state_of(None, ["step"], 0))

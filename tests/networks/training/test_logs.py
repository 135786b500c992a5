from __future__ import annotations

from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import FileRefused  # noqa: E402
from limbeck.networks.training.logs import Metrics  # noqa: E402

pytestmark = pytest.mark.torch


def rows(folder):
    return (folder / "metrics.csv").read_text().splitlines()


def test_rows_are_on_the_disk_at_once_and_what_is_none_is_empty(tmp_path):
    metrics = Metrics(tmp_path, ["step", "loss", "validation"], 0)
    metrics.write({"step": 1, "loss": 0.1 + 0.2, "validation": None})
    assert rows(tmp_path) == ["step,loss,validation", "1,0.30000000000000004,"]
    metrics.close()


def test_going_on_takes_out_what_comes_again(tmp_path):
    first = Metrics(tmp_path, ["step", "loss"], 0)
    for step in (2, 4, 6):
        first.write({"step": step, "loss": step / 2})
    first.close()
    again = Metrics(tmp_path, ["step", "loss"], 4)
    again.write({"step": 6, "loss": 9.0})
    again.close()
    assert rows(tmp_path) == ["step,loss", "2,1.0", "4,2.0", "6,9.0"]
    anew = Metrics(tmp_path, ["step", "loss"], 0)
    anew.close()
    assert rows(tmp_path) == ["step,loss"]


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="needs tensorboard")
def test_tensorboard_reads_the_same_numbers(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    metrics = Metrics(tmp_path, ["step", "loss", "lr"], 0)
    for step in (1, 2):
        metrics.write({"step": step, "loss": 0.5 * step, "lr": None})
    metrics.close()
    read = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in read.Scalars("loss")] == [(1, 0.5), (2, 1.0)]
    assert read.Tags()["scalars"] == ["loss"]


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(FileRefused, match="cannot be written"):
        Metrics(tmp_path / "none", ["step"], 0)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
datasets = pytest.importorskip("datasets")
pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402
from pyarrow import ipc  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.core.errors import FileRefused  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import GoldLabels, SoftTargets  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.datasets.shards import shards  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402
from limbeck.networks.training.training_step import Learner  # noqa: E402

pytestmark = pytest.mark.torch
rng = np.random.default_rng(0)
X = rng.normal(size=(90, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def written(folder: Path, kind: str) -> str:
    """The rows in three files of different sizes."""
    folder.mkdir()
    for k, part in enumerate((slice(0, 40), slice(40, 41), slice(41, 90))):
        values = pa.FixedSizeListArray.from_arrays(pa.array(X[part].ravel()), 4)
        table = pa.table({"x": values, "labels": Y[part], "name": ["a"] * len(Y[part])})
        if kind == "parquet":
            pq.write_table(table, folder / f"part-{k}.parquet", row_group_size=16)
        else:
            with ipc.new_stream(str(folder / f"part-{k}.arrow"), table.schema) as file:
                file.write_table(table)
    return str(folder / f"*.{kind}")


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_rows_have_the_places_that_files_and_rows_have(tmp_path: Path, kind: str) -> None:
    found = Samples.of(written(tmp_path / "rows", kind))
    assert len(found) == 90
    batch = found.fetch([89, 40, 0, 41])
    assert batch.inputs["x"].tolist() == X[[89, 40, 0, 41]].tolist()
    assert batch.labels.tolist() == Y[[89, 40, 0, 41]].tolist()
    assert any("name" in note for note in found.notes)


class Small(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(4, width), nn.Linear(width, 2)

    def forward(self, x):
        return self.two(torch.tanh(self.one(x)))


def trained(data, folder: Path) -> list[float]:
    torch.manual_seed(0)
    teacher, student = Small(8), Small(3)
    found = train(
        student, Samples.of(data), 0.5 * SoftTargets(temperature=2) + 0.5 * GoldLabels(),
        Task.of("classification", 2), training=Training(3, 16, lr=0.02, checkpoint_every=2),
        seed=1, teacher=teacher, folder=folder,
    )  # fmt: skip
    return torch.cat([p.detach().flatten() for p in found.module.parameters()]).tolist()


def test_a_training_from_files_is_that_from_arrays_and_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = written(tmp_path / "rows", "parquet")
    whole = trained({"x": X, "labels": Y}, tmp_path / "arrays")
    assert trained(rows, tmp_path / "files") == whole
    update = Learner.update

    def stopping(self, step, *rest):
        if step == 9:  # in the middle of the second epoch
            raise InterruptedError
        return update(self, step, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "update", stopping)
        with pytest.raises(InterruptedError):
            trained(rows, tmp_path / "cut")
    assert trained(Path(rows), tmp_path / "cut") == whole


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="no file"):
        shards(tmp_path / "*.parquet")
    for kind in ("parquet", "arrow"):
        (tmp_path / f"bad.{kind}").write_bytes(b"PAR1 nothing")
        with pytest.raises(FileRefused, match="cannot be read"):
            shards(tmp_path / f"bad.{kind}")
    with pytest.raises(FileRefused, match=r"end in .arrow, .parquet"):
        shards(tmp_path / "bad.*")

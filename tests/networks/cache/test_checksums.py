"""A byte that changed on disk is refused, and never comes back as other numbers."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import FileRefused  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import GoldLabels, TeacherCache, Training  # noqa: E402
from limbeck.networks.cache.cache_file import Array, CacheFile  # noqa: E402
from limbeck.networks.cache.checksums import BLOCK, RunningChecksums, block_sums  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.training.checkpoint import NAME, read, write  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
FLIPS = 400


def test_sums_of_a_file_that_grows_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    data = rng.bytes(3 * BLOCK + 17)
    sums, at = RunningChecksums(), 0
    for size in (1, BLOCK - 1, 5, BLOCK, 7, 10**9):
        sums.add(memoryview(data[at : at + size]))
        at += size
    assert sums.blocks().tolist() == block_sums(data).tolist()
    assert (
        sums.blocks().tolist() == [zlib.crc32(data[i : i + BLOCK]) for i in range(0, at, BLOCK)][:4]
    )


def flipped(folder: Path, rng: np.random.Generator) -> tuple[Path, bytes]:
    """Change one byte of one file, any byte of all files alike; gives the file as it was."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size)
    sizes = np.array([p.stat().st_size for p in files])
    path = files[rng.choice(len(files), p=0.5 / len(files) + 0.5 * sizes / sizes.sum())]
    before = path.read_bytes()
    after = bytearray(before)
    after[rng.integers(len(after))] ^= int(rng.integers(1, 256))
    path.write_bytes(bytes(after))
    return path, before


def made(folder: Path, top: int | None) -> tuple[TeacherCache, Samples]:
    torch.manual_seed(0)
    x = torch.randn(700, 4)
    samples = Samples.of((x, (x[:, 0] > 0).long()))
    teacher = nn.Linear(4, 40)
    return TeacherCache(folder, top=top).fill(teacher, samples), samples


@pytest.mark.parametrize("top", [None, 3])
def test_a_cache_with_a_flipped_byte(tmp_path: Path, top: int | None) -> None:
    cache, samples = made(tmp_path, top)
    batch = samples.fetch(torch.randperm(700))
    expected, refused = cache.view(batch).logits, 0
    rng = np.random.default_rng(1)
    for _ in range(FLIPS // 4):
        path, before = flipped(tmp_path, rng)
        try:
            again = TeacherCache.open(tmp_path)
            again.check(samples)
            assert torch.equal(again.view(batch).logits, expected)
        except FileRefused as error:
            told = str(error)
            refused += str(tmp_path) in told and (path.name in told or "cache.json" in told)
        path.write_bytes(before)
    assert refused > 0.9 * FLIPS / 4  # what is left changes spaces of the header


@pytest.mark.parametrize("case", ["small", "many blocks"])
def test_a_checkpoint_with_a_flipped_byte(tmp_path: Path, case: str) -> None:
    torch.manual_seed(0)
    many = case == "many blocks"
    state = {
        "weights": {"a": torch.randn(200, 200) if many else torch.randn(9), "b": torch.arange(3)},
        "step": 7,
        "rates": [0.1, None, True],
        "empty": torch.zeros(0, 2),
    }
    path = write(tmp_path, state)
    rng, before = np.random.default_rng(2), path.read_bytes()
    assert read(tmp_path)["step"] == 7
    for _ in range(FLIPS // 4):
        flipped(tmp_path, rng)
        with pytest.raises(FileRefused, match=NAME):
            read(tmp_path)
        path.write_bytes(before)
    for cut in (0, 5, 8, 200, len(before) - 1):
        path.write_bytes(before[:cut])
        with pytest.raises(FileRefused, match=NAME):
            read(tmp_path)
    path.write_bytes(before + b"x")
    with pytest.raises(FileRefused, match="damaged: block"):
        read(tmp_path)


def test_a_training_does_not_go_on_from_a_damaged_checkpoint(tmp_path: Path) -> None:
    x = torch.randn(40, 3)
    given = Samples.of((x, (x[:, 0] > 0).long())), GoldLabels(), Task.of("classification", 2)
    train(nn.Linear(3, 2), *given, training=Training(1, 20), folder=tmp_path)
    path = tmp_path / NAME
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(FileRefused, match=r"checkpoint.safetensors' is damaged: block 0 of its"):
        train(nn.Linear(3, 2), *given, training=Training(1, 20), folder=tmp_path)


def test_blocks_are_told_by_number_and_only_those_that_are_read(tmp_path: Path) -> None:
    file = CacheFile(tmp_path, {}, {"a": Array((1000,), "float32")}, 100)
    table = np.random.default_rng(0).normal(size=(100, 1000)).astype(np.float32)
    with file.appending():
        for some in np.split(table, 10):
            file.append({"a": some})
    path = tmp_path / "a.npy"
    content = bytearray(path.read_bytes())
    content[3 * BLOCK + 5] ^= 8
    path.write_bytes(bytes(content))
    found = CacheFile.open(tmp_path)
    assert found is not None
    ahead = np.arange(48)  # before block 3
    np.testing.assert_array_equal(found.read("a", ahead), table[:48])
    behind = np.arange(66, 100)
    np.testing.assert_array_equal(found.read("a", behind), table[66:])
    with pytest.raises(FileRefused, match=r"a\.npy' is damaged: the 64 KiB from byte 196,608 .*3"):
        found.read("a", np.array([50]))


def test_work_that_goes_on_keeps_checksums(tmp_path: Path) -> None:
    """Filled in three runs, the second killed when its rows, but not its header, were there."""
    table = np.random.default_rng(0).normal(size=(100, 1000)).astype(np.float32)
    arrays = {"a": Array((1000,), "float32")}
    file = CacheFile(tmp_path, {}, arrays, 100)
    with file.appending():
        file.append({"a": table[:30]})
    header = (tmp_path / "cache.json").read_bytes()
    second = CacheFile.open(tmp_path)
    assert second is not None
    with second.appending():
        second.append({"a": table[30:70] + 1})
    (tmp_path / "cache.json").write_bytes(header)
    third = CacheFile.open(tmp_path)
    assert third is not None
    assert third.done == 30
    with third.appending():
        third.append({"a": table[30:]})
    for one in (third, CacheFile.open(tmp_path)):
        assert one is not None
        np.testing.assert_array_equal(one.read("a", np.arange(100)), table)
    shutil.rmtree(tmp_path)

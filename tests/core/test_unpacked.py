from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zipfile
from pathlib import Path

import pytest

from limbeck.core import unpacked as module
from limbeck.core.errors import FileRefused
from limbeck.core.unpacked import pack, unpacked


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", content)
    return out.getvalue()


PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zip": zipped}


@pytest.mark.parametrize("ending", PACK)
def test_what_was_packed_comes_back_whole_and_damage_is_refused(
    ending: str, tmp_path: Path
) -> None:
    content, path = random.Random(0).randbytes(5_000), tmp_path / f"t.csv{ending.upper()}"
    packed = PACK[ending](content)
    path.write_bytes(packed)
    assert unpacked(path) == content
    if ending != ".zip":  # streams may stand one after the other
        path.write_bytes(packed + PACK[ending](b"more"))
        assert unpacked(path) == content + b"more"
    rng = random.Random(1)
    for _ in range(60):
        bad = bytearray(packed[: rng.randrange(1, len(packed))])
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        with pytest.raises(FileRefused, match=r"cannot be read|holds"):
            unpacked(path)


@pytest.mark.parametrize("ending", PACK)
def test_a_bomb_is_refused_before_it_is_unpacked(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALWAYS", 1_000)
    path = tmp_path / f"bomb.csv{ending}"
    path.write_bytes(PACK[ending](bytes(2_000_000)))
    most = 1_000 + 200 * path.stat().st_size
    if most >= 2_000_000:  # gzip's and zip's best is a thousandfold
        pytest.fail("no bomb")
    with pytest.raises(FileRefused, match=f"unpacks to more than {most:,} bytes, 200 times"):
        unpacked(path)
    path.write_bytes(PACK[ending](bytes(900)))
    assert unpacked(path) == bytes(900)


def test_memory_that_xz_asks_for_is_limited(tmp_path: Path) -> None:
    big = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 29}]
    path = tmp_path / "t.csv.xz"
    path.write_bytes(lzma.compress(b"a,b\n1,2\n", filters=big))
    with pytest.raises(FileRefused, match="Memory usage limit"):
        unpacked(path)


def test_what_is_packed_here_is_never_taken_for_a_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALWAYS", 1_000)
    path = tmp_path / "r.gz"
    for content in (bytes(2_000_000), b"", b"some text" * 9):
        path.write_bytes(pack(content))
        assert unpacked(path) == content
        assert pack(content) == pack(content)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="No such file or directory"):
        unpacked(tmp_path / "t.csv.gz")

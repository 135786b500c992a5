"""Arrays read without trust in what their files claim."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from limbeck.core.arrays import read_array, read_arrays
from limbeck.core.errors import FileRefused


@given(st.sampled_from(["<f8", "<f4", ">i4", "u1", "?", "<U5", "<M8[s]", "<c16"]).flatmap(
    lambda t: arrays(np.dtype(t), array_shapes(min_dims=0, min_side=0, max_side=4))
), st.booleans())  # fmt: skip
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
def test_what_numpy_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, columns_first: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.npy"
    array = np.asfortranarray(array) if columns_first else array
    np.save(path, array)
    found = read_array(path)
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes()
    assert found.flags.writeable


def npy(header: str) -> bytes:
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "cannot be read"),
        (b"\x93NUMPY\x09\x00" + bytes(200), "version"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10**13,)}"), "malformed"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,)}"),
         "claims 80,000,000,000,000 bytes, and it holds 0"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}") + b"cos\nsystem", "object"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "shape"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}") + bytes(9), "holds 9"),
        (npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}") + bytes(8),
         "only numbers"),
    ],
)  # fmt: skip
def test_headers_are_not_believed(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=why):
        read_array(path)


def test_a_small_file_does_not_become_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, X=np.zeros(40_000_000, dtype=np.uint8), y=np.arange(3))
    with pytest.raises(FileRefused, match="more than 200 times the size of the file"):
        read_arrays(path, ("X",))
    assert read_arrays(path, ("y",))["y"].tolist() == [0, 1, 2]  # what is not asked is not read
    with zipfile.ZipFile(tmp_path / "liar.npz", "w", zipfile.ZIP_DEFLATED) as file:
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(100))
        file.writestr("X.npy", buffer.getvalue()[:300])
    with pytest.raises(FileRefused, match="claims 800 bytes"):
        read_arrays(tmp_path / "liar.npz", ("X",))


def test_arrays_are_found_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, rows=np.ones((2, 3)), cases=np.array(["a", "b"]))
    found = read_arrays(path, ("rows",), optional=("cases", "groups"))
    assert sorted(found) == ["cases", "rows"]
    with pytest.raises(FileRefused, match="no array 'answers'"):
        read_arrays(path, ("rows", "answers"))
    (tmp_path / "no.npz").write_text("no zip")
    with pytest.raises(FileRefused, match="not a zip file"):
        read_arrays(tmp_path / "no.npz", ("rows",))
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(path, "a") as file,
    ):
        file.writestr("rows.npy", b"")
    with pytest.raises(FileRefused, match=r"'rows.npy' twice"):
        read_arrays(path, ("rows",))

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from limbeck.certificates.loss_file import LossFile, RowsInOrder
from limbeck.certificates.streamed_draws import StreamedDraws

# numpy 2.0 halves long sums elsewhere
EXACT = np.lib.NumpyVersion(np.__version__) >= "2.3.0"
near = (lambda value: value) if EXACT else (lambda value: pytest.approx(value, rel=1e-13))


@pytest.mark.parametrize("n", [1, 9, 65_537, 140_001])
def test_sums_round_as_those_of_the_array(tmp_path: Path, n: int) -> None:
    losses = np.random.default_rng(n).uniform(-1, 3, size=n)
    file = LossFile(tmp_path / "losses")
    for part in np.array_split(losses, [n // 3, n // 2]):
        file.append(part)
    assert len(file) == n
    np.testing.assert_array_equal(np.concatenate([*file.parts()]), losses)
    assert list(file.starts()) == list(range(0, n, 65_536))
    assert file.total() == near(losses.sum())
    assert file.mean() == near(losses.mean())
    assert file.variance() == near(losses.var())
    if n > 1:
        assert file.variance(1) == near(losses.var(ddof=1))


@pytest.fixture
def rows(tmp_path: Path) -> RowsInOrder:
    made = RowsInOrder(tmp_path)
    entries = np.array([b"a" * 40, b"b" * 40, b"c" * 40])
    made.add(entries[:2], np.array([0.5, 0.25]), np.array([0, 1], dtype=np.int32))
    made.add(entries[2:], np.array([0.75]), np.array([0], dtype=np.int32))
    return made


def test_rows_keep_their_order_and_their_groups(rows: RowsInOrder) -> None:
    start = hashlib.sha256(b"rows")
    whole = b"rows" + b"a" * 40 + b"b" * 40 + b"c" * 40
    assert rows.digest(start) == hashlib.sha256(whole).hexdigest()
    assert next(rows.different(None).parts()).tolist() == [0.5, 0.25, 0.75]
    found = {code: next(file.parts()).tolist() for code, file in rows.by_group(None).items()}
    assert found == {0: [0.5, 0.75], 1: [0.25]}


def test_identical_rows_leave_one_loss(rows: RowsInOrder, tmp_path: Path) -> None:
    draws = StreamedDraws(tmp_path, {"loss": "<f8", "place": "<i8"})
    hashes = np.array([1, 2, 1], dtype=np.uint64)
    draws.add(hashes, [], np.array([0.5, 0.25, 0.75]), np.arange(3))
    assert next(rows.different(draws).parts()).tolist() == [0.75, 0.25]

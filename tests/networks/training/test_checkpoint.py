from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.networks.training.checkpoint import NAME, cloned, read, same, write  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_state_comes_back_bit_for_bit(tmp_path):
    shared = torch.randn(3, 4)
    state = {
        "weights": {"a": shared, "tied": shared, "view": shared[1], "turned": shared.T},
        "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "lr": 0.1 + 0.2},
        "numbers": [1, 2.5, float("inf"), None, True, "text"],
        "half": torch.randn(2).bfloat16(),
        "bytes": torch.get_rng_state(),
        "empty": torch.zeros(0, 3),
    }
    write(tmp_path, state)
    back = read(tmp_path)
    assert list(back["optimizer"]["state"]) == [0]  # a number, not text
    assert back["optimizer"]["lr"] == 0.1 + 0.2
    assert back["numbers"] == state["numbers"]
    for name, tensor in state["weights"].items():
        assert torch.equal(back["weights"][name], tensor)
    for name in ("half", "bytes", "empty"):
        assert torch.equal(back[name], state[name])
        assert back[name].dtype == state[name].dtype


def test_nothing_is_there_or_not_a_checkpoint(tmp_path):
    assert read(tmp_path) is None
    (tmp_path / NAME).write_bytes(b"no tensors here, and no header either")
    with pytest.raises(FileRefused, match="is not a checkpoint"):
        read(tmp_path)


def test_what_it_cannot_hold_is_refused_and_the_older_one_stays(tmp_path):
    write(tmp_path, {"a": 1})
    with pytest.raises(InvalidInput, match="/optimizer/x is a set"):
        write(tmp_path, {"optimizer": {"x": {1, 2}}})
    assert read(tmp_path) == {"a": 1}


def test_a_disk_that_is_full_leaves_the_older_one(tmp_path, monkeypatch):
    write(tmp_path, {"a": torch.ones(2)})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileRefused, match="No space left"):
        write(tmp_path, {"a": torch.zeros(2)})
    assert torch.equal(read(tmp_path)["a"], torch.ones(2))
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_all_that_differs_is_named(tmp_path):
    same({"lr": 1, "b": 2}, {"lr": 1, "b": 2}, tmp_path)
    with pytest.raises(InvalidInput, match=r"lr was 1 and is 3; new was None and is 'x'\."):
        same({"lr": 1, "b": 2}, {"lr": 3, "b": 2, "new": "x"}, tmp_path)


def test_a_clone_is_not_changed_by_updates():
    weight = torch.ones(2)
    kept = cloned({"w": weight})
    weight.add_(1)
    assert torch.equal(kept["w"], torch.ones(2))

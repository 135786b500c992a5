from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from accelerate import Accelerator  # noqa: E402
from accelerate.state import AcceleratorState, PartialState  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.training.engine import Engine, device_of  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402

pytestmark = pytest.mark.torch
SCRIPT = Path(__file__).with_name("many_processes.py")


def test_in_one_process_the_module_is_the_users_own():
    module = nn.Linear(2, 2)
    before = dict(vars(module))
    with Engine.started(Training(), torch.device("cpu")) as engine:
        assert engine.prepared(module, unused=False) is module
        assert (engine.processes, engine.rank, engine.main) == (1, 0, True)
        assert engine.gathered(3) == [3]
    assert {k: v for k, v in vars(module).items() if k in before} == before
    assert "forward" not in vars(module)


def test_the_users_own_accelerator_stays_as_it_was():
    own = Accelerator(cpu=True, mixed_precision="bf16")
    with Engine.started(Training(), torch.device("cpu")) as engine:
        assert not engine.mixed
    assert own.mixed_precision == "bf16"
    assert AcceleratorState().mixed_precision == "bf16"
    AcceleratorState._reset_state()
    PartialState._reset_state()


def test_a_network_on_two_devices_is_refused():
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, device="meta"))
    with pytest.raises(InvalidInput, match="lies on cpu, meta"):
        device_of(module)
    assert device_of(nn.ReLU()) is None


def loaded():
    spec = spec_from_file_location("many_processes", SCRIPT)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("shares", ["", "shares"])
def test_two_processes_learn_what_one_learns_from_the_same_batches(tmp_path, strategy, shares):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
               "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0", str(SCRIPT), str(tmp_path),
               strategy, shares or "plain"]  # fmt: skip
    env = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads((tmp_path / f"rank_{r}.json").read_text()) for r in (0, 1)]
    assert told[0]["weights"] == told[1]["weights"]
    assert told[0]["maps"] == told[1]["maps"]
    numbers, silent = zip(*(t["teacher"] for t in told), strict=True)
    assert sum(numbers) == (114 if strategy == "fsdp" else 2 * 114)  # 4 x 16 + 16 + 16 x 2 + 2
    assert max(numbers) < 114 or strategy == "ddp"
    assert strategy == "ddp" or all(silent)
    assert told[0]["again"] == told[0]["history"]
    assert told[0]["cut"] == told[0]["history"]
    one = loaded().run(tmp_path / "one", shares=bool(shares))
    for a, b in zip(told[0]["history"], one.history, strict=True):
        assert a == pytest.approx(dict(b), rel=2e-4)
    for a, b in zip(told[0]["weights"], one.module.parameters(), strict=True):
        assert a == pytest.approx(b.detach().flatten().tolist(), abs=1e-5)
    whole = loaded().run_tokens(tmp_path / "whole", 1)
    for a, b in zip(told[0]["tokens"], whole.module.parameters(), strict=True):
        assert a == pytest.approx(b.detach().flatten().tolist(), abs=1e-6)
    for a, b in zip(told[0]["of tokens"], whole.history, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
    # A gradient of hidden states alone does not pass the outputs, where processes meet. Weights
    # behind that layer get none in one process, and zeros, hence weight decay, in several.
    alone = loaded().run(tmp_path / "alone", shares=bool(shares), layers=True).module.one
    for a, b in zip(told[0]["layers"], alone.parameters(), strict=False):
        assert a == pytest.approx(b.detach().flatten().tolist(), abs=1e-5)

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch
from torch import nn

from limbeck.api.network_steps import NetworkSteps, under
from limbeck.api.prepare.request import NetworkRequest
from limbeck.core.errors import InvalidInput

X = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))


def test_a_seed_has_a_folder_for_each_training_and_none_where_nothing_is_kept() -> None:
    assert under(Path("run"), 3, "control") == Path("run/seed-3/control")
    assert under(None, 3, "control") is None


def test_what_cannot_be_certified_or_calibrated_is_refused_before_a_folder_is_made(
    tmp_path: Path,
) -> None:
    def understand(y: torch.Tensor, outputs: int, **given: object) -> None:
        request = NetworkRequest(
            nn.Linear(3, outputs), X, y, nn.Linear(3, outputs), folder=tmp_path / "run",
            training={"epochs": 1}, **given,  # type: ignore[arg-type]
        )  # fmt: skip
        steps = NetworkSteps(request)
        data = steps.read()
        steps.understand(data, steps.split(data))

    with pytest.raises(InvalidInput, match="Give at least 299 fresh rows"):
        understand(X[:, :1], 1, epsilon=0.01)
    with pytest.raises(InvalidInput, match="calibrate"):
        understand((X[:, 0] > 0).long(), 2, calibrate=True)
    assert not (tmp_path / "run").exists()
    understand((X[:, 0] > 0).long(), 2)
    assert (tmp_path / "run").is_dir()

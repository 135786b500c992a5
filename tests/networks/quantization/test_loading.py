"""What a folder of rounded weights needs is named, whether or not it is installed here."""

from __future__ import annotations

import json
import sys

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import MissingExtra  # noqa: E402
from limbeck.networks.quantization.loading import load_quantized  # noqa: E402

pytestmark = pytest.mark.torch


def test_without_torchao_the_package_is_named(tmp_path, monkeypatch):
    for name in ("torchao", "torchao.quantization", "torchao.quantization.qat"):
        monkeypatch.setitem(sys.modules, name, None)
    told = {"weights": "int8", "group_size": None, "names": ["weight"]}
    (tmp_path / "config.json").write_text(
        json.dumps({"format": "limbeck-network", "version": 1, "quantized": told})
    )
    with pytest.raises(MissingExtra, match="needs the package torchao"):
        load_quantized(torch.nn.Linear(32, 4), tmp_path)

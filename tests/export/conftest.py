"""Networks that are exported."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


@pytest.fixture
def cnn():
    """Makes a small convolutional network."""

    def make(seed=0):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)
        )

    return make


@pytest.fixture
def bert():
    """Makes a small transformer."""

    def make(seed=0):
        from transformers import BertConfig, BertForSequenceClassification

        torch.manual_seed(seed)
        return BertForSequenceClassification(
            BertConfig(
                num_hidden_layers=2, hidden_size=8, num_attention_heads=2,
                intermediate_size=16, vocab_size=30, max_position_embeddings=32,
            )
        )  # fmt: skip

    return make


@pytest.fixture
def images():
    """Five pictures for the convolutional network."""
    return torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))

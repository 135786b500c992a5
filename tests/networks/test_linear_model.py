"""The plain baseline of a network."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from limbeck.core.task import Task
from limbeck.networks.datasets.data import Samples
from limbeck.networks.linear_model import BagOfTokens, LinearBaseline, linear_baseline
from limbeck.networks.strategies.train_network import GOLD
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import train

CLASSES = Task.of("classification", 3)


def test_it_comes_near_logistic_regression_whatever_the_scale() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(600, 1, 2, 2, generator=g) * torch.tensor([[1.0, 100], [0.01, 1]]) + 50
    y = ((x - 50) / torch.tensor([[1.0, 100], [0.01, 1]])).flatten(1)[:, :3].argmax(1)
    model = linear_baseline(x, CLASSES)
    assert isinstance(model, LinearBaseline)
    samples = Samples.of((x, y))
    trained = train(model, samples, GOLD, CLASSES, training=Training(epochs=40, lr=0.05)).module
    with torch.no_grad():
        ours = float((trained(x).argmax(1) == y).double().mean())
    flat = x.flatten(1).double().numpy()
    flat = (flat - flat.mean(0)) / flat.std(0)
    peer = LogisticRegression(C=1e4, max_iter=1000).fit(flat, y.numpy()).score(flat, y.numpy())
    assert ours > peer - 0.02


def test_constant_columns_do_no_harm() -> None:
    model = linear_baseline(torch.ones(10, 4), CLASSES)
    assert model is not None
    assert torch.isfinite(model(torch.ones(2, 4))).all()


def test_tokens_are_counted_where_they_are() -> None:
    ids = torch.tensor([[1, 2, 0], [2, 2, 2]])
    model = linear_baseline({"input_ids": ids, "attention_mask": ids > 0}, CLASSES, vocabulary=4)
    assert isinstance(model, BagOfTokens)
    with torch.no_grad():
        model.weights.weight.copy_(torch.arange(12.0).view(4, 3))
    found = model(ids, (ids > 0).long(), token_type_ids=ids)
    expected = np.array([[3 + 6, 4 + 7, 5 + 8], [18, 21, 24]])
    np.testing.assert_allclose(found.detach(), expected)


def test_where_a_linear_model_makes_no_sense_there_is_none() -> None:
    ids = torch.zeros(2, 3, dtype=torch.long)
    assert linear_baseline({"input_ids": ids}, CLASSES) is None
    assert linear_baseline({"pixels": torch.zeros(2, 3)}, CLASSES, 5) is None
    assert linear_baseline(ids, CLASSES) is None
    assert linear_baseline(torch.zeros(2, 3), Task.of("tokens", 3)) is None
    assert linear_baseline((torch.zeros(2, 3), torch.zeros(2)), CLASSES) is None

"""Many minimisations side by side, against scipy one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

torch = pytest.importorskip("torch")

from limbeck.signal.wavelets.optimizer import descend  # noqa: E402


def rosenbrock(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    points = x.numpy()
    return torch.tensor([rosen(p) for p in points]), torch.tensor(
        np.array([rosen_der(p) for p in points])
    )


def test_each_start_reaches_what_scipy_reaches() -> None:
    starts = np.random.default_rng(0).uniform(-1.5, 1.5, (6, 2))
    found, values = descend(rosenbrock, torch.from_numpy(starts), 300)
    for start, point, value in zip(starts, found.numpy(), values.tolist(), strict=True):
        peer = minimize(rosen, start, jac=rosen_der, method="BFGS")
        assert value <= peer.fun + 1e-8
        np.testing.assert_allclose(point, peer.x, atol=1e-3)


def test_a_corner_is_reached() -> None:
    def corner(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (x - 1).abs().sum(1), (x - 1).sign()

    _, values = descend(corner, torch.zeros(3, 2, dtype=torch.float64), 200)
    assert (values < 1e-2).all()


def test_no_start_ends_higher_than_it_began() -> None:
    def rough(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.sin(9 * x).sum(1), 9 * torch.cos(9 * x)

    starts = torch.from_numpy(np.random.default_rng(1).normal(size=(50, 3)))
    found, values = descend(rough, starts, 40)
    assert (values <= rough(starts)[0]).all()
    torch.testing.assert_close(rough(found)[0], values)


def test_nothing_to_choose() -> None:
    def constant(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.ones(len(x)), torch.zeros_like(x)

    found, values = descend(constant, torch.zeros(2, 0), 5)
    assert found.shape == (2, 0)
    assert values.tolist() == [1, 1]


def test_it_ends_where_all_have_arrived() -> None:
    calls = 0

    def bowl(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        nonlocal calls
        calls += 1
        return 1 + x.square().sum(1), 2 * x

    starts = torch.from_numpy(np.random.default_rng(2).normal(size=(20, 3)))
    _, values = descend(bowl, starts, 500)
    assert calls < 60
    torch.testing.assert_close(values, torch.ones_like(values), atol=1e-8, rtol=0)

from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.networks.pruning.pruned import Pruned


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "nothing of what is cut"),
        ({"size": 0.5, "mlp": 0.5}, "and mlp was given, too"),
        ({"size": 0.5, "flops": 0.5}, "size and flops"),
        ({"size": 1.0}, "size is 1.0"),
        ({"size": 0}, "size is 0"),
        ({"latency_ms": -1.0}, "latency_ms is -1.0"),
        ({"latency_ms": float("nan")}, "latency_ms is nan"),
        ({"mlp": 1.5}, "mlp is 1.5"),
        ({"mlp": True}, "mlp is True"),
        ({"mlp": "half"}, "mlp is 'half'"),
        ({"mlp": 1.0}, "nothing is cut"),
        ({"channels": 8}, "channels is 8"),
        ({"size": 0.5, "importance": "fischer"}, "fisher"),
        ({"size": 0.5, "layer_importance": "cosin"}, "cosine"),
        ({"size": 0.5, "cut": ("head",)}, "heads"),
        ({"mlp": 0.5, "cut": ("mlp",)}, "without a target"),
        ({"size": 0.5, "cut": ()}, "empty"),
        ({"size": 0.5, "rows": 1}, "rows is 1"),
    ],
)
def test_bad_settings_are_refused_with_their_value(settings, says):
    with pytest.raises(InvalidInput, match=says):
        Pruned(**settings)


def test_shares_and_targets():
    assert Pruned(layers=0.75, mlp=128).shares == {"layers": 0.75, "mlp": 128}
    assert Pruned(flops=0.5).target == ("flops", 0.5)
    assert Pruned(size=0.5, cut="mlp").cut == ("mlp",)


def test_steps_lead_to_the_size_by_equal_factors():
    steps = Pruned(size=0.25, mlp=None, iterative_steps=2).at_steps(1000)
    assert [(s.size, s.iterative_steps) for s in steps] == [(500, 1), (250, 1)]
    whole = Pruned(size=0.3)
    assert whole.at_steps(1000) == (whole,)
    sizes = [s.size for s in Pruned(size=0.1, iterative_steps=3).at_steps(10_000)]
    assert sizes == [4641, 2154, 1000]


@pytest.mark.parametrize("given", [{"mlp": 0.5}, {"flops": 0.5}, {"size": 100}])
def test_steps_need_a_share_of_the_size(given):
    with pytest.raises(InvalidInput, match="iterative_steps is 2"):
        Pruned(**given, iterative_steps=2)


def test_importance_is_measured_on_as_many_rows_as_their_tokens_allow() -> None:
    assert Pruned(mlp=0.5, rows=64).pieces(1) == 64
    assert Pruned(mlp=0.5).pieces(1_024) == 16
    assert Pruned(mlp=0.5).pieces(10**6) == 2

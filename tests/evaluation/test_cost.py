from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.evaluation.cost import peak_bytes, profile  # noqa: E402

pytestmark = pytest.mark.torch


class Holds(nn.Module):
    """Doubles a tensor twice; the first result is held while the second is made, or not."""

    def __init__(self, held):
        super().__init__()
        self.held = held
        self.calls = []

    def forward(self, x):
        self.calls.append(self.training)
        a = x * 2
        b = a * 2
        if not self.held:
            del a
        c = b * 2
        return c if not self.held else c + a


def test_memory_is_what_is_held_at_one_time():
    x = torch.zeros(10, 100)  # 4,000 bytes
    with torch.no_grad():
        assert peak_bytes(Holds(False), x) == 8_000
        assert peak_bytes(Holds(True), x) == 16_000  # a, b, c and the sum
        assert peak_bytes(nn.Flatten(), x) == 0  # a view of what was given
        chain = nn.Sequential(*[nn.Linear(100, 100) for _ in range(20)])
        assert peak_bytes(chain, x) == 8_000  # of two neighbours, however deep


def test_sizes_and_settings():
    embed = nn.Embedding(5, 3)
    tied = nn.Linear(3, 5, bias=False)
    tied.weight = embed.weight
    models = {"teacher": nn.Sequential(embed, tied).train(), "student": nn.Embedding(5, 2).half()}
    x = torch.tensor([[0, 1], [2, 3], [4, 0]])
    costs = profile(models, x, repeats=4, warmup=1)
    assert (costs["teacher"].parameters, costs["teacher"].weight_bytes) == (15, 60)
    assert (costs["student"].parameters, costs["student"].weight_bytes) == (10, 20)
    for cost in costs.values():
        middle, low, high = cost.milliseconds
        assert 0 < low <= middle <= high
        assert cost.batch_size == 3
        assert cost.threads == torch.get_num_threads()
        assert cost.device == "cpu"
    assert models["teacher"].training


def test_all_take_turns_in_eval_mode():
    order = []
    models = {name: Holds(False) for name in "ab"}
    for name, net in models.items():
        net.register_forward_hook(lambda *_, name=name: order.append(name))
    profile(models, torch.zeros(2, 2), repeats=3, warmup=2)
    assert order == list("ab") * 5 + ["a", "b"]  # the last ones for memory
    assert models["a"].calls == [False] * 6
    assert models["a"].training


def test_slow_networks_are_called_less_often():
    net = Holds(False)
    profile({"a": net}, torch.zeros(2, 2), repeats=30, warmup=1, seconds=0.0)
    assert len(net.calls) == 1 + 5 + 1  # to warm up, timed, for memory


def test_no_repeat_is_refused():
    with pytest.raises(InvalidInput, match="repeats is 0"):
        profile({"a": nn.Linear(2, 2)}, torch.zeros(2, 2), repeats=0)


def test_named_inputs_of_a_tokenizer():
    from transformers import BatchEncoding

    class Named(nn.Module):
        def forward(self, x):
            return x * 2

    batch = BatchEncoding({"x": torch.zeros(6, 2)})
    assert profile({"a": Named()}, batch, repeats=1)["a"].batch_size == 6
    assert peak_bytes(Named(), batch) == 48

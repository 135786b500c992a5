from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchao")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.modules.quantized_tensors import is_quantized  # noqa: E402
from limbeck.networks.quantization.quantized import Quantized  # noqa: E402
from limbeck.networks.quantization.rounding import (  # noqa: E402
    quantize,
    rounded,
    rounded_in_training,
)

pytestmark = pytest.mark.torch


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 3)).eval()


def draw(n=16):
    return torch.randn(n, 64, generator=torch.Generator().manual_seed(1))


def steps(weight, bits, group):
    """Of symmetric rounding: the largest weight of a group is half of all numbers."""
    table = weight.detach().reshape(len(weight), -1, group or weight.shape[1])
    scale = 2 * table.abs().amax(2, keepdim=True) / (2**bits - 1)
    return scale.expand(table.shape).reshape(weight.shape)


@pytest.mark.parametrize(("kind", "bits", "group"), [("int8", 8, None), ("int4", 4, 16)])
def test_weights_are_rounded_to_numbers_of_so_many_bits(kind, bits, group):
    whole = net()
    small = quantize(whole, kind, group)
    for ours, theirs in ((small[0], whole[0]), (small[2], whole[2])):
        assert is_quantized(ours.weight)
        scale, found = steps(theirs.weight, bits, group), ours.weight.dequantize()
        whole_numbers = found / scale
        assert (whole_numbers - whole_numbers.round()).abs().max() < 1e-3
        assert whole_numbers.abs().max() <= 2 ** (bits - 1) + 1e-3
        assert ((found - theirs.weight).abs() <= 0.501 * scale).all()
        assert torch.equal(ours.bias, theirs.bias)
    assert whole[0].weight.dtype == torch.float32


@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_training_computes_what_the_rounded_network_will(kind):
    asked = Quantized(kind, 16)
    training = rounded_in_training(net(), asked)
    optimizer = torch.optim.SGD(training.parameters(), 0.1)
    for _ in range(3):  # gradients reach the unrounded weights
        optimizer.zero_grad()
        training(draw()).square().sum().backward()
        optimizer.step()
    assert not torch.equal(training[0].weight, net()[0].weight)
    assert torch.allclose(rounded(training, asked)(draw()), training(draw()), atol=1e-5)


def test_layers_that_do_not_fit_or_share_their_weights_stay():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.inner = nn.Embedding(9, 32), nn.Linear(32, 32)
            self.odd, self.head = nn.Linear(32, 30), nn.Linear(32, 9, bias=False)
            self.back = nn.Linear(30, 32)
            self.head.weight = self.words.weight

    small = quantize(Tied(), "int4")
    kept = {n for n, m in small.named_modules() if isinstance(m, nn.Linear)}
    assert {n for n in kept if is_quantized(getattr(small, n).weight)} == {"inner", "odd"}
    assert small.head.weight is small.words.weight


def test_networks_without_such_layers_are_refused():
    with pytest.raises(InvalidInput, match=r"no torch\.nn\.Linear"):
        quantize(nn.Sequential(nn.Conv1d(1, 2, 3)))
    with pytest.raises(InvalidInput, match="in groups of 50"):
        quantize(net(), "int4", 50)

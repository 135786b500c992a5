from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.modules.quantized_tensors import (  # noqa: E402
    is_quantized,
    pack_int4,
    plain_tensors,
    stored_bytes,
    unpack_int4,
)

pytestmark = pytest.mark.torch


class Pair(torch.Tensor):
    """A tensor that is made of others, as torchao's are."""

    @staticmethod
    def __new__(cls, qdata, scale):
        return torch.Tensor._make_wrapper_subclass(cls, qdata.shape, dtype=torch.float32)

    def __init__(self, qdata, scale):
        self.qdata, self.scale = qdata, scale

    def __tensor_flatten__(self):
        return ["qdata", "scale"], {}

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise NotImplementedError(func)


@pytest.mark.parametrize("shape", [(4, 6), (3, 5), (1,)])
def test_numbers_of_four_bits_come_back(shape):
    values = torch.randint(-8, 8, shape, generator=torch.Generator().manual_seed(0))
    values = values.to(torch.int8)
    packed = pack_int4(values)
    assert packed.dtype == torch.uint8
    assert packed.numel() == (values.numel() + 1) // 2
    assert torch.equal(unpack_int4(packed, values.shape), values)


def test_a_tensor_of_parts_is_stored_as_its_parts():
    whole = Pair(torch.zeros(4, 8, dtype=torch.int8), torch.ones(4, 1))
    plain = torch.ones(3)
    assert is_quantized(whole)
    assert not is_quantized(plain)
    assert list(plain_tensors({"w": whole, "b": plain})) == ["w.qdata", "w.scale", "b"]
    assert stored_bytes(whole) == 4 * 8 + 4 * 4
    assert stored_bytes(plain) == 12

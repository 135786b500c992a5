from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.cache import state_bytes  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.sizes import bytes_of_text  # noqa: E402


def ids(rows: int, t: int, seed: int = 0):
    return torch.randint(1, 20, (rows, t), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_memory_is_constant_where_all_layers_are_converted(make_decoder):
    model = make_decoder("llama", 2)
    student = convert(model, (), Hybrid(0.0))
    for kept, seen in ((student, 0), (convert(model, {0}, Hybrid([0])), 1)):
        sizes = []
        for t in (8, 40):
            cache = kept(input_ids=ids(1, t), use_cache=True).past_key_values
            sizes.append(state_bytes(cache))
            assert sizes[-1] == bytes_of_text(kept, t)
        assert (sizes[0] == sizes[1]) == (not seen)

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from transformers.cache_utils import DynamicCache  # noqa: E402

from limbeck.networks.conversion.cache import layer_of, state_bytes  # noqa: E402
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


def test_a_layer_of_states_counts_tokens_follows_beams_and_forgets():
    place = layer_of(cache := DynamicCache(), 2)
    assert layer_of(cache, 2) is place
    assert len(cache.layers) == 3
    place.read({"memory": torch.tensor([[1.0], [2.0], [3.0]])}, 5)
    place.read({"memory": torch.tensor([[1.0], [2.0], [3.0]])}, 1)
    assert place.get_seq_length() == 6
    assert place.get_mask_sizes(4) == (10, 0)
    place.reorder_cache(torch.tensor([2, 0, 0]))
    assert place.state["memory"].flatten().tolist() == [3.0, 1.0, 1.0]
    assert state_bytes(cache) == 12
    place.reset()
    assert (place.seen, place.state, state_bytes(cache)) == (0, None, 0)


def test_keys_of_another_model_are_not_thrown_away():
    cache = DynamicCache()
    cache.update(torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4), 0)
    with pytest.raises(RuntimeError, match="filled by a model with attention"):
        layer_of(cache, 0)
    with pytest.raises(RuntimeError, match="holds no keys"):
        layer_of(cache, 1).update(torch.zeros(1), torch.zeros(1))

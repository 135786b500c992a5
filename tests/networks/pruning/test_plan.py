from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.initialization.spaces import Space  # noqa: E402
from limbeck.networks.initialization.tracing import Trace  # noqa: E402
from limbeck.networks.pruning.blocks import RemovableBlock, Seen, Stack  # noqa: E402
from limbeck.networks.pruning.groups import ChannelGroup  # noqa: E402
from limbeck.networks.pruning.plan import Parts, check_kinds, layers_of, parts_of, units_of  # noqa: E402

pytestmark = pytest.mark.torch


def parts(*groups, config=None):
    module = nn.Module()
    module.config = config
    return Parts(module, Trace({}, []), groups, (), None, None)


def heads(units, of=None):
    return ChannelGroup("attention", "heads", Space(8 * units), units, 8, heads=of or units)


def stack(size, can):
    at = torch.zeros(1, 2)
    seen = Seen(at, at, (), {})
    return Stack("s", size, tuple(RemovableBlock(f"s.{i}", (), seen) for i in range(can)), True)


def test_a_share_of_heads_is_rounded_to_whole_groups_of_keys():
    notes: list[str] = []
    assert units_of(parts(heads(4, of=8)), {"heads": 0.6}, notes) == {0: 2}
    assert notes == [
        "heads=0.6 of 8 heads was rounded to 4: 2 heads share their keys and are kept."
    ]
    assert units_of(parts(heads(4, of=8)), {"heads": 6}, notes) == {0: 3}
    assert len(notes) == 1
    with pytest.raises(InvalidInput, match=r"heads=1 leaves 1 of 8 heads in attention, which are"):
        units_of(parts(heads(4, of=8)), {"heads": 1}, notes)


def test_channels_of_a_group_norm_stay_as_many_in_each_group():
    group = ChannelGroup("c", "channels", Space(12), 12, parts=4, heads=12)
    assert units_of(parts(group), {"channels": 0.5}, []) == {0: 8}  # 1.5 per group, to even
    assert units_of(parts(group), {"channels": 0.01}, []) == {0: 4}
    assert units_of(parts(group), {"mlp": 0.5}, []) == {}


def test_heads_divide_the_width_that_a_configuration_of_transformers_states():
    class Config:
        num_attention_heads, hidden_size = 6, 24

        def to_dict(self):
            return {}

    notes: list[str] = []
    assert units_of(parts(heads(6), config=Config()), {"heads": 5}, notes) == {0: 4}
    assert notes == ["5 heads were rounded to 4, which divide a width of 24."]
    width = ChannelGroup("width", "width", Space(24), 24, heads=24)
    asked = {"heads": 0.5, "width": 20}
    assert units_of(parts(heads(6), width, config=Config()), asked, []) == {0: 3, 1: 21}


def test_layers_go_from_each_stack_by_its_share():
    notes: list[str] = []
    assert layers_of([stack(4, 4), stack(8, 8)], 0.5, notes) == {0: 2, 1: 4}
    assert layers_of([stack(4, 4), stack(8, 8)], 11, notes) == {1: 1}
    assert notes == []
    assert layers_of([stack(5, 3)], 0.5, notes) == {0: 3}  # 2.5 stay, rounded to even
    assert notes == ["layers=0.5 of 5 layers was rounded to 2."]


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (7, r"layers=7, and the network has 6"),
        (0.1, r"leaves 0\.6 of 6 layers, which is less than one"),
        (0.3, r"leaves out 4 of 6 layers, and only 3 return the shape"),
    ],
)
def test_layers_beyond_what_can_go_are_refused(share, says):
    with pytest.raises(InvalidInput, match=says):
        layers_of([stack(6, 3)], share, [])


def test_kinds_that_the_network_has_not_are_named_with_those_it_has():
    found = parts_of(nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)), torch.ones(4, 3))
    assert found.kinds == ("mlp",)
    check_kinds(found, ["mlp"])
    with pytest.raises(InvalidInput, match="the Sequential has no heads that can be: it has mlp"):
        check_kinds(found, ["mlp", "heads"])


def test_a_run_of_blocks_by_angle_is_never_the_last_if_another_is_left():
    module = nn.ModuleDict({"s": nn.ModuleList([nn.Identity() for _ in range(3)])})
    ends = [torch.eye(3)[[0]], torch.eye(3)[[1]], torch.eye(3)[[2]], torch.eye(3)[[2]]]
    blocks = tuple(
        RemovableBlock(f"s.{i}", (), Seen(ends[i], ends[i + 1], (), {})) for i in range(3)
    )
    found = Parts(module, Trace({}, []), (), (Stack("s", 3, blocks, True),), None, None)
    assert [b.name for b in found.gone({0: 1}, "angular")] == ["s.0"]
    assert [b.name for b in found.gone({0: 1}, "cosine")] == ["s.2"]
    assert [b.name for b in found.gone({0: 2}, "last")] == ["s.1", "s.2"]
    assert found.gone({0: 0}, "angular") == []

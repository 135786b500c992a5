from __future__ import annotations

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Pruned  # noqa: E402
from limbeck.networks.pruning.budget import milliseconds  # noqa: E402
from limbeck.networks.pruning.prune import prune  # noqa: E402

pytestmark = pytest.mark.torch


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def dense(*widths, seed=0):
    torch.manual_seed(seed)
    layers = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = (
            a.view(n, t, self.heads, -1).transpose(1, 2) for a in self.qkv(x).chunk(3, dim=-1)
        )
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).reshape(n, t, -1))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention = Attention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width)
        )

    def forward(self, x):
        x = x + self.attention(x)
        return x + self.mlp(self.norm(x))


class Small(nn.Module):
    """A transformer of one's own, whose attention keeps its number of heads."""

    def __init__(self, width=12, heads=4, depth=3):
        super().__init__()
        self.words = nn.Embedding(20, width)
        self.places = nn.Parameter(0.1 * torch.randn(6, width))
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.head = nn.Linear(width, 3)

    def forward(self, ids):
        x = self.words(ids) + self.places[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(1))


def tokens(n=16, t=6):
    return torch.randint(0, 20, (n, t), generator=torch.Generator().manual_seed(1))


def test_units_that_say_nothing_go_and_the_rest_is_the_same():
    net = dense(4, 8, 6, 3)
    with torch.no_grad():
        net[2].weight[:, [1, 5, 6, 7]] = 0.0
        net[4].weight[:, [0, 2, 3]] = 0.0
    cut = prune(net, Pruned(mlp=0.5), draw(40, 4))
    assert torch.equal(cut.module[0].weight, net[0].weight[[0, 2, 3, 4]])
    assert cut.module[2].out_features == 3
    x = draw(30, 4, seed=3)
    assert torch.allclose(cut.module(x), net(x), atol=1e-6)


def test_a_block_that_does_nothing_is_the_first_to_go():
    torch.manual_seed(0)
    net = Small(depth=4).eval()
    with torch.no_grad():
        for layer in (net.blocks[2].attention.out, net.blocks[2].mlp[2]):
            layer.weight.zero_()
            layer.bias.zero_()
    for rule in ("cosine", "loss", "angular"):
        cut = prune(net, Pruned(layers=0.75, layer_importance=rule), tokens())
        assert cut.gone == ("blocks.2",)
        assert torch.allclose(cut.module(tokens()), net(tokens()), atol=1e-6)


def test_heads_that_say_nothing_go_with_the_number_that_the_attention_keeps():
    torch.manual_seed(0)
    net = Small().eval()
    with torch.no_grad():
        for block in net.blocks:
            block.attention.out.weight[:, 3:9] = 0.0  # the heads 1 and 2
    cut = prune(net, Pruned(heads=0.5), tokens())
    assert [b.attention.heads for b in cut.module.blocks] == [2, 2, 2]
    assert cut.module.blocks[0].attention.qkv.weight.shape == (18, 12)
    assert torch.allclose(cut.module(tokens()), net(tokens()), atol=1e-5)


def test_a_target_is_kept_to_and_no_more_is_cut_than_it_takes():
    net = dense(10, 40, 40, 40, 3)
    whole = sum(p.numel() for p in net.parameters())
    cut = prune(net, Pruned(size=0.5, cut=("mlp",)), draw(64, 10))
    size = sum(p.numel() for p in cut.module.parameters())
    assert 0.46 * whole < size <= 0.5 * whole
    assert cut.tried[0].parameters == size


def test_a_search_says_what_it_tried_and_takes_the_closest():
    torch.manual_seed(0)
    cut = prune(Small().eval(), Pruned(size=0.6), tokens())
    known = [t.divergence for t in cut.tried if t.divergence is not None]
    assert len(known) >= 2
    assert known == sorted(known)


def test_convolutions_norms_and_what_is_flattened_follow():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 12, 3, padding=1), nn.GroupNorm(4, 12), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12 * 4, 5),
    ).eval()  # fmt: skip
    cut = prune(net, Pruned(channels=0.6), draw(16, 3, 4, 4)).module
    assert cut[0].out_channels == cut[1].num_features == cut[3].in_channels == 5
    assert cut[4].num_channels == 8  # a multiple of the four groups
    assert cut[8].in_features == 32
    assert cut(draw(2, 3, 4, 4)).shape == (2, 5)


@pytest.mark.parametrize("importance", ["norm", "gradient", "fisher"])
def test_every_importance_lets_silent_units_go(importance):
    net = dense(4, 8, 3)
    with torch.no_grad():
        for part in (net[0].weight[4:], net[0].bias[4:], net[2].weight[:, 4:]):
            part.zero_()
    labels = torch.arange(40) % 3
    cut = prune(net, Pruned(mlp=4, importance=importance), draw(40, 4), labels)
    assert torch.equal(cut.module[0].weight, net[0].weight[:4])
    assert all(p.requires_grad and p.grad is None for p in net.parameters())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"layers": 0.1}, "less than one"),
        ({"heads": 0.5}, "has no heads"),
        ({"size": 5}, "out of reach"),
        ({"size": 10**6}, "already"),
        ({"latency_ms": 1e-9}, "out of reach"),
        ({"mlp": 99}, "Give 16 at most"),
    ],
)
def test_what_cannot_be_cut_is_refused(settings, says):
    with pytest.raises(InvalidInput, match=says):
        prune(dense(4, 16, 16, 16, 2), Pruned(**settings), draw(20, 4))


def test_less_than_one_head_is_refused():
    with pytest.raises(InvalidInput, match=r"heads=0\.2 leaves 0\.8 of 4 heads"):
        prune(Small().eval(), Pruned(heads=0.2), tokens())


def test_a_network_with_nothing_to_cut_is_refused():
    with pytest.raises(InvalidInput, match="Nothing of the Linear"):
        prune(nn.Linear(3, 2), Pruned(mlp=0.5), draw(5, 3))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Pruned(flops=2), r"flops=2 is out of reach.* leaves \d+ operations per row"),
        (Pruned(latency_ms=1e-7), r"latency_ms=1e-07 is out of reach.* leaves .* ms"),
        (Pruned(latency_ms=1e6), r"whole network has .* ms already"),
        (Pruned(size=3), r"size=3 is out of reach.* leaves \d+ parameters"),
    ],
)
def test_a_target_beyond_what_can_be_cut_is_refused_with_what_can(asked, says):
    with pytest.raises(InvalidInput, match=says):
        prune(dense(8, 32, 32, 2), asked, draw(16, 8))


def test_a_target_of_time_says_what_was_measured():
    net, rows = dense(64, 512, 512, 2), draw(256, 64)
    for last in (False, False, False, True):  # on a busy machine a time soon says little
        asked = Pruned(latency_ms=0.7 * milliseconds(net, rows), cut=("mlp",))
        try:
            cut = prune(net, asked, rows)
            break
        except InvalidInput:
            if last:
                raise
    assert any("ms after the cut" in note and "was asked for" in note for note in cut.notes)

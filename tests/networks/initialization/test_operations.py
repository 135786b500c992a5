"""What reads a dropped channel is made blind; then teacher and narrowed student are one function.

Any wrong, or inconsistent, choice of channels in one of the weights breaks this.
"""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from limbeck.modules.capture import logits_of  # noqa: E402
from limbeck.networks.initialization.channels import select  # noqa: E402
from limbeck.networks.initialization.from_teacher import init_from_teacher  # noqa: E402

pytestmark = pytest.mark.torch


class Calls(nn.Module):
    """Layers by name, and a function of them and the input."""

    def __init__(self, function, **layers):
        super().__init__()
        self.parts, self.function = nn.ModuleDict(layers), function

    def forward(self, x):
        return self.function(x, **self.parts)


def ended(width, *layers):
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 5))


def mobile(w):
    """A separable block and an inverted residual one, the second with squeeze and excitation."""

    def block(x, wide, deep, squeeze, excite, narrow):
        y = deep(wide(x)).relu()
        y = y * excite(squeeze(y.mean((2, 3), keepdim=True)).relu()).sigmoid()
        return x + narrow(y)

    separable = nn.Sequential(
        nn.Conv2d(3, w, 3), nn.BatchNorm2d(w), nn.ReLU6(), nn.Conv2d(w, w, 3, groups=w),
        nn.BatchNorm2d(w), nn.Hardswish(), nn.Conv2d(w, w, 1),
    )  # fmt: skip
    inverted = Calls(
        block, wide=nn.Conv2d(w, 3 * w, 1),
        deep=nn.Conv2d(3 * w, 3 * w, 3, padding=1, groups=3 * w),
        squeeze=nn.Conv2d(3 * w, w // 2, 1), excite=nn.Conv2d(w // 2, 3 * w, 1),
        narrow=nn.Conv2d(3 * w, w, 1, bias=False),
    )  # fmt: skip
    return ended(w, separable, inverted)


def resnext(w, groups):
    return ended(
        w, nn.Conv2d(3, w, 1), nn.BatchNorm2d(w), nn.ReLU(), nn.Conv2d(w, w, 3, groups=groups),
        nn.BatchNorm2d(w), nn.ReLU(), nn.Conv2d(w, 2 * w, 1), nn.PReLU(2 * w),
        nn.ConvTranspose2d(2 * w, w, 2, groups=groups),
    )  # fmt: skip


def multiplied(w):
    return ended(w, nn.Conv2d(3, w, 1), nn.Conv2d(w, 2 * w, 3, groups=w), nn.Conv2d(2 * w, w, 1))


def dense(w):
    def grow(x, norm, conv):
        return torch.cat([x, conv(norm(x).relu())], 1)

    def layer(ins):
        conv = nn.Conv2d(ins, w, 3, padding=1, bias=False)
        return Calls(grow, norm=nn.BatchNorm2d(ins), conv=conv)

    return ended(
        4 * w, nn.Conv2d(3, 2 * w, 3), layer(2 * w), layer(3 * w), nn.Conv2d(4 * w, 2 * w, 1),
        nn.AvgPool2d(2), layer(2 * w), layer(3 * w), nn.BatchNorm2d(4 * w), nn.ReLU(),
    )  # fmt: skip


def fire(w):
    def both(x, squeeze, a, b):
        x = squeeze(x).relu()
        return torch.cat([a(x), x, b(x)], 1).relu()

    parts = Calls(
        both, squeeze=nn.Conv2d(3, w, 1), a=nn.Conv2d(w, w, 1), b=nn.Conv2d(w, 2 * w, 3, padding=1)
    )
    return nn.Sequential(parts, nn.Flatten(), nn.Linear(4 * w * 64, 5))


def with_places(w):
    """The input once more, behind the channels."""
    return Calls(
        lambda x, a, b: b(torch.cat([a(x), x], 1)).mean((2, 3)),
        a=nn.Conv2d(3, w, 3, padding=1), b=nn.Conv2d(w + 3, 5, 1),
    )  # fmt: skip


def parted(w):
    """Slices, chunks and gates of one layer's channels."""

    def take(x, a, b, c, d):
        first, second = a(x).relu().chunk(2, 1)
        third, rest = second[:, : w // 2], second[:, w // 2 :]
        return d(functional.glu(b(first), 1) * c(torch.cat([rest, third], 1))).mean((2, 3))

    return Calls(
        take, a=nn.Conv2d(3, 2 * w, 1), b=nn.Conv2d(w, 2 * w, 1), c=nn.Conv2d(w, w, 1),
        d=nn.Conv2d(w, 5, 1),
    )  # fmt: skip


def padded(w):
    """A shortcut with more channels, of zeros, as of ResNets without projections."""
    return Calls(
        lambda x, a, b, c: c(functional.pad(a(x), (0,) * 4 + (w // 2,) * 2) + b(x)).mean((2, 3)),
        a=nn.Conv2d(3, w, 1), b=nn.Conv2d(3, 2 * w, 1), c=nn.Conv2d(2 * w, 5, 1),
    )  # fmt: skip


def fused(w):
    """Queries, keys and values from one layer."""

    def attend(x, qkv, out):
        n, t = x.flatten(2).shape[0], 8
        x = x.reshape(n, 3 * 8, t).transpose(1, 2)
        q, k, v = (y.view(n, t, 2, -1).transpose(1, 2) for y in qkv(x).split(w, 2))
        x = functional.scaled_dot_product_attention(q, k, v, scale=0.5)
        return out(x.transpose(1, 2).reshape(n, t, w)).mean(1)

    return Calls(attend, qkv=nn.Linear(24, 3 * w), out=nn.Linear(w, 5))


def tokens(x):
    return x.flatten(2).transpose(1, 2)  # (n, places, channels)


def packed(w, heads):
    """Torch's own attention: queries, keys and values in one weight, fewer heads of one width."""
    return Calls(
        lambda x, a, m, end: end(m(*[a(tokens(x))] * 3)[0]).mean(1),
        a=nn.Linear(3, w), m=nn.MultiheadAttention(w, heads, batch_first=True), end=nn.Linear(w, 5),
    )  # fmt: skip


def tabled(w, heads):
    """The same in one view of five axes, as of vision transformers."""

    def attend(x, a, qkv, end):
        x = a(tokens(x))
        n, t, _ = x.shape
        q, k, v = qkv(x).reshape(n, t, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        x = functional.scaled_dot_product_attention(q, k, v, scale=0.5)
        return end(x.transpose(1, 2).reshape(n, t, -1)).mean(1)

    return Calls(attend, a=nn.Linear(3, w), qkv=nn.Linear(w, 3 * w), end=nn.Linear(w, 5))


CASES = {
    "separable and inverted": (mobile, (8,), (4,)),
    "groups of fewer channels": (resnext, (16, 4), (8, 4)),
    "fewer groups": (resnext, (16, 4), (8, 2)),
    "fewer groups of fewer channels": (resnext, (32, 4), (8, 2)),
    "depthwise, two kernels a channel": (multiplied, (8,), (4,)),
    "dense": (dense, (6,), (4,)),
    "two branches and a shortcut": (fire, (6,), (4,)),
    "inputs beside channels": (with_places, (6,), (4,)),
    "parts of channels": (parted, (8,), (4,)),
    "zeros for channels": (padded, (8,), (4,)),
    "queries, keys and values at once": (fused, (8,), (4,)),
    "torch's attention of fewer heads": (packed, (16, 4), (8, 2)),
    "a view of fewer heads": (tabled, (16, 4), (8, 2)),
    "a view of narrower heads": (tabled, (16, 4), (8, 4)),
    "a view of fewer, narrower heads": (tabled, (24, 4), (6, 2)),
}


def made(make, sizes, seed):
    torch.manual_seed(seed)
    net = make(*sizes)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.weight, 0.5, 2.0)
            nn.init.normal_(part.bias)
    return net.eval()


def blinded(teacher, chosen):
    """Zero everything in the teacher's weights that was not taken."""
    with torch.no_grad():
        for name, which in chosen.items():
            value = teacher.state_dict(keep_vars=True)[name]
            if value.ndim > 1:
                kept = torch.zeros(value.shape, dtype=torch.bool)
                kept[torch.meshgrid(*which, indexing="ij")] = True
                value.masked_fill_(~kept, 0.0)


@pytest.mark.parametrize("importance", ["activation", "norm"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_channels_are_chosen_wherever_they_are(case, importance):
    make, wide, narrow = CASES[case]
    teacher, student = made(make, wide, 0), made(make, narrow, 1)
    x = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    names = {name: name for name in student.state_dict()}
    chosen = select(teacher, student, names, x, importance)
    assert not [(name, why) for name, why in chosen.items() if isinstance(why, str)]
    assert init_from_teacher(teacher, student, batch=x, importance=importance).share == 1.0
    blinded(teacher, chosen)
    with torch.no_grad():
        assert torch.allclose(student(x), teacher(x), atol=1e-5)
        assert student(x).std(0).min() > 1e-4  # both say something


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mobilenet_v1", "mobilenet_v2", "regnet", "efficientnet"])
def test_networks_of_transformers(kind):
    import transformers as of

    def net(share):
        configs = {
            "mobilenet_v1": lambda: of.MobileNetV1Config(depth_multiplier=share, min_depth=4),
            "mobilenet_v2": lambda: of.MobileNetV2Config(
                depth_multiplier=share, min_depth=4, depth_divisible_by=4
            ),
            "regnet": lambda: of.RegNetConfig(
                embedding_size=16, hidden_sizes=[int(64 * share), int(128 * share)],
                depths=[1, 2], groups_width=4, layer_type="y",
            ),
            "efficientnet": lambda: of.EfficientNetConfig(
                width_coefficient=share, depth_coefficient=0.3, hidden_dim=int(1280 * share)
            ),
        }  # fmt: skip
        return of.AutoModelForImageClassification.from_config(configs[kind]()).eval()

    torch.manual_seed(0)
    teacher, student = net(0.5), net(0.25)
    x = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    chosen = select(teacher, student, {n: n for n in student.state_dict()}, x)
    assert init_from_teacher(teacher, student, batch=x).share == 1.0
    blinded(teacher, chosen)
    with torch.no_grad():
        theirs, ours = (logits_of(m(x), kind) for m in (teacher, student))
    assert torch.allclose(theirs, ours, atol=1e-4, rtol=1e-3)


def test_the_most_important_of_every_part_are_kept():
    net = with_places(4)
    student = with_places(2)
    with torch.no_grad():
        net.parts["b"].weight[:, :4] *= torch.tensor([9.0, 0.1, 0.1, 9.0])[:, None, None]
    x = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    chosen = select(net, student, {n: n for n in student.state_dict()}, x)
    assert chosen["parts.a.weight"][0].tolist() == [0, 3]
    assert chosen["parts.b.weight"][1].tolist() == [0, 3, 4, 5, 6]


def test_torchs_encoder_layer_is_followed_though_it_runs_as_one_in_eval_mode():
    def net(w):
        layer = nn.TransformerEncoderLayer(w, 2, 2 * w, batch_first=True)
        return Calls(
            lambda x, a, m, end: end(m(a(tokens(x)))).mean(1),
            a=nn.Linear(3, w), m=layer, end=nn.Linear(w, 5),
        )  # fmt: skip

    before = torch.backends.mha.get_fastpath_enabled()
    assert init_from_teacher(net(8), net(4), batch=torch.randn(4, 3, 4, 4)).share == 1.0
    assert torch.backends.mha.get_fastpath_enabled() == before


@pytest.mark.parametrize("importance", ["activation", "norm"])
def test_fewer_keys_than_queries(importance):
    from transformers import LlamaConfig, LlamaForCausalLM

    def net(width):
        config = LlamaConfig(
            hidden_size=width, intermediate_size=2 * width, num_hidden_layers=1, vocab_size=40,
            num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        )  # fmt: skip
        return LlamaForCausalLM(config)

    words = torch.randint(1, 40, (4, 6), generator=torch.Generator().manual_seed(0))
    report = init_from_teacher(net(32), net(16), batch={"input_ids": words}, importance=importance)
    assert report.share == 1.0


def test_group_norm_keeps_as_many_channels_of_each_group():
    def net(w):
        return ended(w, nn.Conv2d(3, w, 1), nn.GroupNorm(2, w), nn.ReLU())

    teacher, student = net(8), net(4)
    with torch.no_grad():
        teacher[-1].weight *= torch.tensor([9.0, 8.0, 7.0, 6.0, 0.1, 0.2, 0.3, 0.4])
    x = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    chosen = select(teacher, student, {n: n for n in student.state_dict()}, x, "norm")
    kept = chosen["1.weight"][0].tolist()
    assert [k < 4 for k in kept] == [True, True, False, False]  # the first four weigh more
    assert chosen["0.weight"][0].tolist() == chosen["5.weight"][1].tolist() == kept


@pytest.mark.parametrize(
    "mixed",
    [
        lambda x: x.view(len(x), 2, -1, 8, 8).transpose(1, 2).flatten(1, 2),  # a channel shuffle
        lambda x: torch.cat([x[:, ::2], x[:, 1::2]], 1),
        lambda x: functional.pixel_unshuffle(functional.pixel_shuffle(x, 2), 2),
        lambda x: functional.pad(x, (0, 0, 0, 0, -1, 1)),
    ],
)
def test_what_mixes_channels_is_left(mixed):
    def net(w):
        return Calls(
            lambda x, a, b: b(mixed(a(x))).mean((2, 3)), a=nn.Conv2d(3, w, 1), b=nn.Conv2d(w, 5, 1)
        )

    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    report = init_from_teacher(net(8), net(4), batch=x)
    assert {e.name for e in report.of("left")} >= {"parts.a.weight", "parts.b.weight"}
    assert "could not be followed" in report.of("left")[0].why


def test_other_parts_are_left_and_the_reason_told():
    def net(*widths):
        layers = {f"a{i}": nn.Conv2d(3, w, 1) for i, w in enumerate(widths)}
        return Calls(
            lambda x, end, **a: end(torch.cat([m(x) for m in a.values()], 1)).mean((2, 3)),
            **layers, end=nn.Conv2d(sum(widths), 5, 1),
        )  # fmt: skip

    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    report = init_from_teacher(net(8, 8, 8), net(4, 4), batch=x)
    assert "3 parts joined in the teacher, 2 here" in report.of("left")[0].why
    report = init_from_teacher(net(4, 8), net(6, 4), batch=x)
    assert "wider than the teacher's" in {e.why.rpartition("; ")[2] for e in report.of("left")}

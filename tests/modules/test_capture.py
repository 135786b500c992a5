"""Reading and editing layers."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import Capture, asking, logits_of, run, wide


class Attends(nn.Module):
    """Returns a tuple, as attention does."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return 2 * x, x.softmax(-1)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.attends = Attends()
        self.unused = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.attends(self.first(x))[0].sum(-1)


def test_layers_are_read_and_tuples_by_entry() -> None:
    net, x = Net(), torch.randn(5, 3)
    with Capture(net, ["first", "attends", "attends[1]"]) as capture:
        net(x)
        taken = capture.take()
    torch.testing.assert_close(taken["first"], net.first(x))
    torch.testing.assert_close(taken["attends"], 2 * net.first(x))
    torch.testing.assert_close(taken["attends[1]"], net.first(x).softmax(-1))


def test_two_networks_of_one_class_share_nothing() -> None:
    a, b, x = Net(), Net(), torch.randn(2, 3)
    with Capture(a, ["first"]) as one, Capture(b, ["first"]) as two:
        a(x)
        b(x)
        torch.testing.assert_close(one.take()["first"], a.first(x))
        torch.testing.assert_close(two.take()["first"], b.first(x))
    assert not a.first._forward_hooks
    assert not b.first._forward_hooks


def test_hooks_go_even_after_an_error() -> None:
    net = Net()
    with pytest.raises(RuntimeError), Capture(net, ["first"]):
        net(torch.randn(2, 7))
    assert not net.first._forward_hooks


def test_edits_change_what_follows_and_gradients_flow() -> None:
    net, x = Net(), torch.randn(5, 3)
    swapped = torch.randn(5, 4, requires_grad=True)
    with Capture(net, ["first"]) as capture, capture.editing({"first": lambda old: swapped}):
        out = net(x)
    torch.testing.assert_close(out, 2 * swapped.sum(-1))
    out.sum().backward()
    assert swapped.grad is not None
    with Capture(net, ["attends[1]"]) as capture, capture.editing({"attends[1]": torch.zeros_like}):
        torch.testing.assert_close(net(x), 2 * net.first(x).sum(-1))  # the second entry is not used


def test_unknown_and_unused_layers_are_named() -> None:
    net = Net()
    with pytest.raises(InvalidInput, match=r"'frist'.*Did you mean 'first'"):
        Capture(net, ["frist"])
    with Capture(net, ["unused"]) as capture:
        net(torch.randn(1, 3))
        with pytest.raises(InvalidInput, match="'unused' did not run"):
            capture.take()


def test_inputs_of_every_kind_are_passed_on() -> None:
    class Two(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return a - b

    one = torch.ones(1)
    assert run(Two(), {"b": one, "a": 3 * one}).item() == 2
    assert run(Two(), (3 * one, one)).item() == 2
    assert run(nn.Identity(), one) is one
    assert run(Two(), {"b": one, "a": 3 * one, "unread": one}).item() == 2
    with pytest.raises(InvalidInput, match=r"Two takes 'a', 'b', and the rows have 'image'\."):
        run(Two(), {"image": one})


def test_logits_are_found_where_libraries_put_them() -> None:
    z = torch.zeros(2, 3)
    assert logits_of(z, "net") is z
    assert logits_of((None, z), "net") is z
    assert logits_of(OrderedDict(loss=torch.ones(()), logits=z), "net") is z
    with pytest.raises(InvalidInput, match="net returned a str"):
        logits_of("text", "net")


def test_asking_restores_every_submodule() -> None:
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()))
    net.train()
    net[1][0].eval()
    with asking(net):
        assert not any(m.training for m in net.modules())
        assert torch.is_inference_mode_enabled()
    assert [m.training for m in net.modules()] == [True, True, True, False, True]


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened_and_nothing_else_is(half: torch.dtype) -> None:
    assert wide(torch.ones(2, dtype=half)).dtype is torch.float32
    for other in (torch.float32, torch.float64, torch.int64):
        assert wide(torch.ones(2, dtype=other)).dtype is other


class Attending(nn.Module):
    """Returns (output, weights), and no weights where they are not computed."""

    def __init__(self, weights: bool) -> None:
        super().__init__()
        self.inner, self.weights = nn.Linear(2, 2), weights

    def forward(self, x):
        return self.inner(x), torch.ones(2) if self.weights else None


def test_attention_that_is_not_returned_names_the_remedy() -> None:
    for weights in (True, False):
        net = nn.Sequential(Attending(weights))
        with Capture(net, ["0[1]"]) as capture:
            net(torch.zeros(1, 2))
            if weights:
                assert capture.take()["0[1]"].shape == (2,)
                continue
            with pytest.raises(
                InvalidInput,
                match=r"'0\[1\]' returned no tensor there, but a tuple.*NoneType.*eager",
            ):
                capture.take()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("how", ["script", "trace"])
def test_layers_of_torchscript_cannot_be_read(how: str) -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    made = torch.jit.script(net) if how == "script" else torch.jit.trace(net, torch.zeros(1, 2))
    for whole, name in ((made, "1"), (nn.Sequential(made), "0.1")):
        with pytest.raises(InvalidInput, match=rf"'{name}' is inside a network of TorchScript"):
            Capture(whole, [name])
    outer = nn.Sequential(made, nn.Identity())
    with Capture(outer, ["1"]) as capture:  # beside it is as ever
        outer(torch.zeros(1, 2))
        assert capture.take()["1"].shape == (1, 3)

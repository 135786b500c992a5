from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.mixers.convolution import ShortConvolution  # noqa: E402
from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS, TokenRows  # noqa: E402


def drawn(channels=3, width=4):
    torch.manual_seed(0)
    return ShortConvolution(channels, width, identity=False).double()


@torch.no_grad()
def test_it_is_the_causal_depthwise_convolution_of_torch():
    conv, u = drawn(), torch.randn(2, 9, 3).double()
    y, past = conv(u, ROW_DEFAULTS)
    weight = conv.weight.flip(0).T[:, None]  # torch's last weighs the token itself
    padded = torch.nn.functional.pad(u.transpose(1, 2), (3, 0))
    expected = torch.nn.functional.conv1d(padded, weight, conv.bias, groups=3).transpose(1, 2)
    torch.testing.assert_close(y, expected)
    assert torch.equal(past, u[:, -3:])
    first, past = conv(u[:, :2], ROW_DEFAULTS)  # fewer tokens than the convolution sees
    second, _ = conv(u[:, 2:], ROW_DEFAULTS, past)
    torch.testing.assert_close(torch.cat([first, second], 1), y)


@torch.no_grad()
def test_the_identity_changes_nothing_and_padding_counts_as_nothing():
    u = torch.randn(2, 5, 3)
    assert torch.equal(ShortConvolution(3)(u, ROW_DEFAULTS)[0], u)
    conv, keep = drawn(), torch.tensor([[True] * 5, [True, True, True, False, False]])
    u = u.double()
    _, past = conv(u, TokenRows(keep))
    assert torch.equal(past[0], u[0, 2:])
    assert torch.equal(past[1], u[1, :3])  # the last tokens that count
    alone, _ = conv(u[1:, :3], ROW_DEFAULTS)
    torch.testing.assert_close(conv(u, TokenRows(keep))[0][1:, :3], alone)


@torch.no_grad()
def test_nothing_passes_between_sequences_of_a_row():
    conv, u = drawn(), torch.randn(1, 7, 3).double()
    y, _ = conv(u, TokenRows(segments=torch.tensor([[0, 0, 0, 0, 1, 1, 1]])))
    torch.testing.assert_close(y[:, :4], conv(u[:, :4], ROW_DEFAULTS)[0])
    torch.testing.assert_close(y[:, 4:], conv(u[:, 4:], ROW_DEFAULTS)[0])

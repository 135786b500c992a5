"""A short causal convolution of each channel, whose start may be the identity."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from limbeck.networks.conversion.mixers.rows import TokenRows, kept_values

__all__ = ["ShortConvolution"]


class ShortConvolution(nn.Module):
    """y_t = sum over k < width of w_k u_{t - k}, for each channel by itself.

    Written as shifted sums, so that sequences packed into one row, padding on either side and
    the state for generation need nothing else.

    Parameters
    ----------
    channels : int
        Channels, c.
    width : int
        Tokens that an output sees; 1 leaves the layer out.
    identity : bool
        Start as the identity; otherwise uniformly at random with a bias, as torch's Conv1d does.
    """

    def __init__(self, channels: int, width: int = 4, *, identity: bool = True) -> None:
        super().__init__()
        weight = torch.zeros(width, channels)
        if identity:
            weight[0] = 1.0
        else:
            nn.init.uniform_(weight, -(width**-0.5), width**-0.5)
        self.weight = nn.Parameter(weight)  # (k, c); the first weighs the token itself
        bias = torch.zeros(channels)
        if not identity:
            nn.init.uniform_(bias, -(width**-0.5), width**-0.5)
        self.bias = nn.Parameter(bias)

    def forward(
        self, u: Tensor, rows: TokenRows, past: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Outputs (b, t, c), and the last width - 1 inputs (b, width - 1, c) for the next call.

        Parameters
        ----------
        u : Tensor of shape (b, t, c)
            Inputs.
        rows : TokenRows
            Padding counts as 0, and nothing passes between sequences.
        past : Tensor of shape (b, width - 1, c), optional
            What the call before returned.
        """
        back = self.weight.shape[0] - 1
        u = kept_values(u, rows)
        if past is None:
            past = u.new_zeros(u.shape[0], back, u.shape[2])
        whole = torch.cat([past, u], 1)  # (b, back + t, c)
        t = u.shape[1]
        y = torch.addcmul(self.bias, self.weight[0], u)
        for k in range(1, back + 1):
            shifted = whole[:, back - k : back - k + t]
            if rows.segments is not None:
                before = torch.cat([rows.segments[:, :1].expand(-1, k), rows.segments], 1)[:, :t]
                shifted = shifted * (before == rows.segments)[..., None].to(u.dtype)
            y = torch.addcmul(y, self.weight[k], shifted)
        return y, _latest(whole, rows, back)


def _latest(whole: Tensor, rows: TokenRows, back: int) -> Tensor:
    """The last inputs that are no padding, for rows that are padded on the right."""
    if rows.keep is None or back == 0:
        return whole[:, whole.shape[1] - back :]
    place = torch.arange(1, rows.keep.shape[1] + 1, device=whole.device)
    end = (rows.keep * place).amax(1)  # past the last token that counts, (b,)
    index = end[:, None] + torch.arange(back, device=whole.device)  # in `whole`
    return whole.gather(1, index[..., None].expand(-1, -1, whole.shape[2]))

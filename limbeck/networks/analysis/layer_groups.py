"""The layers of a network as groups: the blocks of its longest stack, and what lies beside it."""

from __future__ import annotations

from torch import nn

__all__ = ["freeze", "layer_groups"]


def layer_groups(module: nn.Module) -> dict[str, tuple[str, ...]]:
    """Names of parameters by group.

    Parameters
    ----------
    module : nn.Module
        Its longest ``ModuleList`` or ``Sequential`` gives a group a layer; other parameters are
        grouped by the first part of their name.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> layer_groups(net)
    {'0': ('0.weight', '0.bias'), '2': ('2.weight', '2.bias')}
    """
    stacks = {
        name: [n for n, m in owner.named_children() if any(True for _ in m.parameters())]
        for name, owner in module.named_modules()
        if isinstance(owner, nn.ModuleList | nn.Sequential)
    }
    longest = max(stacks, key=lambda n: len(stacks[n]), default=None)
    inside = f"{longest}." if longest else ""
    out: dict[str, tuple[str, ...]] = {}
    for name, _ in module.named_parameters():
        group = name.partition(".")[0]
        if longest is not None and name.startswith(inside):
            group = inside + name[len(inside) :].partition(".")[0]
        out[group] = (*out.get(group, ()), name)
    return out


def freeze(module: nn.Module, names: tuple[str, ...]) -> None:
    """Let some parameters stay as they are, in place.

    Parameters
    ----------
    module : nn.Module
        The network.
    names : tuple of str
        Names of parameters.
    """
    for name in names:
        module.get_parameter(name).requires_grad_(False)

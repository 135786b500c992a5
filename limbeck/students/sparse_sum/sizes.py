"""Which sizes of sums are tried."""

from __future__ import annotations

__all__ = ["doubling_up_to", "sizes_up_to"]


def sizes_up_to(most: int) -> tuple[int, ...]:
    """Budgets that are tried: in small steps first, then in larger ones, the largest last."""
    steps = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
    return (*[s for s in steps if s < most], most)


def doubling_up_to(most: int) -> tuple[int, ...]:
    """Budgets of 2, 4, 8, ... numbers, the largest last."""
    return (*[2**k for k in range(1, 30) if 2**k < most], most)

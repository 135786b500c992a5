"""Carriers by name, as ``keep=`` says them."""

from __future__ import annotations

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.language.carriers.carrier import Carrier
from limbeck.language.carriers.full import KeepAll, KeepHidden
from limbeck.language.carriers.sampled import KeepSampled
from limbeck.language.carriers.top import KeepTop

__all__ = ["carrier_of"]

_NAMES = ("sampled:50", "top:32", "hidden", "hidden:int8", "full")
_MOST = 65_535


def carrier_of(keep: str) -> Carrier:
    """The carrier that is called so.

    Parameters
    ----------
    keep : str
        "sampled:N", "top:K", "hidden", "hidden:int8" or "full".

    Raises
    ------
    InvalidInput
        With the names there are.

    Examples
    --------
    >>> carrier_of("top:32")
    KeepTop(top=32)
    """
    kind, _, number = str(keep).partition(":")
    plain: dict[str, Carrier] = {
        "full": KeepAll(),
        "hidden": KeepHidden(),
        "hidden:int8": KeepHidden(bits=8),
    }
    if keep in plain:
        return plain[keep]
    if kind in ("sampled", "top") and number.isascii() and number.isdigit():
        if not 1 <= int(number) <= _MOST:
            raise InvalidInput(f"keep is {keep!r}.", f"Give a number from 1 to {_MOST:,}.")
        return KeepSampled(int(number)) if kind == "sampled" else KeepTop(int(number))
    raise InvalidInput(f"keep is {keep!r}.", did_you_mean(str(keep), _NAMES))

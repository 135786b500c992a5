"""Low-rank adapters by peft: few weights are trained, and merged at the end."""

from __future__ import annotations

from typing import Any

from torch import nn

from limbeck.core.errors import InvalidInput, MissingExtra

__all__ = ["adapted", "merged"]


def adapted(module: nn.Module, given: Any) -> nn.Module:
    """The module with adapters, all else frozen.

    Parameters
    ----------
    module : nn.Module
        Of transformers; it is changed in place.
    given : int, mapping or peft.LoraConfig
        The rank; or settings of ``peft.LoraConfig``.

    Raises
    ------
    MissingExtra
        If peft is not installed.
    InvalidInput
        If the settings are none of peft's.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise MissingExtra("LoRA needs peft.", "pip install 'limbeck[lora]'.") from None
    if isinstance(given, int) and not isinstance(given, bool):
        given = {"r": given, "lora_alpha": 2 * given, "target_modules": "all-linear"}
    try:
        config = LoraConfig(**given) if isinstance(given, dict) else given
        found: nn.Module = get_peft_model(module, config)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"lora is {given!r}: {error}.", "Give a rank such as 16.") from error
    return found


def merged(module: nn.Module) -> nn.Module:
    """The plain module with its adapters added to the weights; itself where it has none."""
    merge = getattr(module, "merge_and_unload", None)
    found: nn.Module = module if merge is None else merge()
    return found

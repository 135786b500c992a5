"""Low-rank adapters by peft: few weights are trained, and merged at the end."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from limbeck.core.errors import InvalidInput, MissingExtra

__all__ = ["adapted", "merged"]


def adapted(module: nn.Module, given: Any, seed: int = 0) -> nn.Module:
    """The module with adapters, all else frozen; the global random numbers are left alone.

    Parameters
    ----------
    module : nn.Module
        Of transformers; it is changed in place.
    given : int, mapping or peft.LoraConfig
        The rank; or settings of ``peft.LoraConfig``.
    seed : int
        Of the adapters' first weights.

    Raises
    ------
    MissingExtra
        If peft is not installed.
    InvalidInput
        If the settings are none of peft's.
    """
    try:
        from peft import LoraConfig, PeftConfig, get_peft_model
    except ImportError:
        raise MissingExtra("LoRA needs peft.", "pip install 'limbeck[lora]'.") from None
    if isinstance(given, bool) or not isinstance(given, int | Mapping | PeftConfig):
        raise InvalidInput(f"lora is {given!r}.", "Give a rank such as 16.")
    if isinstance(given, int):
        given = {"r": given, "lora_alpha": 2 * given, "target_modules": "all-linear"}
    try:
        config = LoraConfig(**given) if isinstance(given, Mapping) else given
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by an old name
            torch.manual_seed(seed)
            found: nn.Module = get_peft_model(module, config)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"lora is {given!r}: {error}.", "Give a rank such as 16.") from error
    return found


def merged(module: nn.Module) -> nn.Module:
    """The plain module with its adapters added to the weights; itself where it has none."""
    merge = getattr(module, "merge_and_unload", None)
    found: nn.Module = module if merge is None else merge()
    return found

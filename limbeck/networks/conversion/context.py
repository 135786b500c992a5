"""What the converted layers of one model know about the batch that is running through it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS, TokenRows, rows_from

__all__ = ["BatchContext"]


class BatchContext:
    """Padding and sequences of the running batch, read where the model is called.

    Blocks of transformers hand on a mask of pairs, which not every kind of attention gets; the
    mask of tokens and the positions are read from the call of the model itself.
    """

    def __init__(self) -> None:
        self.rows: TokenRows = ROW_DEFAULTS

    def watch(self, base: nn.Module) -> None:
        """Read every call of a model from now on.

        Parameters
        ----------
        base : nn.Module
            The model below the head, as ``model.base_model`` gives it.
        """
        base.register_forward_pre_hook(self._read, with_kwargs=True)

    def _read(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        tokens = kwargs.get("input_ids", args[0] if args else None)
        tokens = kwargs.get("inputs_embeds") if tokens is None else tokens
        if not isinstance(tokens, Tensor):
            self.rows = ROW_DEFAULTS
            return
        self.rows = rows_from(
            tokens.shape[1], kwargs.get("attention_mask"), kwargs.get("position_ids")
        )

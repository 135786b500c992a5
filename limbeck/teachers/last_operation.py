"""Whether a network ends in a sigmoid or softmax, seen from the operations of its last call."""

from __future__ import annotations

from typing import Any

from torch import Tensor

__all__ = ["ends_in_sigmoid"]

# Names of autograd's nodes: these move or copy numbers and leave them as they are.
_MOVES = (
    "View", "Reshape", "Squeeze", "Unsqueeze", "Select", "Slice", "Clone", "ToCopy", "Transpose",
    "Permute", "Alias", "Expand", "Clamp",
)  # fmt: skip


def ends_in_sigmoid(output: Tensor) -> bool:
    """Whether the last operation that computed an output was a sigmoid or a softmax.

    Parameters
    ----------
    output : Tensor
        Computed with gradients enabled; without a graph the answer is False.
    """
    node: Any = output.grad_fn
    while node is not None:
        name = type(node).__name__.split("Backward")[0].lstrip("_")
        if name in ("Sigmoid", "Softmax"):
            return True
        if name != "T" and not name.startswith(_MOVES):  # Tanh begins like the transpose T
            return False
        following = [n for n, _ in node.next_functions if n is not None]
        node = following[0] if following else None
    return False

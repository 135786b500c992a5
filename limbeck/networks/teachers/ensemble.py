"""Several teachers as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.data.ensemble_weights import ensemble_weights
from limbeck.modules.capture import picked
from limbeck.modules.outputs import answer

__all__ = ["ModuleEnsemble"]


class ModuleEnsemble(nn.Module):
    """Teachers that answer together, or each for its own rows.

    Parameters
    ----------
    teachers : sequence of nn.Module
        With the same outputs. They are held, not copied; their layers are named ``teachers.0.…``.
    weights : sequence of float, optional
        How much each counts; shares of their sum. Equal by default.
    combine : {"probabilities", "logits"}
        The mean of softmax probabilities, given as its logarithm, so that a softmax of the output
        returns it (You et al. 2017, Learning from Multiple Teacher Networks); or the mean of
        outputs, which is the one for regression and for multi-label targets.
    choose : callable, optional
        One teacher for each row, by class or domain: from the inputs of a batch, as the network
        gets them, to places of teachers, (n,). Each is called with its rows only, and its outputs
        are passed on as they are.

    Raises
    ------
    InvalidInput
        If there is no teacher, weights do not fit, or ``choose`` comes with weights.

    Examples
    --------
    >>> both = ModuleEnsemble([nn.Identity(), nn.Identity()], combine="logits")
    >>> both(torch.tensor([[1.0, 2.0]]))
    tensor([[1., 2.]])
    """

    share: Tensor

    def __init__(
        self,
        teachers: Sequence[nn.Module],
        weights: Sequence[float] | None = None,
        combine: str = "probabilities",
        choose: Callable[[Any], Tensor] | None = None,
    ) -> None:
        super().__init__()
        if combine not in ("probabilities", "logits"):
            raise InvalidInput(f"combine is {combine!r}.", "Give 'probabilities' or 'logits'.")
        share = ensemble_weights(len(teachers), weights)
        if choose is not None and weights is not None:
            raise InvalidInput(
                "There are weights, and choose names one teacher per row.", "Give one of the two."
            )
        self.teachers = nn.ModuleList(teachers)
        self.combine = combine
        self.choose = choose
        home = next((t.device for m in teachers for t in (*m.parameters(), *m.buffers())), None)
        self.register_buffer("share", torch.tensor(share, device=home))

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """Logits of shape (n, k) or (n, t, k)."""
        batch: Any = named if named else inputs[0] if len(inputs) == 1 else inputs
        if self.choose is not None:
            return self._chosen(batch, self.choose(batch))
        answers = [self._ask(i, batch) for i in range(len(self.teachers))]
        for i, found in enumerate(answers):
            _check_other(i, found.shape[-1], answers[0].shape[-1])
        if self.combine == "probabilities":
            if answers[0].shape[-1] == 1:
                raise InvalidInput(
                    "Teachers of one output have no probabilities to combine.",
                    "Give combine='logits'.",
                )
            answers = [a.log_softmax(-1) for a in answers]
        stacked = torch.stack(answers)  # (teachers, n, k)
        share = self.share.to(stacked.dtype).reshape(-1, *[1] * (stacked.ndim - 1))
        if self.combine == "logits":
            return (stacked * share).sum(0)
        return (stacked + share.log()).logsumexp(0)

    def extra_repr(self) -> str:
        """What `repr` shows, and so what a fingerprint sees."""
        chosen = getattr(self.choose, "__qualname__", type(self.choose).__name__)
        return f"combine={self.combine!r}, choose={chosen}"

    def _chosen(self, batch: Any, places: Tensor) -> Tensor:
        out: Tensor | None = None
        if places.ndim != 1 or not bool(((places >= 0) & (places < len(self.teachers))).all()):
            raise InvalidInput(
                f"choose returned {places.flatten()[:8].tolist()} of shape {tuple(places.shape)}.",
                f"Let it return one of 0 to {len(self.teachers) - 1} for each row.",
            )
        for i in sorted(set(places.tolist())):
            rows = (places == i).nonzero()[:, 0]
            found = self._ask(i, picked(batch, rows))
            if out is None:
                out = found.new_empty((len(places), *found.shape[1:]))
            _check_other(i, found.shape[-1], out.shape[-1])
            out[rows] = found
        assert out is not None  # noqa: S101  (a batch has rows)
        return out

    def _ask(self, i: int, batch: Any) -> Tensor:
        return answer(self.teachers[i], batch, f"Teacher {i}")


def _check_other(i: int, outputs: int, known: int) -> None:
    if outputs != known:
        raise InvalidInput(
            f"Teacher {i} has {outputs} outputs, an earlier one {known}.",
            "Let all teachers answer the same classes, in the same order.",
        )

"""How the search for a wavelet ended, in a sentence."""

from __future__ import annotations

from limbeck.core.status import Status, StatusCode
from limbeck.signal.wavelets.path import PathPoint

__all__ = ["status_of"]


def status_of(point: PathPoint | None, responds: bool, interrupted: bool, start: str) -> Status:
    """The status of a search for a wavelet.

    Parameters
    ----------
    point : PathPoint or None
        What was chosen, if anything was found.
    responds : bool
        Whether any gradient of the teacher is other than zero.
    interrupted : bool
        Whether the search was cut short.
    start : str
        The name of the wavelet that it started from.
    """
    if interrupted:
        return Status(StatusCode.INTERRUPTED, "The search for the wavelet was interrupted.")
    if not responds:
        return Status(
            StatusCode.HYPOTHESIS_FAILED,
            "The teacher's gradients are zero at all signals, so that TRIM says nothing: the"
            " wavelet was learned from the signals alone."
            if point
            else "The teacher's gradients are zero at all signals: the wavelet is that of the"
            " start.",
            "If the teacher has a step without a gradient, give attribution='differences'.",
        )
    assert point is not None  # noqa: S101  (there are gradients, so there was a search)
    found, before = point.found, point.before
    if point.success is False:
        return Status(
            StatusCode.HYPOTHESIS_FAILED,
            f"No wavelet of {found.starts} starts is sparser than {start}: the loss"
            f" is {found.loss:.4g}, and was {before:.4g}.",
            "Give a longer wavelet, or other weights of sparsity and trim.",
        )
    if point.success:
        what = f"attributions ({point.attributions:.4g})" if point.trim else "signals"
        return Status(
            StatusCode.COMPLETE,
            f"The {what} are as sparse as in any wavelet: the search arrived.",
        )
    return Status(
        StatusCode.COMPLETE,
        f"The loss is {found.loss:.4g}, and is {before:.4g} for {start}."
        f" {found.reached} of {found.starts} starts came to this filter; global optimality"
        " is not proven.",
    )

"""The certificate of a student of a student: by its steps, and directly."""

from __future__ import annotations

from dataclasses import dataclass

from limbeck.certificates.chains import chain
from limbeck.certificates.wording import in_percent, upward
from limbeck.core.certificate import Certificate

__all__ = ["ComposedBound", "direct_delta", "step_delta"]


def direct_delta(delta: float) -> float:
    """The part of delta for the direct comparison: half of it."""
    return delta / 2


def step_delta(delta: float, steps: int) -> float:
    """The part of delta for each of several steps: the other half, shared equally.

    Parameters
    ----------
    delta : float
        Of all bounds together.
    steps : int
        How many steps there are.
    """
    return delta / 2 / steps


@dataclass(frozen=True)
class ComposedBound:
    """Two bounds for the last of several students: its steps added up, and the direct comparison.

    All certificates hold at once with probability at least 1 - ``total_delta`` (the union bound;
    they may use the same rows, which none of the students saw), so that the smaller of the two may
    be reported. The proof is in docs/theory.md.

    Parameters
    ----------
    students : tuple of str
        The students in order, by name; the last is the one that was asked for.
    steps : tuple of Certificate
        Of each student against the one before it; of the first against the teacher.
    direct : Certificate
        Of the last student against the teacher.
    """

    students: tuple[str, ...]
    steps: tuple[Certificate, ...]
    direct: Certificate

    @property
    def epsilon(self) -> float:
        """The errors of the steps, added up; at most 1."""
        return chain(self.steps)[0]

    @property
    def delta(self) -> float:
        """The deltas of the steps, added up."""
        return chain(self.steps)[1]

    @property
    def tolerance(self) -> float | None:
        """For numbers: the tolerances of the steps, added up, which hold but for ``epsilon``."""
        found = [step.tolerance for step in self.steps]
        return None if None in found else sum(t for t in found if t is not None)

    @property
    def total_delta(self) -> float:
        """The probability that any of the bounds is wrong."""
        return self.delta + self.direct.delta

    @property
    def by_steps(self) -> bool:
        """Whether the bound by the steps is the smaller one."""
        if self.tolerance is not None and self.direct.tolerance is not None:
            return self.tolerance < self.direct.tolerance
        return self.epsilon < self.direct.epsilon

    @property
    def bound(self) -> float:
        """The smaller bound: a share of inputs; for numbers, the tolerance."""
        direct, steps = self.direct.tolerance, self.tolerance
        if direct is not None and steps is not None:
            return min(direct, steps)
        return min(self.direct.epsilon, self.epsilon)

    @property
    def sentence(self) -> str:
        """Both bounds, and which one is smaller."""
        before = ("the teacher", *(f"the {name}" for name in self.students))
        each = ", ".join(
            f"{name} from {other} by at most {self._size(step)}"
            for name, other, step in zip(before[1:], before, self.steps, strict=False)
        )
        smaller = "its steps" if self.by_steps else "the direct comparison"
        return (
            f"By its steps ({each}) the {self.students[-1]} differs from the teacher by at most"
            f" {self._sum()}; compared directly, by at most {self._size(self.direct)}. Both hold at"
            f" once with probability at least {in_percent(1 - self.total_delta)}, and the bound of"
            f" {smaller} is the smaller one."
        )

    def _size(self, certificate: Certificate) -> str:
        if certificate.tolerance is None:
            return f"{upward(100 * certificate.epsilon)}%"
        return f"{upward(certificate.tolerance, 6)} on all but {upward(100 * certificate.epsilon)}%"

    def _sum(self) -> str:
        share = f"{upward(100 * self.epsilon)}%"
        return (
            share if self.tolerance is None else f"{upward(self.tolerance, 6)} on all but {share}"
        )

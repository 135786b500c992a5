"""A way from a teacher to a student: the reductions that it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from limbeck.core.contract import Access

__all__ = ["STUDENT_ACCESS", "FoundRoute", "Reduction"]

STUDENT_ACCESS = Access.SCORES | Access.QUERIES
"""What a student grants as the teacher of the next one: it answers any row."""

_LIGHT, _HEAVY = 1.0, 3.0


@dataclass(frozen=True)
class Reduction:
    """What a method declares: from what to which student, at what cost, with what guarantee.

    Parameters
    ----------
    into, method : str
        The student and the method that leads to it, by their names.
    needs : Access
        What the teacher must grant.
    effort : float
        How long it takes beside others, about.
    form : str
        What kind of model it is for; empty for any.
    guarantee : str
        What it promises beside the certificate; empty where nothing.
    usual : bool
        Whether it is the one for its student where no method is named.
    tabular : bool
        Whether it is for rows of a table, not for signals or texts only.
    """

    into: str
    method: str
    needs: Access
    effort: float
    form: str = ""
    guarantee: str = ""
    usual: bool = False
    tabular: bool = True


@dataclass(frozen=True)
class FoundRoute:
    """One way: a reduction, or several, each student being the teacher of the next.

    Parameters
    ----------
    steps : tuple of Reduction
        In order.
    """

    steps: tuple[Reduction, ...]

    @property
    def into(self) -> str:
        """The student at its end."""
        return self.steps[-1].into

    @property
    def via(self) -> tuple[str, ...]:
        """The students on the way."""
        return tuple(step.into for step in self.steps[:-1])

    @property
    def effort(self) -> float:
        """That of all steps together."""
        return sum(step.effort for step in self.steps)

    @property
    def cost(self) -> str:
        """The effort in a word: light, moderate or heavy."""
        if self.effort < _LIGHT:
            return "light"
        return "moderate" if self.effort < _HEAVY else "heavy"

    @property
    def guarantee(self) -> str:
        """What holds beside the certificate; of several steps, how their errors add up."""
        if not self.via:
            return self.steps[0].guarantee
        errors = " + ".join(f"e{i}" for i in range(1, len(self.steps) + 1))
        return f"differs on at most {errors}"

    @property
    def call(self) -> str:
        """The line of Python that runs it."""
        last, via = self.steps[-1], [_step(step) for step in self.steps[:-1]]
        named = "" if last.usual else f', method="{last.method}"'
        way = f", via={via[0] if len(via) == 1 else '[' + ', '.join(via) + ']'}" if via else ""
        return f'limbeck.distill(teacher, X, y, into="{last.into}"{named}{way})'


def _step(step: Reduction) -> str:
    """A step as `via` takes it."""
    return f'"{step.into}"' if step.usual else f'"{step.into}:{step.method}"'

"""What is checked before any training: one check for each fault that others met in public."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from limbeck.language.generation import TokenSampling
from limbeck.language.models import LanguageModel
from limbeck.language.prompts import Prompts

__all__ = ["Check", "preflight"]


@dataclass(frozen=True)
class Check:
    """One check and what it found.

    Parameters
    ----------
    name : str
        What was looked at.
    state : {"ok", "warning", "refused"}
        Whether the run may go on.
    message, remedy : str
        What was found, and what to do.
    """

    name: str
    state: Literal["ok", "warning", "refused"]
    message: str
    remedy: str = ""


def preflight(
    teacher: LanguageModel,
    student: LanguageModel,
    prompts: Prompts,
    objective: Any,
    sampling: TokenSampling,
    *,
    strategy: str = "auto",
    seed: int = 0,
) -> tuple[Check, ...]:
    """All checks, cheap ones first.

    Parameters
    ----------
    teacher, student : LanguageModel
        Who teaches, and where the student starts.
    prompts : Prompts
        Of the training.
    objective : object
        What is learned.
    sampling : TokenSampling
        Of texts that are written.
    strategy : str
        Of several processes; see `limbeck.networks.training.settings.Training`.
    seed : int
        Of what is drawn.
    """
    return ()

"""Teachers in between: smaller networks on the way, or an earlier checkpoint of the teacher.

A student may learn less from a teacher far above it than from one in between: a network of a size
in between that the teacher taught (Mirzadeh et al. 2020), or the teacher as it was earlier in its
training (Cho and Hariharan 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from limbeck.core.progress import Progress
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.train import Student, Trained

__all__ = ["taught_by_assistants"]


def taught_by_assistants(
    method: TrainNetwork,
    makers: Sequence[Student],
    early: nn.Module | None,
    seed: int,
    folder: Path | None,
    tell: Progress,
) -> tuple[TrainNetwork, list[Trained]]:
    """What trains the student of one seed once its assistants are trained, each by the one before.

    Every assistant has the student's objective, training and rows.

    Parameters
    ----------
    method : TrainNetwork
        What trains the student from the teacher.
    makers : sequence of nn.Module or callable
        The assistants, from the teacher's size down; may be empty.
    early : nn.Module or None
        Whom the first of them, or without any the student, asks in place of the teacher.
    seed : int
        The seed.
    folder : Path or None
        Of the seed; each assistant has a folder there.
    tell : Progress
        Told how far the training is.

    Returns
    -------
    method : TrainNetwork
        The same with another source.
    assistants : list of Trained
        In their order.
    """
    source: nn.Module | TeacherCache | None = method.source if early is None else early
    found = []
    for i, maker in enumerate(makers):
        own = replace(method, makers=[maker], reads=(), start=None, source=source)
        kept = None if folder is None else folder / f"assistant-{i + 1}"
        trained = own.distill(seed, kept, tell)[0]
        found.append(trained)
        source = trained.module.eval()
    return replace(method, source=source), found
